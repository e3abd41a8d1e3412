/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/templates.h"

#include <string.h>

static struct flow_template **place_of(struct flow_stream *s, uint16_t id)
{
	struct flow_template **at = &s->templates[id % FLOW_TEMPLATE_BUCKETS];
	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void forget(struct flow_decoder *d, struct flow_stream *s, struct flow_template **at)
{
	struct flow_template *t = *at;
	*at = t->next;
	s->exporter->templates--;
	d->stats.templates--;
	flow_template_free(t);
}

/* The one unused longest, of all domains of the exporter: its quota is one. */
static void evict(struct flow_decoder *d, struct flow_exporter *e)
{
	struct flow_template **oldest = NULL;
	struct flow_stream *of = NULL;
	for (struct flow_stream *s = e->streams; s != NULL; s = s->next)
		for (size_t b = 0; b < FLOW_TEMPLATE_BUCKETS; b++)
			for (struct flow_template **t = &s->templates[b]; *t != NULL;
			     t = &(*t)->next)
				if (oldest == NULL || (*t)->used_ms < (*oldest)->used_ms) {
					oldest = t;
					of = s;
				}
	must(oldest != NULL);
	forget(d, of, oldest);
	d->stats.evicted++;
}

/* Most exporters say again what they said before, some in each datagram: that costs a comparison. */
static bool said_before(struct flow_datagram *g, struct reader *r, bool options)
{
	struct reader peek = *r;
	struct flow_template *t = *place_of(g->stream, reader_u16(&peek));
	if (t == NULL || (t->scope != FLOW_SCOPE_NONE) != options ||
	    reader_left(r) < t->definition_size ||
	    memcmp(r->at, t->definition, t->definition_size) != 0)
		return false;
	(void)reader_take(r, t->definition_size);
	t->used_ms = g->now_ms;
	return true;
}

static void keep(struct flow_datagram *g, struct flow_template *t)
{
	struct flow_stream *s = g->stream;
	if (s->exporter->templates >= g->d->limits.templates)
		evict(g->d, s->exporter);
	struct flow_template **at = &s->templates[t->id % FLOW_TEMPLATE_BUCKETS];
	t->next = *at;
	t->used_ms = g->now_ms;
	*at = t;
	s->exporter->templates++;
	g->d->stats.templates++;
	g->d->stats.learnt++;
}

/* A definition we cannot use still ends the one before it. */
static enum err define(struct flow_datagram *g, struct reader *r, bool options)
{
	struct flow_template *t = NULL;
	uint16_t id = 0;
	const enum err e = flow_template_read(r, g->stream->source.protocol == FLOW_IPFIX, options,
	                                      g->d->limits.fields, &id, &t);
	if (e != ERR_OK && e != ERR_RANGE)
		return e;
	struct flow_template **old = place_of(g->stream, id);
	if (*old != NULL)
		forget(g->d, g->stream, old);
	if (e == ERR_OK)
		keep(g, t);
	else
		g->d->stats.refused++;
	return ERR_OK;
}

/* Those of one kind when the id is that of their sets, else one (RFC 7011, 8.1). */
static void withdraw(struct flow_datagram *g, uint16_t id, bool options)
{
	struct flow_stream *s = g->stream;
	for (size_t b = 0; b < FLOW_TEMPLATE_BUCKETS; b++)
		for (struct flow_template **t = &s->templates[b]; *t != NULL;) {
			const bool kind = ((*t)->scope != FLOW_SCOPE_NONE) == options;
			if (id < 256 ? kind : (*t)->id == id) {
				forget(g->d, s, t);
				g->d->stats.withdrawn++;
			} else {
				t = &(*t)->next;
			}
		}
}

static bool is_withdrawal(const struct flow_datagram *g, struct reader r, bool options)
{
	const uint16_t id = reader_u16(&r), count = reader_u16(&r);
	return g->stream->source.protocol == FLOW_IPFIX && count == 0 &&
	       (id >= 256 || id == (options ? 3 : 2));
}

enum err flow_templates_learn(struct flow_datagram *g, struct reader set, bool options)
{
	enum { LEAST = 4 }; /* what is shorter is padding */
	while (reader_left(&set) >= LEAST) {
		if (said_before(g, &set, options))
			continue;
		if (is_withdrawal(g, set, options)) {
			withdraw(g, reader_u16(&set), options);
			(void)reader_u16(&set);
			continue;
		}
		/* Zeros up to the end are padding, too, however many. */
		if (flow_only_zeros(set))
			break;
		const uint8_t *at = set.at;
		const enum err e = define(g, &set, options);
		if (e != ERR_OK)
			return e == ERR_TRUNCATED
			               ? flow_fault(g, e, at, "the template ends behind its set")
			               : e;
	}
	return ERR_OK;
}

struct flow_template *flow_templates_find(struct flow_datagram *g, uint16_t id)
{
	struct flow_template **at = place_of(g->stream, id);
	if (*at != NULL && g->now_ms - (*at)->used_ms > g->d->limits.idle_ms) {
		forget(g->d, g->stream, at);
		g->d->stats.expired++;
		return NULL;
	}
	if (*at != NULL)
		(*at)->used_ms = g->now_ms;
	return *at;
}

void flow_templates_expire(struct flow_decoder *d, struct flow_stream *s, int64_t now_ms)
{
	for (size_t b = 0; b < FLOW_TEMPLATE_BUCKETS; b++)
		for (struct flow_template **t = &s->templates[b]; *t != NULL;)
			if (now_ms - (*t)->used_ms > d->limits.idle_ms) {
				forget(d, s, t);
				d->stats.expired++;
			} else {
				t = &(*t)->next;
			}
}

void flow_templates_forget_all(struct flow_decoder *d, struct flow_stream *s)
{
	for (size_t b = 0; b < FLOW_TEMPLATE_BUCKETS; b++)
		while (s->templates[b] != NULL)
			forget(d, s, &s->templates[b]);
}
