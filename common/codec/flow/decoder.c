/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/decoder.h"

#include <stdio.h>
#include <stdlib.h>

enum { SWEEP_MS = 60000 };

const char *flow_protocol_name(enum flow_protocol p)
{
	static const char *const names[] = { [FLOW_NETFLOW5] = "netflow5",
		                             [FLOW_NETFLOW9] = "netflow9",
		                             [FLOW_IPFIX] = "ipfix",
		                             [FLOW_SFLOW5] = "sflow5" };
	must(p < FLOW_PROTOCOLS);
	return names[p];
}

static uint32_t or_default(uint32_t value, uint32_t usual)
{
	return value > 0 ? value : usual;
}

struct flow_decoder *flow_decoder_new(const struct flow_limits *limits)
{
	struct flow_decoder *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->limits = (struct flow_limits){ .exporters = or_default(limits->exporters, 1024),
		                          .domains = or_default(limits->domains, 64),
		                          .templates = or_default(limits->templates, 512),
		                          .fields = or_default(limits->fields, 256),
		                          .idle_ms = or_default(limits->idle_ms, 30 * 60 * 1000),
		                          .sampling = or_default(limits->sampling, 1) };
	return d;
}

void flow_decoder_free(struct flow_decoder *d)
{
	if (d == NULL)
		return;
	flow_forget_all(d);
	must(d->stats.exporters == 0 && d->stats.domains == 0 && d->stats.templates == 0);
	free(d);
}

struct flow_stats flow_decoder_stats(const struct flow_decoder *d)
{
	return d->stats;
}

enum err flow_fault(const struct flow_datagram *g, enum err code, const uint8_t *at,
                    const char *text)
{
	char where[32];
	if (g->fault == NULL)
		return code;
	(void)snprintf(where, sizeof(where), "byte %zu", (size_t)(at - g->start));
	return fault_set(g->fault, code, where, "%s", text);
}

static uint64_t scaled(uint64_t v, struct flow_rate rate)
{
	uint64_t whole;
	if (rate.taken == 1)
		return __builtin_mul_overflow(v, rate.of, &whole) ? UINT64_MAX : whole;
	if (__builtin_mul_overflow(v / rate.taken, rate.of, &whole))
		return UINT64_MAX;
	const uint64_t rest = v % rate.taken * rate.of / rate.taken;
	return whole > UINT64_MAX - rest ? UINT64_MAX : whole + rest;
}

void flow_deliver(struct flow_datagram *g, struct flow_record *r, struct flow_rate rate)
{
	if (rate.of != rate.taken) {
		r->bytes = scaled(r->bytes, rate);
		r->packets = scaled(r->packets, rate);
	}
	r->sampling = rate.of;
	if (rate.taken > 1)
		r->sampling = (uint32_t)(((uint64_t)rate.of + rate.taken / 2) / rate.taken);
	if (r->first_ms > r->last_ms)
		r->first_ms = r->last_ms;
	if (r->in_if == r->out_if)
		r->egress = false;
	r->sent_ms = g->stream->source.protocol == FLOW_SFLOW5 ? g->now_ms : g->export_ms;
	g->d->stats.of[g->stream->source.protocol].records++;
	if (g->sink->record != NULL)
		g->sink->record(g->sink->ctx, &g->stream->source, r);
}

void flow_heard_sequence(struct flow_datagram *g, struct flow_window w, uint32_t at, uint32_t count)
{
	struct flow_protocol_stats *of = &g->d->stats.of[g->stream->source.protocol];
	const struct flow_heard h =
		flow_sequence_hear(&g->stream->sequence, w, at, count, g->now_ms);
	of->lost += h.lost;
	of->resets += h.reset;
	of->late += h.late;
	if (h.lost > 0 && g->sink->gap != NULL)
		g->sink->gap(g->sink->ctx, &g->stream->source, h.lost);
}

/* The first two bytes are a version, but for sFlow, where it is four. */
static enum flow_protocol protocol_of(struct reader r)
{
	switch (reader_u16(&r)) {
	case 0:
		return reader_u16(&r) == 5 ? FLOW_SFLOW5 : FLOW_PROTOCOLS;
	case 5:
		return FLOW_NETFLOW5;
	case 9:
		return FLOW_NETFLOW9;
	case 10:
		return FLOW_IPFIX;
	default:
		return FLOW_PROTOCOLS;
	}
}

/* NOLINTNEXTLINE(readability-function-size): who, what, when and where to, and the fault */
enum err flow_decode(struct flow_decoder *d, const struct ip_addr *exporter, const void *datagram,
                     size_t size, int64_t now_ms, const struct flow_sink *sink, struct fault *f)
{
	static enum err (*const protocols[FLOW_PROTOCOLS])(struct flow_datagram *) = {
		[FLOW_NETFLOW5] = flow_netflow5,
		[FLOW_NETFLOW9] = flow_netflow9,
		[FLOW_IPFIX] = flow_ipfix,
		[FLOW_SFLOW5] = flow_sflow5,
	};
	struct flow_datagram g = { .d = d,
		                   .sink = sink,
		                   .exporter = exporter,
		                   .all = reader_over(datagram, size),
		                   .start = datagram,
		                   .fault = f,
		                   .now_ms = now_ms };
	/* Back as well as on: a clock that was set must not keep the dead for ever. */
	if (now_ms - d->swept_ms > SWEEP_MS || now_ms < d->swept_ms) {
		flow_sweep(d, now_ms);
		d->swept_ms = now_ms;
	}
	const enum flow_protocol p = protocol_of(g.all);
	if (p == FLOW_PROTOCOLS) {
		d->stats.unknown++;
		return flow_fault(&g, ERR_NOT_FOUND, g.start,
		                  "neither NetFlow v5 or v9, nor IPFIX, nor sFlow v5");
	}
	d->stats.of[p].datagrams++;
	const enum err e = protocols[p](&g);
	d->stats.of[p].malformed += e == ERR_TRUNCATED || e == ERR_MALFORMED;
	return e;
}
