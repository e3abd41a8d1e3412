/* SPDX-License-Identifier: Apache-2.0 */
/* A full scrape, for statistics; and why a client gets the peers that it gets. */
#include "server/api/routes.h"

#include <string.h>

void swarms_get(struct call *c)
{
	static const struct {
		const char *word, *type;
	} formats[] = {
		[API_SWARMS_CSV] = { "csv", "text/csv; charset=utf-8" },
		[API_SWARMS_JSON_LINES] = { "json-lines", "application/x-ndjson" },
		[API_SWARMS_BENCODE] = { "bencode", "application/octet-stream" },
	};
	char word[16] = "csv";
	if (!call_text(c, "format", word, sizeof(word)))
		return;
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(word, formats[i].word) != 0)
			continue;
		c->reply->content_type = formats[i].type;
		const enum err e = c->use->list_swarms(c->use->ctx, (enum api_swarms)i, c->reply);
		if (e != ERR_OK)
			call_failed(c, e, "");
		return;
	}
	call_problem(c, 400, "format: \"%s\" is neither csv nor json-lines nor bencode", word);
}

static bool read_question(struct call *c, struct api_question *q)
{
	char address[IP_TEXT_SIZE] = "";
	uint64_t port = 0, want = UINT64_MAX, left = UINT64_MAX;
	if (!call_info_hash(c, q->info_hash) || !call_text(c, "address", address, sizeof(address)))
		return false;
	if (ip_parse(address, &q->address) != ERR_OK) {
		call_problem(c, 400, "address: \"%s\" is no IPv4 or IPv6 address", address);
		return false;
	}
	if (!call_number_to(c, "port", UINT16_MAX, &port) ||
	    !call_number_to(c, "numwant", INT32_MAX, &want) || !call_number(c, "left", &left))
		return false;
	q->port = (uint16_t)port;
	q->want = want != UINT64_MAX ? (int32_t)want : -1;
	q->says_left = left != UINT64_MAX;
	q->has_all = left == 0;
	return true;
}

void swarm_explain(struct call *c)
{
	struct api_question q = { .provider = c->who.provider[0] != '\0' ? c->who.provider : NULL };
	if (!read_question(c, &q))
		return;
	const enum err e = c->use->explain(c->use->ctx, &q, call_json(c, 200));
	if (e == ERR_DENIED)
		call_problem(c, 403, "token %s may ask about clients of %s only", c->who.name,
		             c->who.provider);
	else if (e != ERR_OK)
		call_failed(c, e, "nobody is in this swarm");
}
