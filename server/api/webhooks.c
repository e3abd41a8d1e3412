/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told of alarms. A secret is shown once, when p4pd made it, and never again. */
#include "server/alarms/event.h"
#include "server/alarms/post.h"
#include "server/api/body.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_BYTES = 32, SECRET_MIN = 16 };

/* Many receivers are told by the URL alone who may post: only scheme and host of it are shown. */
static void put_url(struct text *t, const char *url)
{
	char shown[sizeof(((struct store_webhook *)NULL)->url) + 4];
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	const size_t end = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', end);
	const char *from = at != NULL ? at + 1 : host;
	(void)snprintf(shown, sizeof(shown), "%.*s%.*s%s", (int)(host - url), url,
	               (int)(host + end - from), from,
	               host[end] != '\0' || at != NULL ? "/..." : "");
	call_put_string(t, "url", shown);
}

static void put_webhook(struct text *t, const struct store_webhook *h)
{
	text_put(t, "{\"name\":");
	text_json_string(t, h->name);
	put_url(t, h->url);
	call_put_string(t, "provider", h->provider);
	call_put_string(t, "min_severity",
	                severity_name(h->min_severity < SEVERITIES
	                                      ? (enum alarm_severity)h->min_severity
	                                      : SEVERITY_CRITICAL));
	text_printf(t, ",\"waiting\":%" PRIu64 ",\"failures\":%" PRIu64, h->waiting, h->failures);
	if (h->delivered > 0)
		call_put_time(t, "delivered", h->delivered);
	else
		text_put(t, ",\"delivered\":null");
	call_put_string(t, "last_error", h->last_error);
}

void webhooks_get(struct call *c)
{
	struct store_webhook *list = NULL;
	size_t n = 0;
	const enum err e = store_webhooks(c->use->store, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no webhooks");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"webhooks\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",\n" : "\n");
		put_webhook(t, &list[i]);
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	free(list);
}

/* ---- PUT ---- */

static void read_url(const json_t *body, struct store_webhook *h, struct faults *faults)
{
	const char *url = body_string(body, "url", faults);
	if (url == NULL)
		return;
	if (strlen(url) >= sizeof(h->url) || !post_is_url(url))
		(void)faults_add(faults, ERR_MALFORMED, url[0] ? "malformed" : "missing", "/url",
		                 "an http or https URL with a host, at most %zu bytes",
		                 sizeof(h->url) - 1);
	else
		(void)snprintf(h->url, sizeof(h->url), "%s", url);
}

static void read_secret(const json_t *body, struct store_webhook *h, struct faults *faults)
{
	const char *secret = body_string(body, "secret", faults);
	if (secret == NULL || secret[0] == '\0')
		return;
	if (strlen(secret) < SECRET_MIN || strlen(secret) >= sizeof(h->secret))
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/secret",
		                 "%d to %zu bytes, or none: then one is made", SECRET_MIN,
		                 sizeof(h->secret) - 1);
	else
		(void)snprintf(h->secret, sizeof(h->secret), "%s", secret);
}

static void read_who(const json_t *body, struct store_webhook *h, struct faults *faults)
{
	const char *provider = body_string(body, "provider", faults);
	const char *severity = body_string(body, "min_severity", faults);
	enum alarm_severity s = SEVERITY_INFO;
	if (provider != NULL && provider[0] != '\0' && !body_is_name(provider))
		(void)faults_add(faults, ERR_MALFORMED, "malformed", "/provider",
		                 "1 to 64 letters, digits or any of -_.:@");
	else if (provider != NULL)
		(void)snprintf(h->provider, sizeof(h->provider), "%s", provider);
	if (severity != NULL && severity[0] != '\0' && !severity_read(severity, &s))
		(void)faults_add(faults, ERR_RANGE, "out-of-range", "/min_severity",
		                 "info, warning or critical");
	h->min_severity = s;
}

static void make_secret(char out[static STORE_SECRET])
{
	uint8_t bytes[SECRET_BYTES];
	randombytes_buf(bytes, sizeof(bytes));
	text_hex(bytes, sizeof(bytes), out);
}

/* A new one without a secret gets one; an old one keeps its own. */
static void keep_webhook(struct call *c, struct store_webhook *h)
{
	bool created = false, made = false;
	enum err e = store_webhook_put(c->use->store, h, c->who.name, &created);
	if (e == ERR_NOT_FOUND && h->secret[0] == '\0') {
		make_secret(h->secret);
		made = true;
		e = store_webhook_put(c->use->store, h, c->who.name, &created);
	}
	if (e != ERR_OK) {
		call_failed(c, e, "there is no such webhook");
		return;
	}
	struct text *t = call_json(c, created ? 201 : 200);
	put_webhook(t, h);
	if (made)
		call_put_string(t, "secret", h->secret);
	text_put(t, "}\n");
}

void webhook_put(struct call *c)
{
	static const char *const keys[] = { "url", "secret", "provider", "min_severity", NULL };
	struct store_webhook h = { .url = "" };
	if (!body_is_name(c->path.part[0])) {
		call_problem(c, 400, "name: 1 to 64 letters, digits or any of -_.:@");
		return;
	}
	(void)snprintf(h.name, sizeof(h.name), "%.64s", c->path.part[0]);
	json_t *body = call_body_object(c);
	struct faults *faults = body != NULL ? faults_new() : NULL;
	if (faults != NULL) {
		body_reject_unknown(body, keys, faults);
		read_url(body, &h, faults);
		read_secret(body, &h, faults);
		read_who(body, &h, faults);
	}
	if (body != NULL && faults == NULL)
		call_failed(c, ERR_NOMEM, "");
	else if (body != NULL && faults->count > 0)
		call_refused(c, faults);
	else if (body != NULL)
		keep_webhook(c, &h);
	faults_free(faults);
	json_decref(body);
}

void webhook_delete(struct call *c)
{
	call_empty(c, store_webhook_remove(c->use->store, c->path.part[0], c->who.name),
	           "there is no such webhook");
}

void webhook_test(struct call *c)
{
	struct store_alarm_event event;
	enum err e = event_test(c->who.name, c->now, &event);
	if (e == ERR_OK) {
		e = store_webhook_test(c->use->store, c->path.part[0], &event);
		free(event.body);
	}
	if (e != ERR_OK) {
		call_failed(c, e, "there is no such webhook");
		return;
	}
	text_printf(call_json(c, 202), "{\"event\":\"%s\"}\n", event.id);
}
