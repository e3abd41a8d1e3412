/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How an exporter samples: in the record itself, or said once in an options record about a sampler, an
 * interface or the whole domain. The nearest of them counts.
 */

#include "common/codec/flow/decoder.h"
#include "common/codec/flow/template.h"

/* Learns from an options record; `v` has what `t->has` says. */
void flow_sampling_learn(struct flow_datagram *g, const struct flow_template *t, const uint64_t *v);

/* The rate of a record of an exporter that says more than one for all. */
struct flow_rate flow_sampling_among(const struct flow_datagram *g, const struct flow_template *t,
                                     const uint64_t *v);

/* The rate of a record. */
static inline struct flow_rate flow_sampling_of(const struct flow_datagram *g,
                                                const struct flow_template *t, const uint64_t *v)
{
	const uint64_t says =
		flow_bit(FLOW_INTERVAL) | flow_bit(FLOW_CONSECUTIVE) | flow_bit(FLOW_SIZE);
	if (g->stream->rates.count == 0 && g->stream->rate.of == 0 && !(t->has & says))
		return (struct flow_rate){ .of = g->d->limits.sampling, .taken = 1 };
	return flow_sampling_among(g, t, v);
}
