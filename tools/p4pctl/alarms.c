/* SPDX-License-Identifier: Apache-2.0 */
/* alarms, webhook */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct text path_of(const char *path, const char *name, const char *rest)
{
	struct text t = { 0 };
	text_put(&t, path);
	if (name != NULL)
		ctl_segment(&t, name);
	text_put(&t, rest);
	return t;
}

static const char *or_dash(const char *s)
{
	return s[0] != '\0' ? s : "-";
}

/* Asks with a JSON body (NULL: none) and says `done`, when it is not NULL, once it went well. */
static enum ctl_exit send(const struct ctl *c, const char *method, struct text path,
                          const struct text *body, const char *done)
{
	struct ctl_request r = {
		.method = method, .path = path, .body = body, .content_type = "application/json"
	};
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json && done != NULL)
		printf("%s\n", done);
	text_done(&answer);
	return code;
}

/* ---- alarms ---- */

static const char *note(const json_t *alarm)
{
	char now[24];
	text_time_print((int64_t)time(NULL), now);
	if (strcmp(ctl_string(alarm, "muted_until"), now) > 0) /* RFC 3339 in UTC sorts */
		return "muted";
	return or_dash(ctl_string(alarm, "acknowledged_by"));
}

static void print_alarms(const json_t *alarms)
{
	static const char *const heads[] = { "ID",      "STATE", "SEVERITY", "RULE", "PROVIDER",
		                             "SUBJECT", "SINCE", "NOTE",     "TEXT", NULL };
	static const char *const keys[] = { "id",       "state",   "severity", "rule",
		                            "provider", "subject", "since" };
	const json_t *alarm;
	struct columns t;
	size_t i;
	columns_begin(&t, heads);
	json_array_foreach(alarms, i, alarm)
	{
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			columns_add(&t, "%s", or_dash(ctl_string(alarm, keys[k])));
		columns_add(&t, "%s", note(alarm));
		columns_add(&t, "%s", ctl_string(alarm, "text"));
	}
	(void)columns_print(&t, stdout);
}

enum ctl_exit ctl_alarms_list(const struct ctl *c)
{
	enum ctl_exit code;
	struct text path = path_of("/v1/alarms", NULL, "");
	ctl_parameter(&path, "state", c->option[CTL_ALL] != NULL ? "all" : NULL);
	ctl_parameter(&path, "provider", c->option[CTL_PROVIDER]);
	json_t *json = ctl_get(c, path, &code);
	const json_t *alarms = json_object_get(json, "alarms");
	if (json != NULL && !c->json && json_array_size(alarms) == 0)
		printf("%s\n", c->option[CTL_ALL] != NULL ? "none" : "none fires");
	else if (json != NULL && !c->json)
		print_alarms(alarms);
	json_decref(json);
	return code;
}

enum ctl_exit ctl_alarms_history(const struct ctl *c)
{
	enum ctl_exit code;
	struct text path = path_of("/v1/alarms", c->args[0], "/events");
	ctl_parameter(&path, "limit", c->option[CTL_LIMIT]);
	json_t *json = ctl_get(c, path, &code), *event;
	if (json != NULL && !c->json) {
		static const char *const heads[] = { "AT", "WHAT", "WHO", "TEXT", NULL };
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "events"), i, event)
		{
			const json_t *told = json_object_get(event, "told");
			columns_add(&t, "%s", ctl_string(event, "at"));
			columns_add(&t, "%s", ctl_string(event, "what"));
			columns_add(&t, "%s", or_dash(ctl_string(event, "author")));
			columns_add(&t, "%s", ctl_string(json_object_get(told, "alarm"), "text"));
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

enum ctl_exit ctl_alarms_ack(const struct ctl *c)
{
	return send(c, "POST", path_of("/v1/alarms", c->args[0], "/ack"), NULL, "acknowledged");
}

bool ctl_duration(const char *s, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t size = strlen(s);
	uint64_t each = 1;
	for (size_t i = 0; i < 4 && size > 0; i++)
		if (s[size - 1] == units[i].unit)
			each = units[i].seconds;
	if (size > 0 && (s[size - 1] < '0' || s[size - 1] > '9'))
		size--;
	if (!text_u64(s, size, seconds) || *seconds > UINT32_MAX)
		return false;
	*seconds *= each;
	return s[size] == '\0' || strchr("smhd", s[size]) != NULL;
}

enum ctl_exit ctl_alarms_mute(const struct ctl *c)
{
	const char *duration = c->option[CTL_FOR] != NULL ? c->option[CTL_FOR] : "8h";
	struct text body = { 0 };
	uint64_t seconds;
	if (!ctl_duration(duration, &seconds))
		return ctl_fail(CTL_USAGE, "--for %s: seconds, or such as 30m, 8h, 7d", duration);
	text_printf(&body, "{\"seconds\":%llu}", (unsigned long long)seconds);
	const enum ctl_exit code = send(c, "POST", path_of("/v1/alarms", c->args[0], "/mute"),
	                                &body, seconds > 0 ? "muted" : "no longer muted");
	text_done(&body);
	return code;
}

enum ctl_exit ctl_alarms_rules(const struct ctl *c)
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, path_of("/v1/alarm-rules", NULL, ""), &code), *rule;
	if (json != NULL && !c->json) {
		static const char *const heads[] = { "RULE",   "PROVIDER", "SEVERITY",
			                             ">ABOVE", "UNIT",     ">BINS",
			                             "ON",     "WHAT",     NULL };
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "rules"), i, rule)
		{
			columns_add(&t, "%s", ctl_string(rule, "rule"));
			columns_add(&t, "%s", or_dash(ctl_string(rule, "provider")));
			columns_add(&t, "%s", ctl_string(rule, "severity"));
			columns_add(&t, "%g", ctl_number(rule, "threshold"));
			columns_add(&t, "%s", ctl_string(rule, "unit"));
			columns_add(&t, "%.0f", ctl_number(rule, "for_bins"));
			columns_add(&t, "%s",
			            json_is_true(json_object_get(rule, "enabled")) ? "yes" : "no");
			columns_add(&t, "%s", ctl_string(rule, "help"));
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

/* A number as it was given, or null. false: it is none. */
static bool put_number(struct text *t, const char *key, const char *value)
{
	char *end;
	if (value == NULL)
		return true;
	(void)strtod(value, &end);
	if (end == value || *end != '\0' || strspn(value, "0123456789.") != strlen(value))
		return false;
	text_printf(t, ",\"%s\":%s", key, value);
	return true;
}

static void put_string(struct text *t, const char *key, const char *value)
{
	if (value == NULL)
		return;
	text_printf(t, ",\"%s\":", key);
	text_json_string(t, value);
}

enum ctl_exit ctl_alarms_rule(const struct ctl *c)
{
	const bool off = c->option[CTL_OFF] != NULL, on = c->option[CTL_ON] != NULL;
	struct text body = { 0 };
	enum ctl_exit code = CTL_USAGE;
	text_printf(&body, "{\"enabled\":%s", on ? "true" : off ? "false" : "null");
	put_string(&body, "provider", c->option[CTL_PROVIDER]);
	if (on && off)
		(void)ctl_fail(code, "--on or --off, not both");
	else if (!put_number(&body, "threshold", c->option[CTL_THRESHOLD]))
		(void)ctl_fail(code, "--threshold %s is no number", c->option[CTL_THRESHOLD]);
	else if (!put_number(&body, "for_bins", c->option[CTL_BINS]))
		(void)ctl_fail(code, "--bins %s is no number", c->option[CTL_BINS]);
	else {
		text_put(&body, "}");
		code = send(c, "PUT", path_of("/v1/alarm-rules", c->args[0], ""), &body,
		            on || off || c->option[CTL_THRESHOLD] != NULL ||
		                            c->option[CTL_BINS] != NULL
		                    ? "set"
		                    : "as it was at first");
	}
	text_done(&body);
	return code;
}

/* ---- webhooks ---- */

enum ctl_exit ctl_webhook_list(const struct ctl *c)
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, path_of("/v1/webhooks", NULL, ""), &code), *hook;
	if (json != NULL && !c->json) {
		static const char *const heads[] = { "NAME",       "PROVIDER",  "FROM",
			                             ">WAITING",   ">FAILURES", "DELIVERED",
			                             "LAST ERROR", "URL",       NULL };
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "webhooks"), i, hook)
		{
			columns_add(&t, "%s", ctl_string(hook, "name"));
			columns_add(&t, "%s", or_dash(ctl_string(hook, "provider")));
			columns_add(&t, "%s", ctl_string(hook, "min_severity"));
			columns_add(&t, "%.0f", ctl_number(hook, "waiting"));
			columns_add(&t, "%.0f", ctl_number(hook, "failures"));
			columns_add(&t, "%s", or_dash(ctl_string(hook, "delivered")));
			columns_add(&t, "%s", or_dash(ctl_string(hook, "last_error")));
			columns_add(&t, "%s", ctl_string(hook, "url"));
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

/* The secret that p4pd made, which no later answer has. */
static void print_secret(const struct text *answer)
{
	json_t *json = json_loadb(answer->bytes, answer->size, 0, NULL);
	const char *secret = ctl_string(json, "secret");
	if (secret[0] != '\0') {
		printf("%s\n", secret);
		(void)fprintf(stderr, "p4pctl: the secret: keep it: it is not shown again\n");
	} else {
		printf("set\n");
	}
	json_decref(json);
}

enum ctl_exit ctl_webhook_set(const struct ctl *c)
{
	struct text body = { 0 }, secret = { 0 }, answer = { 0 };
	if (c->option[CTL_SECRET_FILE] != NULL) {
		if (!ctl_read_file(c->option[CTL_SECRET_FILE], 4096, &secret))
			return CTL_USAGE;
		secret.bytes[strcspn(secret.bytes, "\r\n")] = '\0';
	}
	/* The server would make a secret, or keep the old one: not what was asked. */
	if (secret.bytes != NULL && secret.bytes[0] == '\0') {
		text_done(&secret);
		return ctl_fail(CTL_USAGE, "%s: its first line is empty: no secret",
		                c->option[CTL_SECRET_FILE]);
	}
	text_put(&body, "{\"url\":");
	text_json_string(&body, c->args[1]);
	put_string(&body, "secret", secret.bytes);
	put_string(&body, "provider", c->option[CTL_PROVIDER]);
	put_string(&body, "min_severity", c->option[CTL_SEVERITY]);
	text_put(&body, "}");
	struct ctl_request r = { .method = "PUT",
		                 .path = path_of("/v1/webhooks", c->args[0], ""),
		                 .body = &body,
		                 .content_type = "application/json" };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		print_secret(&answer);
	text_done(&answer);
	text_done(&body);
	text_done(&secret);
	return code;
}

enum ctl_exit ctl_webhook_remove(const struct ctl *c)
{
	return send(c, "DELETE", path_of("/v1/webhooks", c->args[0], ""), NULL, "removed");
}

/* CTL_OK with *done: the queue of the webhook is empty. */
static enum ctl_exit ask_waiting(const struct ctl *c, const char *name, bool *done,
                                 char why[static 256])
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, path_of("/v1/webhooks", NULL, ""), &code), *hook;
	size_t i;
	json_array_foreach(json_object_get(json, "webhooks"), i, hook)
	{
		if (strcmp(ctl_string(hook, "name"), name) != 0)
			continue;
		*done = ctl_number(hook, "waiting") == 0;
		(void)snprintf(why, 256, "%s", ctl_string(hook, "last_error"));
	}
	json_decref(json);
	return code;
}

enum ctl_exit ctl_webhook_test(const struct ctl *c)
{
	enum { TRIES = 40 };
	static const struct timespec half = { .tv_nsec = 500000000 };
	struct ctl quiet = *c;
	char why[256] = "";
	bool done = false;
	enum ctl_exit code =
		send(c, "POST", path_of("/v1/webhooks", c->args[0], "/test"), NULL, NULL);
	quiet.json = false; /* one answer is printed, not all that are waited for */
	for (unsigned i = 0; i < TRIES && code == CTL_OK && !done && why[0] == '\0'; i++) {
		(void)nanosleep(&half, NULL);
		code = ask_waiting(&quiet, c->args[0], &done, why);
	}
	if (code == CTL_OK && !done)
		return ctl_fail(CTL_REFUSED, "not delivered%s%s; it is tried again",
		                why[0] != '\0' ? ": " : "", why);
	if (code == CTL_OK && !c->json)
		printf("delivered\n");
	return code;
}
