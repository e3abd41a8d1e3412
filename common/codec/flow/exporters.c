/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/random.h"
#include "common/codec/flow/templates.h"

#include <stdlib.h>
#include <string.h>

static struct flow_exporter **bucket_of(struct flow_decoder *d, const struct ip_addr *a)
{
	uint64_t half[2];
	memcpy(half, a->bytes, sizeof(half));
	return &d->buckets[random_mix(half[0] ^ random_mix(half[1])) % FLOW_EXPORTER_BUCKETS];
}

/* Takes *at out of its exporter's list and frees it. */
static void forget_stream(struct flow_decoder *d, struct flow_stream **at)
{
	struct flow_stream *s = *at;
	*at = s->next;
	flow_templates_forget_all(d, s);
	flow_notes_clear(&s->rates);
	flow_notes_clear(&s->sources);
	s->exporter->domains--;
	d->stats.domains--;
	free(s);
}

static void forget_exporter(struct flow_decoder *d, struct flow_exporter **at)
{
	struct flow_exporter *e = *at;
	while (e->streams != NULL)
		forget_stream(d, &e->streams);
	must(e->domains == 0 && e->templates == 0);
	*at = e->next;
	d->stats.exporters--;
	free(e);
}

static void evict_exporter(struct flow_decoder *d)
{
	struct flow_exporter **oldest = NULL;
	for (size_t b = 0; b < FLOW_EXPORTER_BUCKETS; b++)
		for (struct flow_exporter **e = &d->buckets[b]; *e != NULL; e = &(*e)->next)
			if (oldest == NULL || (*e)->used_ms < (*oldest)->used_ms)
				oldest = e;
	if (oldest != NULL)
		forget_exporter(d, oldest);
	d->stats.exporters_evicted++;
}

static struct flow_exporter *exporter_of(struct flow_decoder *d, const struct ip_addr *a)
{
	struct flow_exporter **bucket = bucket_of(d, a), *e;
	for (e = *bucket; e != NULL; e = e->next)
		if (ip_equal(&e->addr, a))
			return e;
	if (d->stats.exporters >= d->limits.exporters)
		evict_exporter(d);
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->addr = *a;
	e->next = *bucket;
	*bucket = e;
	d->stats.exporters++;
	return e;
}

/* The list is in the order of use. */
static void evict_stream(struct flow_decoder *d, struct flow_exporter *e)
{
	struct flow_stream **last = &e->streams;
	must(*last != NULL);
	while ((*last)->next != NULL)
		last = &(*last)->next;
	forget_stream(d, last);
	d->stats.exporters_evicted++;
}

static struct flow_stream *new_stream(struct flow_decoder *d, struct flow_exporter *e,
                                      const struct flow_source *source)
{
	if (e->domains >= d->limits.domains)
		evict_stream(d, e);
	struct flow_stream *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->source = *source;
	s->exporter = e;
	e->domains++;
	d->stats.domains++;
	return s;
}

static bool same_source(const struct flow_source *a, const struct flow_source *b)
{
	return a->domain == b->domain && a->protocol == b->protocol &&
	       ip_equal(&a->agent, &b->agent);
}

struct flow_stream *flow_stream_of(struct flow_datagram *g, enum flow_protocol protocol,
                                   const struct ip_addr *agent, uint32_t domain)
{
	const struct flow_source source = { .exporter = *g->exporter,
		                            .agent = agent != NULL ? *agent : *g->exporter,
		                            .protocol = protocol,
		                            .domain = domain };
	struct flow_exporter *e = exporter_of(g->d, g->exporter);
	if (e == NULL)
		return NULL;
	struct flow_stream **at = &e->streams, *s;
	while (*at != NULL && !same_source(&(*at)->source, &source))
		at = &(*at)->next;
	s = *at;
	if (s != NULL)
		*at = s->next;
	else if ((s = new_stream(g->d, e, &source)) == NULL)
		return NULL;
	s->next = e->streams;
	e->streams = s;
	s->used_ms = e->used_ms = g->now_ms;
	return s;
}

static void expire_templates(struct flow_decoder *d, struct flow_exporter *e, int64_t now_ms)
{
	for (struct flow_stream *s = e->streams; s != NULL; s = s->next)
		flow_templates_expire(d, s, now_ms);
}

void flow_sweep(struct flow_decoder *d, int64_t now_ms)
{
	for (size_t b = 0; b < FLOW_EXPORTER_BUCKETS; b++)
		for (struct flow_exporter **e = &d->buckets[b]; *e != NULL;) {
			expire_templates(d, *e, now_ms);
			if (now_ms - (*e)->used_ms > d->limits.idle_ms)
				forget_exporter(d, e);
			else
				e = &(*e)->next;
		}
}

void flow_forget_all(struct flow_decoder *d)
{
	for (size_t b = 0; b < FLOW_EXPORTER_BUCKETS; b++)
		while (d->buckets[b] != NULL)
			forget_exporter(d, &d->buckets[b]);
}
