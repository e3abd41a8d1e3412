/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/sampling.h"

/* Keys of notes: what the rate is about, and its number. */
enum about { ABOUT_SELECTOR = 1, ABOUT_INTERFACE };

static uint64_t key_of(enum about what, uint64_t number)
{
	return (uint64_t)what << 62 | (number & (UINT64_MAX >> 2));
}

static bool has(const struct flow_template *t, enum flow_value v)
{
	return t->has & flow_bit(v);
}

/* Of 0: it does not say. Beyond 32 bits it is nonsense. */
static struct flow_rate make_rate(uint64_t taken, uint64_t of)
{
	if (taken == 0 || of < taken || of > UINT32_MAX)
		return (struct flow_rate){ 0 };
	return (struct flow_rate){ .of = (uint32_t)of, .taken = (uint32_t)taken };
}

static struct flow_rate said_in(const struct flow_template *t, const uint64_t *v)
{
	struct flow_rate rate = { 0 };
	if (has(t, FLOW_SIZE) && has(t, FLOW_POPULATION))
		rate = make_rate(v[FLOW_SIZE], v[FLOW_POPULATION]);
	if (rate.of == 0 && has(t, FLOW_CONSECUTIVE) && has(t, FLOW_SPACE) &&
	    v[FLOW_SPACE] <= UINT32_MAX && v[FLOW_CONSECUTIVE] <= UINT32_MAX)
		rate = make_rate(v[FLOW_CONSECUTIVE], v[FLOW_CONSECUTIVE] + v[FLOW_SPACE]);
	if (rate.of == 0 && has(t, FLOW_INTERVAL))
		rate = make_rate(1, v[FLOW_INTERVAL]);
	return rate;
}

static void note(struct flow_datagram *g, enum about what, uint64_t number, struct flow_rate rate)
{
	struct flow_stream *s = g->stream;
	struct flow_note *n = flow_notes_at(&s->rates, key_of(what, number));
	if (n == NULL)
		return;
	if (what == ABOUT_SELECTOR) {
		s->selectors += n->b == 0;
		s->selector_rate = rate;
	}
	n->a = rate.of;
	n->b = rate.taken;
}

static const uint64_t *interface_of(const struct flow_template *t, const uint64_t *v)
{
	return has(t, FLOW_IN_IF) ? &v[FLOW_IN_IF] : has(t, FLOW_OUT_IF) ? &v[FLOW_OUT_IF] : NULL;
}

void flow_sampling_learn(struct flow_datagram *g, const struct flow_template *t, const uint64_t *v)
{
	const struct flow_rate rate = said_in(t, v);
	if (rate.of == 0)
		return;
	/* Cisco names the sampler in a record about the system. */
	if (has(t, FLOW_SELECTOR))
		note(g, ABOUT_SELECTOR, v[FLOW_SELECTOR], rate);
	else if (t->scope == FLOW_SCOPE_INTERFACE && interface_of(t, v) != NULL)
		note(g, ABOUT_INTERFACE, *interface_of(t, v), rate);
	else if (t->scope == FLOW_SCOPE_DOMAIN)
		g->stream->rate = rate;
}

static struct flow_rate noted(const struct flow_datagram *g, enum about what, uint64_t number)
{
	const struct flow_note *n = flow_notes_find(&g->stream->rates, key_of(what, number));
	return n != NULL ? (struct flow_rate){ .of = n->a, .taken = n->b }
	                 : (struct flow_rate){ 0 };
}

struct flow_rate flow_sampling_among(const struct flow_datagram *g, const struct flow_template *t,
                                     const uint64_t *v)
{
	struct flow_rate rate = said_in(t, v);
	if (g->stream->rates.count > 0) {
		if (rate.of == 0 && has(t, FLOW_SELECTOR))
			rate = noted(g, ABOUT_SELECTOR, v[FLOW_SELECTOR]);
		if (rate.of == 0 && has(t, FLOW_IN_IF))
			rate = noted(g, ABOUT_INTERFACE, v[FLOW_IN_IF]);
		if (rate.of == 0 && has(t, FLOW_OUT_IF))
			rate = noted(g, ABOUT_INTERFACE, v[FLOW_OUT_IF]);
	}
	if (rate.of == 0)
		rate = g->stream->rate;
	/* Many exporters have one sampler and do not name it in their records. */
	if (rate.of == 0 && !has(t, FLOW_SELECTOR) && g->stream->selectors == 1)
		rate = g->stream->selector_rate;
	return rate.of > 0 ? rate : (struct flow_rate){ .of = g->d->limits.sampling, .taken = 1 };
}
