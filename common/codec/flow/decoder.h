/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of this folder share: who exports, and one datagram on its way through. */

#include "common/base/cursor.h"
#include "common/codec/flow/flow.h"
#include "common/codec/flow/notes.h"
#include "common/codec/flow/sequence.h"

/* `taken` of `of` were counted; `of` is 0 when nobody said. */
struct flow_rate {
	uint32_t of, taken;
};

enum { FLOW_TEMPLATE_BUCKETS = 16, FLOW_EXPORTER_BUCKETS = 256 };

/* The year 9999: later times are nonsense. */
#define FLOW_TIME_MAX UINT64_C(253402300800000)

/* What one domain of one exporter said in one protocol. */
struct flow_stream {
	struct flow_stream *next; /* of its exporter, last used first */
	struct flow_exporter *exporter;
	struct flow_source source;
	struct flow_sequence sequence;
	int64_t used_ms;
	/* NetFlow v9 and IPFIX */
	struct flow_template *templates[FLOW_TEMPLATE_BUCKETS];
	struct flow_notes rates;        /* by sampler and by interface */
	struct flow_rate rate;          /* of the whole domain */
	struct flow_rate selector_rate; /* the last of a sampler; counts when there is but one */
	uint32_t selectors;
	uint64_t start_ms; /* of the exporter, unix; 0: unknown */
	/* sFlow */
	struct flow_notes sources;
};

struct flow_exporter {
	struct flow_exporter *next; /* in its bucket */
	struct flow_stream *streams;
	struct ip_addr addr;
	uint32_t domains, templates;
	int64_t used_ms;
};

struct flow_decoder {
	struct flow_limits limits;
	struct flow_stats stats;
	struct flow_exporter *buckets[FLOW_EXPORTER_BUCKETS];
	int64_t swept_ms;
};

/* One datagram. */
struct flow_datagram {
	struct flow_decoder *d;
	const struct flow_sink *sink;
	const struct ip_addr *exporter;
	struct flow_stream *stream;
	struct reader all;
	const uint8_t *start;
	struct fault *fault;
	int64_t now_ms;
	int64_t export_ms; /* its header's time, unix */
	uint32_t uptime;   /* its header's, in ms; v5 and v9 */
	uint32_t records;  /* data records read so far; v9 and IPFIX */
	bool uncounted;    /* some were not: their template is missing */
};

/* The stream of `agent` (NULL: the exporter itself); NULL when out of memory. */
struct flow_stream *flow_stream_of(struct flow_datagram *g, enum flow_protocol protocol,
                                   const struct ip_addr *agent, uint32_t domain) must_check;

/* Forgets who was silent too long. */
void flow_sweep(struct flow_decoder *d, int64_t now_ms);
void flow_forget_all(struct flow_decoder *d);

/* Scales and delivers. */
void flow_deliver(struct flow_datagram *g, struct flow_record *r, struct flow_rate rate);

/* Judges the sequence number of a datagram. */
void flow_heard_sequence(struct flow_datagram *g, struct flow_window w, uint32_t at,
                         uint32_t count);

/* A fault at `at` in the datagram. */
enum err flow_fault(const struct flow_datagram *g, enum err code, const uint8_t *at,
                    const char *text);

/* Milliseconds since the exporter started, as its header has them, to unix. */
static inline int64_t flow_since_start(const struct flow_datagram *g, uint32_t uptime)
{
	/* Of 32 bits: wraps every 49 days, and may be a little after the header was made. */
	return g->export_ms - (int32_t)(g->uptime - uptime);
}

/* Whether nothing but zeros is left. */
static inline bool flow_only_zeros(struct reader r)
{
	while (reader_left(&r) > 0 && *r.at == 0)
		r.at++;
	return reader_left(&r) == 0;
}

/* The protocols; each begins with its version, which is still to be read. */
enum err flow_netflow5(struct flow_datagram *g) must_check;
enum err flow_netflow9(struct flow_datagram *g) must_check;
enum err flow_ipfix(struct flow_datagram *g) must_check;
enum err flow_sflow5(struct flow_datagram *g) must_check;
