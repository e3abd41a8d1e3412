/* SPDX-License-Identifier: Apache-2.0 */
/* A full scrape, for statistics. */
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
