/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/counter.h"

#include "common/balance/quality.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

const char *counter_fate_name(enum counter_fate f)
{
	static const char *const names[COUNTER_FATES] = {
		[COUNTER_COUNTED] = "counted",     [COUNTER_DUPLICATE] = "duplicate",
		[COUNTER_RESET] = "reset",         [COUNTER_IMPOSSIBLE] = "impossible",
		[COUNTER_AMBIGUOUS] = "ambiguous", [COUNTER_GAP] = "gap",
		[COUNTER_OVERLAP] = "overlap",
	};
	return names[f];
}

const char *counter_fate_text(enum counter_fate f)
{
	static const char *const texts[COUNTER_FATES] = {
		[COUNTER_COUNTED] = "counted",
		[COUNTER_DUPLICATE] =
			"of this port and time there is a reading already, which holds",
		[COUNTER_RESET] =
			"the counters began anew since the reading before, so that the time "
			"between is a gap",
		[COUNTER_IMPOSSIBLE] =
			"more than the port can carry in that time, which is a gap now; "
			"if its speed is wrong, say speed_bps or correct the map",
		[COUNTER_AMBIGUOUS] =
			"at this speed the counters may have wrapped more than once, so "
			"that the time is a gap; poll the 64-bit ones, or more often",
		[COUNTER_GAP] =
			"too long since the reading before, so that the time is a gap; with "
			"sys_uptime in both, it could be split",
		[COUNTER_OVERLAP] = "covers time that is counted already, and is left out",
	};
	return texts[f];
}

/* ---- one period ---- */

/* What is between two readings, as far as it does not depend on the direction. */
struct stretch {
	const struct counter_reading *a, *b;
	uint64_t ms;
	uint64_t speed_bps; /* 0: not known */
	uint8_t bits;
	bool proved; /* the counters ran through */
};

/* ifSpeed says its maximum where ifHighSpeed has to be asked (RFC 2863, section 3.1.6). */
static uint64_t known_speed(uint64_t bps)
{
	return bps == UINT32_MAX ? 0 : bps;
}

static uint64_t fastest(const struct counter_reading *a, const struct counter_reading *b,
                        const struct counter_rules *rules)
{
	uint64_t bps = known_speed(b->speed_bps);
	if (a != NULL && known_speed(a->speed_bps) > bps)
		bps = known_speed(a->speed_bps);
	return rules->speed_bps > bps ? rules->speed_bps : bps;
}

/* Clocks of pollers step, agents answer late and from caches: 2 s and 2 % are nothing. */
static bool is_impossible(const struct stretch *s, uint64_t bytes)
{
	const wide can = (wide)s->speed_bps * (s->ms + 2000) * 102;
	return s->speed_bps != 0 && (wide)bytes * 8 * 1000 * 100 > can;
}

/* Could the port fill the counter in that time? 32 bits at 300 s: from 114.5 Mbit/s. */
static bool may_wrap_twice(const struct stretch *s)
{
	if (s->bits == 0 || s->bits == 64)
		return false;
	return s->speed_bps == 0 || (wide)s->speed_bps * s->ms >= ((wide)8000 << s->bits);
}

static bool fits(const struct counter_reading *r)
{
	return r->bits == 0 || r->bits >= 64 || ((r->octets[0] | r->octets[1]) >> r->bits) == 0;
}

enum continuity { BROKEN, UNKNOWN, PROVED };

/* Does sysUpTime say that the agent ran all the time, and the discontinuity time that counters did? */
static enum continuity continuity(const struct counter_reading *a, const struct counter_reading *b,
                                  uint64_t ms)
{
	if (a->has_discontinuity && b->has_discontinuity && a->discontinuity != b->discontinuity)
		return BROKEN;
	if (!a->has_uptime || !b->has_uptime)
		return UNKNOWN;
	/* Hundredths that went by, also across the wrap of TimeTicks. */
	const int64_t passed = (int64_t)(uint32_t)(b->uptime - a->uptime) * 10;
	const int64_t off = passed - (int64_t)ms;
	if ((off < 0 ? -off : off) > (int64_t)(ms / 50) + 5000)
		return BROKEN;
	return PROVED;
}

/* The difference of a counter of `bits` width that wrapped at most once. */
static uint64_t around(uint64_t from, uint64_t to, uint8_t bits)
{
	return bits == 64 ? to - from : (to - from) & ((UINT64_C(1) << bits) - 1);
}

static enum counter_fate count_way(const struct stretch *s, enum counter_way way, uint64_t *bytes)
{
	const uint64_t from = s->a->octets[way], to = s->b->octets[way];
	const bool back = to < from;
	if (back && (s->bits == 0 || s->speed_bps == 0 || (s->bits == 64 && !s->proved)))
		return COUNTER_RESET;
	*bytes = back ? around(from, to, s->bits) : to - from;
	if (!is_impossible(s, *bytes))
		return COUNTER_COUNTED;
	return back ? COUNTER_RESET : COUNTER_IMPOSSIBLE;
}

/* Packets are worth having, but not worth a period: without them it counts all the same. */
static bool count_packets(const struct stretch *s, struct counter_period *out)
{
	if (!s->a->has_packets || !s->b->has_packets)
		return false;
	for (unsigned w = 0; w < COUNTER_WAYS; w++) {
		const uint64_t from = s->a->packets[w], to = s->b->packets[w];
		if (to < from && s->bits != 32)
			return false;
		out->packets[w] = to < from ? around(from, to, 32) : to - from;
		if (out->packets[w] > out->bytes[w])
			return false; /* a packet has more than a byte */
	}
	return true;
}

/* A delta that a poller made. It may begin before the last one ended by what rounding does. */
static enum counter_fate own_period(const struct stretch *s, struct counter_period *out)
{
	const struct counter_reading *a = s->a, *b = s->b;
	out->from_ms = b->at_ms - b->period_ms;
	if (a != NULL && a->at_ms > out->from_ms) {
		if ((a->at_ms - out->from_ms) * 10 > b->period_ms)
			return COUNTER_OVERLAP;
		out->from_ms = a->at_ms;
	}
	for (unsigned w = 0; w < COUNTER_WAYS; w++) {
		out->bytes[w] = b->octets[w];
		out->packets[w] = b->packets[w];
		if (is_impossible(s, b->octets[w]))
			return COUNTER_IMPOSSIBLE;
	}
	out->has_packets = b->has_packets;
	return s->ms > COUNTER_PROVEN_SECONDS * UINT64_C(1000) ? COUNTER_GAP : COUNTER_COUNTED;
}

static enum counter_fate counters(struct stretch *s, const struct counter_rules *rules,
                                  struct counter_period *out)
{
	const struct counter_reading *a = s->a, *b = s->b;
	const enum continuity c = continuity(a, b, s->ms);
	s->proved = c == PROVED;
	s->bits = a->bits == b->bits ? a->bits : 0;
	if (c == BROKEN || (a->bits != 0 && b->bits != 0 && a->bits != b->bits) ||
	    a->period_ms != 0)
		return COUNTER_RESET;
	const uint64_t longest = s->proved ? COUNTER_PROVEN_SECONDS * UINT64_C(1000)
	                                   : (uint64_t)rules->bin_seconds * 1500;
	if (s->ms > longest)
		return COUNTER_GAP;
	if (may_wrap_twice(s))
		return COUNTER_AMBIGUOUS;
	if (!fits(a) || !fits(b))
		return COUNTER_IMPOSSIBLE;
	for (unsigned w = 0; w < COUNTER_WAYS; w++) {
		const enum counter_fate f = count_way(s, w, &out->bytes[w]);
		if (f != COUNTER_COUNTED)
			return f;
	}
	out->has_packets = count_packets(s, out);
	return COUNTER_COUNTED;
}

enum counter_fate counter_between(const struct counter_reading *a, const struct counter_reading *b,
                                  const struct counter_rules *rules, struct counter_period *out)
{
	must(a != NULL || b->period_ms > 0);
	*out = (struct counter_period){ .from_ms = a != NULL ? a->at_ms : b->at_ms,
		                        .to_ms = b->at_ms };
	if (a != NULL && b->at_ms <= a->at_ms)
		return COUNTER_DUPLICATE;
	struct stretch s = { .a = a, .b = b, .speed_bps = fastest(a, b, rules) };
	s.ms = b->period_ms > 0 ? b->period_ms : (uint64_t)(b->at_ms - a->at_ms);
	return b->period_ms > 0 ? own_period(&s, out) : counters(&s, rules, out);
}

/* How much of `all` there is after `ms` of `of`. */
static uint64_t by_then(uint64_t all, int64_t ms, int64_t of)
{
	return (uint64_t)((wide)all * (uint64_t)ms / (uint64_t)of);
}

bool counter_part(const struct counter_period *p, int64_t from_ms, int64_t to_ms,
                  struct counter_period *out)
{
	const int64_t of = p->to_ms - p->from_ms;
	const int64_t from = (from_ms > p->from_ms ? from_ms : p->from_ms) - p->from_ms;
	const int64_t to = (to_ms < p->to_ms ? to_ms : p->to_ms) - p->from_ms;
	if (from >= to)
		return false;
	*out = (struct counter_period){ .from_ms = p->from_ms + from,
		                        .to_ms = p->from_ms + to,
		                        .has_packets = p->has_packets };
	for (unsigned w = 0; w < COUNTER_WAYS; w++) {
		/* Differences of one rounded running total: what one part loses the next one has. */
		out->bytes[w] = by_then(p->bytes[w], to, of) - by_then(p->bytes[w], from, of);
		out->packets[w] = by_then(p->packets[w], to, of) - by_then(p->packets[w], from, of);
	}
	return true;
}

/* ---- bins ---- */

/* What one period says about one bin. */
struct piece {
	int64_t start;
	struct counter_period part; /* nothing in it when the period was dropped */
	bool seen;
	unsigned quality;
};

struct heap {
	struct piece *list;
	size_t n, room;
	int64_t bin_ms;
};

static enum err push(struct heap *h, const struct piece *p)
{
	if (h->n == h->room) {
		const size_t room = h->room > 0 ? 2 * h->room : 64;
		struct piece *more = realloc(h->list, room * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		h->list = more;
		h->room = room;
	}
	h->list[h->n++] = *p;
	return ERR_OK;
}

static int64_t round_down(int64_t ms, int64_t step)
{
	const int64_t rest = ms % step;
	return ms - (rest < 0 ? rest + step : rest);
}

static enum err push_period(struct heap *h, const struct counter_period *p)
{
	const bool is_long = (p->to_ms - p->from_ms) * 10 > h->bin_ms * 11;
	for (int64_t t = round_down(p->from_ms, h->bin_ms); t < p->to_ms; t += h->bin_ms) {
		struct piece piece = { .start = t / 1000,
			               .seen = true,
			               .quality = is_long ? BIN_ESTIMATED : 0 };
		if (!counter_part(p, t, t + h->bin_ms, &piece.part))
			continue;
		if (push(h, &piece) != ERR_OK)
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* A period that was dropped: its bins say so where others count in them too, at both ends. */
static enum err push_dropped(struct heap *h, const struct counter_period *p)
{
	struct piece first = { .start = round_down(p->from_ms, h->bin_ms) / 1000,
		               .quality = BIN_DISCONTINUITY };
	struct piece last = first;
	last.start = round_down(p->to_ms, h->bin_ms) / 1000;
	const enum err e = push(h, &first);
	return e != ERR_OK ? e : push(h, &last);
}

/* NOLINTNEXTLINE(readability-function-size): the port, and the caller's to tell */
static enum err push_port(struct heap *h, const struct counter_port *port, size_t index,
                          const struct counter_rules *rules, counter_say *say, void *ctx,
                          size_t fates[static COUNTER_FATES])
{
	const struct counter_reading *before = NULL;
	enum err e = ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < port->n; i++) {
		const struct counter_reading *r = &port->readings[i];
		struct counter_period p;
		if (before == NULL && r->period_ms == 0) {
			before = r;
			continue;
		}
		const enum counter_fate f = counter_between(before, r, rules, &p);
		fates[f]++;
		if (say != NULL)
			say(ctx, index, i, f);
		if (f == COUNTER_COUNTED)
			e = push_period(h, &p);
		else if (f == COUNTER_RESET || f == COUNTER_IMPOSSIBLE || f == COUNTER_AMBIGUOUS)
			e = push_dropped(h, &p);
		if (f != COUNTER_DUPLICATE && f != COUNTER_OVERLAP)
			before = r;
	}
	return e;
}

static int by_start(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* How many ports have a say in the bin that starts then. */
static size_t count_expected(const struct counter_port *ports, size_t n, int64_t start_ms,
                             int64_t bin_ms)
{
	size_t expected = 0;
	for (size_t i = 0; i < n; i++) {
		if (ports[i].n == 0)
			continue;
		const struct counter_reading *first = &ports[i].readings[0];
		const struct counter_reading *last = &ports[i].readings[ports[i].n - 1];
		expected += first->at_ms - first->period_ms < start_ms + bin_ms &&
		            last->at_ms + COUNTER_PROVEN_SECONDS * INT64_C(1000) > start_ms;
	}
	return expected;
}

/* All pieces of one bin; false: nobody counted in it. */
static bool fold(const struct piece *pieces, size_t n, struct counter_bin *bin, uint64_t *seen_ms)
{
	*bin = (struct counter_bin){ .start = pieces[0].start, .has_packets = true };
	*seen_ms = 0;
	for (size_t i = 0; i < n; i++) {
		const struct counter_period *p = &pieces[i].part;
		bin->quality |= pieces[i].quality;
		if (!pieces[i].seen)
			continue;
		*seen_ms += (uint64_t)(p->to_ms - p->from_ms);
		bin->has_packets &= p->has_packets;
		for (unsigned w = 0; w < COUNTER_WAYS; w++) {
			bin->bytes[w] = plus(bin->bytes[w], p->bytes[w]);
			bin->packets[w] = plus(bin->packets[w], p->packets[w]);
		}
	}
	return *seen_ms > 0;
}

static void fold_all(const struct heap *h, const struct counter_port *ports, size_t n_ports,
                     struct counter_bins *out)
{
	for (size_t at = 0, next; at < h->n; at = next) {
		struct counter_bin *bin = &out->list[out->n];
		uint64_t seen_ms;
		for (next = at + 1; next < h->n && h->list[next].start == h->list[at].start;)
			next++;
		if (!fold(&h->list[at], next - at, bin, &seen_ms))
			continue;
		const uint64_t of = count_expected(ports, n_ports, bin->start * 1000, h->bin_ms);
		must(of > 0);
		if (seen_ms < of * (uint64_t)h->bin_ms)
			bin->quality |= BIN_PARTIAL;
		bin->observed_seconds = (uint32_t)((seen_ms / of + 500) / 1000);
		bin->observed_seconds += bin->observed_seconds == 0;
		out->n++;
	}
}

enum err counter_bins(const struct counter_port *ports, size_t n_ports,
                      const struct counter_rules *rules, counter_say *say, void *ctx,
                      struct counter_bins *out)
{
	must(rules->bin_seconds > 0);
	struct heap h = { .bin_ms = (int64_t)rules->bin_seconds * 1000 };
	struct counter_bins made = { 0 };
	enum err e = ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < n_ports; i++)
		e = push_port(&h, &ports[i], i, rules, say, ctx, made.fates);
	made.list = calloc(h.n + 1, sizeof(*made.list));
	if (made.list == NULL)
		e = ERR_NOMEM;
	if (e == ERR_OK) {
		if (h.n > 0)
			qsort(h.list, h.n, sizeof(*h.list), by_start);
		fold_all(&h, ports, n_ports, &made);
		*out = made;
	} else {
		free(made.list);
	}
	free(h.list);
	return e;
}

void counter_bins_done(struct counter_bins *b)
{
	free(b->list);
	*b = (struct counter_bins){ 0 };
}
