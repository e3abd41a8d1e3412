/* SPDX-License-Identifier: Apache-2.0 */
/* Who did what, and whether anybody changed that afterwards. */
#include "server/store/audit.h"
#include "server/api/routes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void audit_get(struct call *c)
{
	enum { LIMIT = 100, LIMIT_MAX = 1000 };
	const char *provider = c->who.provider[0] != '\0' ? c->who.provider : NULL;
	struct store_audit *list = NULL;
	size_t n = 0;
	uint64_t limit = LIMIT;
	if (!call_number(c, "limit", &limit))
		return;
	if (limit == 0 || limit > LIMIT_MAX) {
		call_problem(c, 400, "limit: 1 to %d", LIMIT_MAX);
		return;
	}
	const enum err e = store_audit(c->use->store, provider, (size_t)limit, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no audit");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"audit\":[");
	for (size_t i = 0; i < n; i++) {
		char at[24];
		text_time_print(list[i].at, at);
		text_printf(t, "%s{\"number\":%" PRIu64, i > 0 ? "," : "", list[i].number);
		call_put_string(t, "at", at);
		call_put_string(t, "author", list[i].author);
		call_put_string(t, "action", list[i].action);
		call_put_string(t, "subject", list[i].subject);
		if (list[i].provider[0] != '\0')
			call_put_string(t, "provider", list[i].provider);
		else
			text_put(t, ",\"provider\":null");
		call_put_string(t, "chain", list[i].chain);
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	free(list);
}

/* The head that was noted; false: malformed, and the answer says so. Number 0: none was given. */
static bool read_noted(struct call *c, struct store_head *noted)
{
	uint8_t bytes[STORE_CHAIN_DIGITS / 2];
	char chain[STORE_CHAIN_DIGITS + 1] = "";
	if (!call_number(c, "number", &noted->number) ||
	    !call_text(c, "chain", chain, sizeof(chain)))
		return false;
	if ((noted->number == 0) != (chain[0] == '\0') ||
	    (chain[0] != '\0' && !text_unhex(chain, bytes, sizeof(bytes)))) {
		call_problem(c, 400,
		             "number and chain: a head as it was noted, the number of a row and "
		             "its 64 hexadecimal digits");
		return false;
	}
	if (noted->number != 0)
		text_hex(bytes, sizeof(bytes), noted->chain);
	return true;
}

void audit_verify_get(struct call *c)
{
	struct store_audit_check check;
	struct store_head noted = { .number = 0 };
	if (!read_noted(c, &noted))
		return;
	const enum err e =
		store_audit_verify(c->use->store, noted.number != 0 ? &noted : NULL, &check);
	if (e != ERR_OK) {
		call_failed(c, e, "no audit");
		return;
	}
	struct text *t = call_json(c, 200);
	text_printf(t,
	            "{\"intact\":%s,\"rows\":%" PRIu64 ",\"head\":{\"number\":%" PRIu64
	            ",\"chain\":\"%s\"},\"broken\":",
	            check.broken == 0 ? "true" : "false", check.rows, check.head.number,
	            check.head.chain);
	if (check.broken == 0) {
		text_put(t, "null}\n");
		return;
	}
	text_printf(t, "{\"number\":%" PRIu64, check.broken);
	call_put_string(t, "text", check.why);
	text_put(t, "}}\n");
}
