/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/swarm_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PASS_SWARMS = 65536, FIRST_BYTES = 256, ROWS_AT_ONCE = 256 };

struct listing {
	struct swarm_store *swarms;
	enum api_swarms format;
	bool begun, ended;
	unsigned pass, passes; /* a power of two */
	struct swarm_row *rows;
	size_t at, n, room;
};

static int by_hash(const void *a, const void *b)
{
	const struct swarm_row *x = a, *y = b;
	return memcmp(x->info_hash, y->info_hash, INFO_HASH_SIZE);
}

static bool reserve(struct listing *l, size_t more)
{
	if (l->n + more <= l->room)
		return true;
	const size_t room = 2 * l->room + more;
	struct swarm_row *rows = realloc(l->rows, room * sizeof(*rows));
	if (rows == NULL)
		return false;
	l->rows = rows;
	l->room = room;
	return true;
}

/* The swarms of the next pass, sorted; a swarm that went and came back meanwhile is there once. */
static bool gather(struct listing *l)
{
	const unsigned share = FIRST_BYTES / l->passes, first = l->pass++ * share;
	struct swarm_walk walk = { 0 };
	l->at = l->n = 0;
	for (;;) {
		size_t n;
		if (!reserve(l, SWARM_LIST_SLICE))
			return false;
		if (!swarm_list(l->swarms, &walk, (uint8_t)first, (uint8_t)(first + share - 1),
		                l->rows + l->n, &n))
			break;
		l->n += n;
	}
	qsort(l->rows, l->n, sizeof(*l->rows), by_hash);
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++)
		if (kept == 0 || by_hash(&l->rows[i], &l->rows[kept - 1]) != 0)
			l->rows[kept++] = l->rows[i];
	l->n = kept;
	return true;
}

static void put_row(enum api_swarms format, const struct swarm_row *r, struct text *t)
{
	const struct swarm_counts *c = &r->counts;
	char hex[2 * INFO_HASH_SIZE + 1];
	text_hex(r->info_hash, INFO_HASH_SIZE, hex);
	switch (format) {
	case API_SWARMS_CSV:
		text_printf(t, "%s,%" PRIu32 ",%" PRIu32 ",%" PRIu32 "\n", hex, c->complete,
		            c->incomplete, c->downloaded);
		return;
	case API_SWARMS_JSON_LINES:
		text_printf(t,
		            "{\"info_hash\":\"%s\",\"seeds\":%" PRIu32 ",\"leechers\":%" PRIu32
		            ",\"snatches\":%" PRIu32 "}\n",
		            hex, c->complete, c->incomplete, c->downloaded);
		return;
	case API_SWARMS_BENCODE:
		text_put(t, "20:");
		text_add(t, r->info_hash, INFO_HASH_SIZE);
		text_printf(t,
		            "d8:completei%" PRIu32 "e10:downloadedi%" PRIu32
		            "e11:downloadersi%" PRIu32 "e10:incompletei%" PRIu32 "ee",
		            c->complete, c->downloaded, c->downloaders, c->incomplete);
		return;
	}
	must(false);
}

static const char *const heads[] = { [API_SWARMS_CSV] = "info_hash,seeds,leechers,snatches\n",
	                             [API_SWARMS_JSON_LINES] = "",
	                             [API_SWARMS_BENCODE] = "d5:filesd" };
static const char *const tails[] = {
	[API_SWARMS_CSV] = "", [API_SWARMS_JSON_LINES] = "", [API_SWARMS_BENCODE] = "ee"
};

static void more(void *ctx, struct text *piece)
{
	struct listing *l = ctx;
	if (!l->begun)
		text_put(piece, heads[l->format]);
	l->begun = true;
	while (l->at == l->n && l->pass < l->passes)
		if (!gather(l)) {
			piece->bad = true;
			return;
		}
	for (unsigned i = 0; i < ROWS_AT_ONCE && l->at < l->n; i++)
		put_row(l->format, &l->rows[l->at++], piece);
	if (l->at == l->n && l->pass == l->passes && !l->ended) {
		text_put(piece, tails[l->format]);
		l->ended = true;
	}
}

static void done(void *ctx)
{
	struct listing *l = ctx;
	free(l->rows);
	free(l);
}

enum err swarm_list_start(struct swarm_store *swarms, enum api_swarms format,
                          struct http_stream *out)
{
	struct listing *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return ERR_NOMEM;
	l->swarms = swarms;
	l->format = format;
	l->passes = 1;
	const uint64_t wanted = swarm_totals(swarms).swarms / PASS_SWARMS;
	while (l->passes <= wanted && l->passes < FIRST_BYTES)
		l->passes *= 2;
	*out = (struct http_stream){ .more = more, .done = done, .ctx = l };
	return ERR_OK;
}
