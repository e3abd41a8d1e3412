/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/check.h"

#include "common/base/cursor.h"

static const size_t address_sizes[2] = { 4, 16 };

const char *verdict_name(enum verdict v)
{
	static const char *const names[REPLY_KINDS_] = {
		"good",     "refused", "malformed", "self", "double",
		"too_many", "empty",   "stranger",  "gone", "counts",
	};
	return names[v];
}

uint32_t answer_peers(const struct answer *a)
{
	return (uint32_t)(a->sizes[0] / 6 + a->sizes[1] / 18);
}

static enum verdict check_peer(struct population *p, const struct request *r, uint32_t peer)
{
	if (peer == r->client)
		return REPLY_SELF;
	if (peer == STRANGER || p->clients[peer].swarm != p->clients[r->client].swarm)
		return REPLY_STRANGER;
	struct client *c = &p->clients[peer];
	if (c->seen == p->replies)
		return REPLY_DOUBLE;
	c->seen = p->replies;
	return c->gone != 0 && c->gone < r->sent ? REPLY_GONE : REPLY_GOOD;
}

/* What is worst: a fault of the tracker alone before one that another client may have caused. */
static enum verdict check_list(struct population *p, const struct request *r,
                               const struct answer *a)
{
	enum verdict worst = REPLY_GOOD;
	p->replies++;
	for (size_t f = 0; f < 2; f++) {
		const bool ours = address_sizes[f] == ip_size(&p->options->target);
		struct reader list = reader_over(a->lists[f], a->sizes[f]);
		while (reader_left(&list) > 0) {
			const uint8_t *address = reader_take(&list, address_sizes[f]);
			const uint16_t port = reader_u16(&list);
			if (list.bad)
				break; /* the parser saw to that */
			const uint32_t peer = ours ? population_find(p, address, port) : STRANGER;
			const enum verdict v = check_peer(p, r, peer);
			if (v != REPLY_GOOD && (worst == REPLY_GOOD || v < worst))
				worst = v;
		}
	}
	return worst;
}

/* By how much the tracker's counts may differ from ours. */
static uint32_t slack(const struct swarm *s, const struct request *r)
{
	return s->sent - r->mark;
}

static bool near(uint32_t a, uint32_t b, uint32_t distance)
{
	return (a > b ? a - b : b - a) <= distance;
}

static enum verdict check_announce(struct population *p, const struct request *r,
                                   const struct answer *a)
{
	const struct swarm *s = &p->swarms[p->clients[r->client].swarm];
	const uint32_t peers = answer_peers(a), away = slack(s, r);
	if (peers > p->options->want)
		return REPLY_TOO_MANY;
	const enum verdict v = check_list(p, r, a);
	if (v != REPLY_GOOD || s->unsure || r->event == EVENT_STOPPED)
		return v;
	if (!near(a->seeders, s->seeders, away) || !near(a->leechers, s->leechers, away))
		return REPLY_COUNTS;
	const uint32_t others = r->seeder ? s->leechers : s->seeders + s->leechers - 1;
	if (peers == 0 && p->options->want > 0 && away == 0 && others > 0)
		return REPLY_EMPTY;
	return REPLY_GOOD;
}

static enum verdict check_scrape(const struct population *p, const struct request *r,
                                 const struct answer *a)
{
	const uint32_t first = p->clients[r->client].swarm;
	for (uint32_t i = 0; i < a->n_rows; i++) {
		const struct swarm *s = &p->swarms[(first + i) % p->n_hashes];
		const struct udp_scrape_row *row = &a->rows[i];
		/* The mark is the first swarm's; a neighbour is looked at when it stands still. */
		const uint32_t away = i == 0 ? slack(s, r) : 0;
		if (s->unsure || (i > 0 && p->options->stops + p->options->completes > 0))
			continue;
		if (!near(row->seeders, s->seeders, away) ||
		    !near(row->leechers, s->leechers, away))
			return REPLY_COUNTS;
	}
	return REPLY_GOOD;
}

enum verdict check_answer(struct population *p, const struct request *r, const struct answer *a,
                          bool all)
{
	if (a->shape != REPLY_GOOD || r->kind == UDP_CONNECT)
		return a->shape;
	if (r->kind == UDP_SCRAPE)
		return all ? check_scrape(p, r, a) : REPLY_GOOD;
	if (!all)
		return answer_peers(a) > p->options->want ? REPLY_TOO_MANY : REPLY_GOOD;
	return check_announce(p, r, a);
}
