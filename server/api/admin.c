/* SPDX-License-Identifier: Apache-2.0 */
/* Passkeys. */
#include "server/api/body.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- passkeys ---- */

static void put_passkey(struct call *c, struct text *t, const struct store_passkey *key)
{
	struct api_passkey_use use;
	text_put(t, "{\"name\":");
	text_json_string(t, key->name);
	text_printf(t, ",\"max_peers\":%" PRIu32 ",\"announces_per_minute\":%" PRIu32,
	            key->max_peers, key->per_minute);
	call_put_time(t, "created", key->created);
	if (c->use->passkey_use(c->use->ctx, key->hash, &use))
		text_printf(t,
		            ",\"peers\":%" PRIu64 ",\"announces\":%" PRIu64 ",\"refused\":%" PRIu64,
		            use.peers, use.announces, use.refused);
}

void passkeys_get(struct call *c)
{
	struct store_passkey *list = NULL;
	size_t n = 0;
	const enum err e = store_passkeys(c->use->store, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no passkeys");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"passkeys\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? "," : "");
		put_passkey(c, t, &list[i]);
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	free(list);
}

/* A whole number, 0 when it is absent. */
static uint32_t number_member(const json_t *body, const char *key, json_int_t max,
                              struct faults *faults)
{
	const json_t *value = json_object_get(body, key);
	char where[32];
	const json_int_t n = json_integer_value(value);
	if (value == NULL || json_is_null(value))
		return 0;
	(void)snprintf(where, sizeof(where), "/%s", key);
	if (!json_is_integer(value))
		(void)faults_add(faults, ERR_MALFORMED, "wrong-type", where, "%s is a whole number",
		                 key);
	else if (n < 0 || n > max)
		(void)faults_add(faults, ERR_RANGE, "out-of-range", where,
		                 "must be 0 (no limit) to %" JSON_INTEGER_FORMAT, max);
	else
		return (uint32_t)n;
	return 0;
}

static void make_passkey(struct call *c, struct store_passkey *key, const char *own)
{
	char text[AUTH_PASSKEY_SIZE];
	const enum err e = auth_passkey_new(c->use->auth, key, own, c->who.name, text);
	if (e == ERR_RANGE) {
		call_problem(c, 400, "passkey: 16 to 64 letters, digits, - or _");
		return;
	}
	if (e != ERR_OK) {
		call_failed(c, e, "there is such a name, or was such a passkey");
		return;
	}
	c->use->access_changed(c->use->ctx);
	struct text *t = call_json(c, 201);
	put_passkey(c, t, key);
	call_put_string(t, "passkey", text); /* shown this once */
	text_put(t, "}\n");
}

void passkey_post(struct call *c)
{
	enum { PEERS_MOST = 10000, RATE_MOST = 1000000 };
	static const char *const keys[] = { "name", "max_peers", "announces_per_minute", "passkey",
		                            NULL };
	struct store_passkey key = { .created = c->now };
	json_t *body = call_body_object(c);
	if (body == NULL)
		return;
	struct faults *faults = faults_new();
	if (faults == NULL) {
		call_failed(c, ERR_NOMEM, "");
		json_decref(body);
		return;
	}
	body_reject_unknown(body, keys, faults);
	body_new_name(body, key.name, faults);
	key.max_peers = number_member(body, "max_peers", PEERS_MOST, faults);
	key.per_minute = number_member(body, "announces_per_minute", RATE_MOST, faults);
	const char *own = body_string(body, "passkey", faults);
	if (faults->count > 0)
		call_refused(c, faults);
	else
		make_passkey(c, &key, own[0] != '\0' ? own : NULL);
	faults_free(faults);
	json_decref(body);
}

void passkey_delete(struct call *c)
{
	char what[192];
	(void)snprintf(what, sizeof(what), "there is no passkey named %.128s", c->path.part[0]);
	const enum err e = store_passkey_remove(c->use->store, c->path.part[0], c->who.name);
	call_empty(c, e, what);
	if (e == ERR_OK)
		c->use->access_changed(c->use->ctx);
}
