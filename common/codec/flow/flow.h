/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flow exports: datagrams of routers to records of what went from where to where.
 *
 * NetFlow v5, NetFlow v9 (RFC 3954), IPFIX (RFC 7011, with the reverse counters of RFC 5103) and
 * sFlow v5 (sflow.org), told apart by their first bytes, so that one port serves them all.
 *
 * The decoder keeps what an exporter said once and means for later: templates, sampling rates,
 * sequence numbers. That memory is bounded (struct flow_limits); nothing is allocated for a record.
 *
 * Ownership: the decoder owns what it keeps; a record belongs to the decoder and is gone when the call
 * of the sink returns. Threading: one thread at a time; exporters may be spread over decoders, as long
 * as one exporter always meets the same.
 *
 * Pure: no clock; `now_ms` is unix time in milliseconds and the only time there is.
 */

#include "common/ip/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flow_protocol { FLOW_NETFLOW5, FLOW_NETFLOW9, FLOW_IPFIX, FLOW_SFLOW5, FLOW_PROTOCOLS };

/* "netflow5", "netflow9", "ipfix", "sflow5": for metrics and logs. */
const char *flow_protocol_name(enum flow_protocol p);

/* Who says it. */
struct flow_source {
	struct ip_addr exporter; /* sender of the datagram */
	struct ip_addr agent;    /* sFlow: the address the agent gives itself; else the exporter */
	enum flow_protocol protocol;
	uint32_t domain; /* v5 engine, v9 source id, IPFIX observation domain, sFlow sub-agent */
};

/* What went one way. Counters are those of the exporter times the sampling rate, saturating. */
struct flow_record {
	struct ip_addr from, to;     /* IP_NONE: not exported (or no IP packet) */
	uint16_t from_port, to_port; /* 0: unknown, or the protocol has none */
	uint8_t protocol;            /* IANA number */
	/* Metered where it leaves the exporter, else where it enters. Never when it enters and leaves
	 * by the same interface, or nobody knows by which: softflowd goes by the order of addresses. */
	bool egress;
	bool link_bytes; /* `bytes` count link-layer headers: only layer-2 octets were exported */
	uint32_t in_if, out_if;  /* ifIndex; 0: unknown */
	uint64_t bytes, packets; /* IP bytes; packets 0: not exported */
	uint32_t sampling;       /* one of so many was counted, rounded; 1: all of them */
	int64_t first_ms,
		last_ms; /* unix, first <= last; both `now_ms` when the exporter did not say.
	                              As its clock says: it may be wrong */
	int64_t sent_ms; /* of the export, by the same clock; `now_ms` of sFlow, which says none */
	uint32_t from_asn, to_asn; /* 0: unknown */
};

/* What an interface has counted since its exporter started (sFlow's generic interface counters). */
struct flow_counter {
	uint32_t ifindex;
	uint64_t in_bytes, out_bytes;     /* link layer */
	uint64_t in_packets, out_packets; /* kinds that were not counted are left out */
	uint64_t speed_bps;               /* 0: unknown */
	uint32_t uptime_ms,
		sequence; /* smaller than last time: the counters began again, or wrapped */
	int64_t at_ms;    /* now_ms */
};

/* Where it goes. Any call may be NULL. They must not call the decoder. */
struct flow_sink {
	void *ctx;
	void (*record)(void *ctx, const struct flow_source *from, const struct flow_record *r);
	void (*counter)(void *ctx, const struct flow_source *from, const struct flow_counter *c);
	/* Exports that got lost on the way, found with this datagram: flows (v5), data records (IPFIX) or
	 * datagrams (v9, sFlow). Told late, when those that only overtook each other had time to come. */
	void (*gap)(void *ctx, const struct flow_source *from, uint64_t lost);
};

/* 0 is the default of each. */
struct flow_limits {
	uint32_t exporters; /* 1024; the one that was silent longest makes room */
	uint32_t domains;   /* 64 of one exporter; likewise */
	uint32_t templates; /* 512 of one exporter; the one unused longest makes room */
	uint32_t fields;    /* 256 in one template; longer ones are refused */
	uint32_t idle_ms;   /* 30 min: a template neither sent nor used for so long is forgotten, an
	                       exporter silent for so long, too */
	uint32_t sampling;  /* 1: one of so many, where the exporter never said how it samples */
};

struct flow_decoder;

struct flow_decoder *flow_decoder_new(const struct flow_limits *limits); /* NULL: no memory */
void flow_decoder_free(struct flow_decoder *d);                          /* NULL is fine */

/*
 * Decodes one datagram of `exporter` into calls of `sink`. ERR_NOT_FOUND: no protocol we know.
 * ERR_TRUNCATED, ERR_MALFORMED: *f (NULL is allowed) says where; what stood before the fault was
 * delivered and counts. ERR_NOMEM: likewise. Sets without their template are no fault, but counted.
 */
enum err flow_decode(struct flow_decoder *d, const struct ip_addr *exporter, const void *datagram,
                     size_t size, int64_t now_ms, const struct flow_sink *sink,
                     struct fault *f) must_check;

/* Since flow_decoder_new(), but for the gauges. */
struct flow_stats {
	struct flow_protocol_stats {
		uint64_t datagrams;
		uint64_t malformed; /* of them */
		uint64_t records;   /* delivered */
		uint64_t lost;      /* flows (v5), data records (IPFIX), datagrams (v9, sFlow) */
		uint64_t resets;    /* sequences that began again */
		uint64_t late;      /* datagrams that others had overtaken, or that came twice */
	} of[FLOW_PROTOCOLS];
	uint64_t unknown;         /* datagrams of no protocol we know */
	uint64_t counters;        /* interface counters delivered */
	uint64_t options;         /* options records read */
	uint64_t other;           /* records that count no bytes: events, log lines, statistics */
	uint64_t before_template; /* data sets whose template is not known (yet, or any more) */
	uint64_t learnt;          /* templates that were new or different */
	uint64_t refused; /* templates with too many fields, none, or records without length */
	uint64_t withdrawn, expired;
	uint64_t evicted;                       /* templates that made room */
	uint64_t exporters_evicted;             /* or one of their domains */
	uint64_t samples_dropped;               /* sFlow: samples the agent says it had to drop */
	uint64_t samples_lost, samples_late;    /* sFlow: numbers missing of a data source's, and
	                                        those that came too late to be missed */
	uint64_t samples_skipped;               /* sFlow: kinds of samples we do not know */
	uint32_t exporters, domains, templates; /* gauges */
};
struct flow_stats flow_decoder_stats(const struct flow_decoder *d);
