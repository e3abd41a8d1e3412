/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in: allowed and denied torrents, denied clients. */
#include "server/api/routes.h"

#include <stdlib.h>
#include <string.h>

/* ---- torrents ---- */

static void put_hashes(struct text *t, const struct store_hash *list, size_t n, bool private_only)
{
	char hex[2 * sizeof(list->bytes) + 1];
	const char *comma = "";
	for (size_t i = 0; i < n; i++) {
		if (private_only && !list[i].is_private)
			continue;
		text_hex(list[i].bytes, sizeof(list[i].bytes), hex);
		text_printf(t, "%s\"%s\"", comma, hex);
		comma = ",";
	}
}

static void get_hashes(struct call *c, enum store_list which)
{
	struct store_hash *list = NULL;
	size_t n = 0;
	const enum err e = store_access_list(c->use->store, which, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no access list");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"info_hashes\":[");
	put_hashes(t, list, n, false);
	if (which == STORE_ALLOWED) {
		text_put(t, "],\"private\":[");
		put_hashes(t, list, n, true);
	}
	text_put(t, "]}\n");
	free(list);
}

static void set_hash(struct call *c, enum store_list which, bool listed)
{
	struct store_hash hash = { .is_private = false };
	if (which == STORE_ALLOWED && listed && !call_flag(c, "private", &hash.is_private))
		return;
	if (!call_info_hash(c, hash.bytes))
		return;
	const enum err e = store_access_set(c->use->store, which, &hash, listed, c->who.name);
	call_empty(c, e, "this info-hash is not in the list");
	if (e == ERR_OK)
		c->use->access_changed(c->use->ctx);
}

void access_get(struct call *c)
{
	get_hashes(c, STORE_ALLOWED);
}

void access_put(struct call *c)
{
	set_hash(c, STORE_ALLOWED, true);
}

void access_delete(struct call *c)
{
	set_hash(c, STORE_ALLOWED, false);
}

void denied_get(struct call *c)
{
	get_hashes(c, STORE_DENIED);
}

void denied_put(struct call *c)
{
	set_hash(c, STORE_DENIED, true);
}

void denied_delete(struct call *c)
{
	set_hash(c, STORE_DENIED, false);
}

/* ---- clients ---- */

void clients_get(struct call *c)
{
	struct store_client *list = NULL;
	size_t n = 0;
	const enum err e = store_client_list(c->use->store, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no list of clients");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"clients\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? "," : "");
		text_json_string(t, list[i].prefix);
	}
	text_put(t, "]}\n");
	free(list);
}

static bool is_client(const char *prefix)
{
	size_t n = 0;
	while (prefix[n] > ' ' && prefix[n] <= '~' && prefix[n] != '#') /* a comment in files */
		n++;
	return prefix[n] == '\0' && n > 0 && n < sizeof(((struct store_client *)0)->prefix);
}

static void set_client(struct call *c, bool denied)
{
	const char *prefix = c->path.part[0];
	if (!is_client(prefix)) {
		call_problem(
			c, 400,
			"client: \"%.64s\" is not how a peer id begins: 1 to 20 printable ASCII "
			"characters but '#', such as -XL00",
			prefix);
		return;
	}
	const enum err e = store_client_set(c->use->store, prefix, denied, c->who.name);
	call_empty(c, e, "this client is not in the list");
	if (e == ERR_OK)
		c->use->access_changed(c->use->ctx);
}

void client_put(struct call *c)
{
	set_client(c, true);
}

void client_delete(struct call *c)
{
	set_client(c, false);
}
