/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds datagrams to a whole tracker: swarms, steering and all. The input is a row of records: who
 * (1 byte), how much later (1 byte, in units of 8 s), size (1 byte), and so many bytes of a datagram.
 * Announces and scrapes get a valid connection id, or the fuzzer would never come past it.
 */
#include "common/codec/udp_tracker.h"
#include "server/tracker/connection.h"
#include "server/tracker/tracker.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t secret[32] = { 42 };

struct house {
	struct swarm_store *swarms;
	struct map_office *office;
	struct metrics *metrics;
	struct tracker *tracker;
};

static struct house open_house(void)
{
	static const struct swarm_options swarms = { .shards = 2,
		                                     .max_swarms = 8,
		                                     .max_peers = 24 };
	static const struct tracker_settings settings = { .rules = { .policy = STEER_P4P },
		                                          .max_peers = 200,
		                                          .default_peers = 50,
		                                          .interval = 1800,
		                                          .peer_timeout = 300,
		                                          .connection_seconds = 120,
		                                          .passkeys = TRACKER_PASSKEYS_OPTIONAL };
	struct house h = { .swarms = swarm_store_new(&swarms),
		           .office = map_office_new(snapshot_free),
		           .metrics = metrics_new(1) };
	struct tracker_options o = { .workers = 1,
		                     .udp_workers = 1,
		                     .swarms = h.swarms,
		                     .office = h.office,
		                     .metrics = h.metrics };
	memcpy(o.secret, secret, sizeof(secret));
	must(tracker_new(&o, &settings, &h.tracker) == ERR_OK);
	return h;
}

/* Sixteen addresses of each family; the first ones are bogons. */
static struct ip_addr sender(uint8_t who)
{
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	if (who < 128)
		return ip_v4((who < 32 ? 0x7f000000U : 0xc0000200U) | (who & 15U));
	struct ip_addr a = ip_from_bytes(v6, sizeof(v6));
	a.bytes[15] = who & 15U;
	return a;
}

static void check_reply(const struct net_datagram *d)
{
	const uint32_t action = d->out_size >= 8 ? d->out[3] : UDP_ERROR + 1U;
	if (d->out_size == 0)
		return;
	must(d->out_size <= UDP_REPLY_MAX && d->in_size >= UDP_CONNECT_SIZE);
	must(memcmp(d->out + 4, d->in + 12, 4) == 0); /* the transaction */
	must(action == d->in[11] || action == UDP_ERROR);
	must(action == UDP_ANNOUNCE || d->out_size <= d->in_size);
	must(action != UDP_ANNOUNCE ||
	     (d->out_size - 20) % (d->from.family == IP_V4 ? 6 : 18) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct house h = open_house();
	struct swarm_sweep sweep = { 0 };
	uint64_t now_ms = 1000000;
	struct reader r = reader_over(data, size);
	while (reader_left(&r) > 3) {
		uint8_t in[256] = { 0 }, out[NET_DATAGRAM_MAX];
		struct net_datagram d = { .in = in, .from_port = 6881, .out = out };
		d.from = sender(reader_u8(&r));
		now_ms += reader_u8(&r) * UINT64_C(8000);
		d.in_size = reader_u8(&r);
		if (d.in_size > reader_left(&r))
			d.in_size = reader_left(&r);
		reader_copy(&r, in, d.in_size);
		if (d.in_size >= UDP_CONNECT_SIZE && in[11] != UDP_CONNECT) {
			struct writer w = writer_over(in, sizeof(uint64_t));
			writer_u64(&w, connection_id(secret, &d.from, (uint32_t)(now_ms / 1000)));
		}
		tracker_udp(h.tracker, 0, now_ms, &d, 1);
		check_reply(&d);
		(void)swarm_sweep(h.swarms, &sweep, (uint32_t)(now_ms / 1000));
	}
	tracker_free(h.tracker);
	metrics_free(h.metrics);
	map_office_free(h.office);
	swarm_store_free(h.swarms);
	return 0;
}
