/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A tracker without sockets for the tests of server/tracker: real swarms, maps, steering and
 * counters; accounting and geo are doubles that remember and pretend.
 */

#include "tests/unit/address.h"

#include "common/base/cursor.h"
#include "common/codec/udp_tracker.h"
#include "server/tracker/worker.h"

#include <stdlib.h>
#include <string.h>

/* ---- doubles ---- */

struct accounting_slot {
	bool inside;                      /* between enter and leave */
	uint64_t near_client, near_swarm; /* what it was told to bring nearer */
	unsigned n_notes, n_handed;
	struct announce announce; /* of the last note */
	struct ip_addr from;
	uint32_t place, up_kbps;
	uint64_t client, swarm;
	bool known;
	uint32_t silent;
	struct accounting_progress progress;        /* what it knows of whoever announces */
	struct accounting_handed handed[PEERS_MAX]; /* since the last note */
};

static struct accounting_slot account_book[4];

struct accounting_slot *accounting_slot(struct accounting *a, unsigned i)
{
	(void)a;
	return &account_book[i];
}

void accounting_enter(struct accounting_slot *s, const struct map_lease *lease)
{
	(void)lease;
	assert_false(s->inside);
	s->inside = true;
}

void accounting_leave(struct accounting_slot *s)
{
	assert_true(s->inside);
	s->inside = false;
}

void accounting_prefetch(const struct accounting_slot *s, uint64_t client, uint64_t swarm)
{
	struct accounting_slot *slot = &account_book[s - account_book];
	slot->near_client = client;
	slot->near_swarm = swarm;
}

static uint64_t account_privates[4];
static size_t account_n_privates;

enum err accounting_private(struct accounting *a, const uint64_t *swarms, size_t n)
{
	(void)a;
	assert_true(n <= 4);
	memcpy(account_privates, swarms, n * sizeof(*swarms));
	account_n_privates = n;
	return ERR_OK;
}

struct accounting_progress accounting_note(struct accounting_slot *s,
                                           const struct accounting_announce *a)
{
	assert_true(s->inside);
	assert_int_equal(s->near_client, a->client); /* else it waits for the wrong memory */
	assert_int_equal(s->near_swarm, a->swarm);
	s->n_notes++;
	s->n_handed = 0;
	s->announce = *a->announce;
	s->from = *a->from;
	s->place = a->place;
	s->up_kbps = a->up_kbps;
	s->client = a->client;
	s->swarm = a->swarm;
	s->known = a->known;
	s->silent = a->silent;
	return s->progress;
}

bool accounting_wants_handed(struct accounting_slot *s)
{
	assert_true(s->inside);
	return true;
}

void accounting_handed(struct accounting_slot *s, const struct accounting_handed *list, size_t n)
{
	assert_true(s->inside);
	for (size_t i = 0; i < n; i++) {
		assert_true(list[i].count <= list[i].candidates && list[i].count > 0);
		s->handed[s->n_handed++] = list[i];
	}
}

/* 198.51.100.0/24 is AS 64801, 203.0.113.0/24 is AS 64802. */
uint32_t geo_asn(const struct geo *g, const struct ip_addr *a)
{
	(void)g;
	if (a->family != IP_V4)
		return 0;
	return ip_v4_number(a) >> 8 == 0xc63364   ? 64801
	       : ip_v4_number(a) >> 8 == 0xcb0071 ? 64802
	                                          : 0;
}

/* ---- the house ---- */

enum { UDP_WORKERS = 2, WORKERS = 3 };

struct house {
	struct swarm_store *swarms;
	struct bridge_store *bridges;
	struct map_office *office;
	struct metrics *metrics;
	struct tracker *tracker;
	struct tracker_settings settings;
	uint64_t now; /* seconds */
};

static const struct tracker_settings usual = {
	.rules = { .policy = STEER_P4P, .intra_pid_percent = 70, .intra_provider_percent = 80 },
	.max_peers = 100,
	.default_peers = 50,
	.interval = 200,
	.min_interval = 60,
	.peer_timeout = 300,
	.connection_seconds = 120,
	.lab = true,
};

static inline struct house *house_new(const struct tracker_settings *settings)
{
	struct house *h = calloc(1, sizeof(*h));
	assert_non_null(h);
	const struct swarm_options swarms = { .shards = 4, .max_swarms = 400, .max_peers = 4000 };
	memset(account_book, 0, sizeof(account_book));
	h->settings = *settings;
	h->now = 1000;
	h->swarms = swarm_store_new(&swarms);
	h->bridges = bridge_store_new(swarms.shards, 1 << 20);
	h->office = map_office_new(snapshot_free);
	h->metrics = metrics_new(WORKERS);
	const struct tracker_options o = { .workers = WORKERS,
		                           .udp_workers = UDP_WORKERS,
		                           .swarms = h->swarms,
		                           .bridges = h->bridges,
		                           .office = h->office,
		                           .geo = (struct geo *)h,
		                           .accounting = (struct accounting *)h,
		                           .metrics = h->metrics,
		                           .secret = "a secret of thirty-two bytes...." };
	assert_int_equal(tracker_new(&o, settings, &h->tracker), ERR_OK);
	return h;
}

static inline void house_free(struct house *h)
{
	tracker_free(h->tracker);
	metrics_free(h->metrics);
	map_office_free(h->office);
	swarm_store_free(h->swarms);
	bridge_store_free(h->bridges);
	free(h);
}

/* Only these may be announced from now on. */
static inline void house_list(struct house *h, const void *hashes, size_t n)
{
	const struct tracker_access access = { .allowed = hashes, .n_allowed = n };
	assert_int_equal(tracker_access(h->tracker, &access), ERR_OK);
}

static inline uint64_t counted(const struct house *h, enum metrics_counter id)
{
	return metrics_sum(h->metrics, id);
}

/* ---- the map: isp-a in two metros and a place that never uploads, isp-b, and two strangers ---- */

static inline void house_publish(struct house *h, bool with_west)
{
	struct ip_prefix prefix[5];
	static const char *const texts[] = { "10.1.0.0/16", "2001:db8:1::/48", "10.2.0.0/16",
		                             "10.9.0.0/16", "10.3.0.0/16" };
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(ip_prefix_parse(texts[i], &prefix[i]), ERR_OK);
	struct map_pid a_pids[] = {
		{ .name = "a-east",
		  .prefixes = &prefix[0],
		  .n_prefixes = 2,
		  .subscriber_up_kbps = 20000 },
		{ .name = "a-never",
		  .prefixes = &prefix[3],
		  .n_prefixes = 1,
		  .uploads = UPLOADS_NEVER },
		{ .name = "a-west", .prefixes = &prefix[2], .n_prefixes = 1 },
	};
	struct map_pid b_pids[] = { { .name = "b-1", .prefixes = &prefix[4], .n_prefixes = 1 } };
	struct map_interconnect a_edges[] = {
		{ .id = "a-b",
		  .pid = "a-east",
		  .neighbor_asn = 64501,
		  .relation = RELATION_TRANSIT },
		{ .id = "a-1",
		  .pid = "a-east",
		  .neighbor_asn = 64801,
		  .relation = RELATION_TRANSIT },
		{ .id = "a-2",
		  .pid = "a-east",
		  .neighbor_asn = 64802,
		  .relation = RELATION_TRANSIT },
	};
	struct map_interconnect b_edges[] = {
		{ .id = "b-a", .pid = "b-1", .neighbor_asn = 64500, .relation = RELATION_TRANSIT },
	};
	/* Bytes from 64801 and to 64802 are cheap. */
	struct map_interconnect_cost costs[] = { { "a-1", 1000000, 1 }, { "a-2", 1, 1000000 } };
	uint32_t a_asns[] = { 64500 }, b_asns[] = { 64501 };
	const struct map_costs a_costs = { "isp-a", NULL, 0, costs, 2 };
	const struct map_topology a = { .provider = "isp-a",
		                        .asns = a_asns,
		                        .n_asns = 1,
		                        .pids = a_pids,
		                        .n_pids = with_west ? 3 : 2,
		                        .interconnects = a_edges,
		                        .n_interconnects = 3 };
	const struct map_topology b = { .provider = "isp-b",
		                        .asns = b_asns,
		                        .n_asns = 1,
		                        .pids = b_pids,
		                        .n_pids = 1,
		                        .interconnects = b_edges,
		                        .n_interconnects = 1 };
	const struct map_source sources[] = { { &a, &a_costs }, { &b, NULL } };
	struct map_snapshot *map;
	assert_int_equal(map_compile(sources, 2, &map, NULL), ERR_OK);
	assert_int_equal(map_publish(h->office, map), ERR_OK);
}

/* ---- UDP ---- */

struct datagram {
	uint8_t bytes[NET_DATAGRAM_MAX];
	size_t size;
};

static inline struct datagram udp_from(struct house *h, unsigned worker, const char *from,
                                       const void *in, size_t size)
{
	struct datagram out = { .size = 0 };
	struct net_datagram d = { .in = in,
		                  .in_size = size,
		                  .from = address(from),
		                  .from_port = 9999,
		                  .out = out.bytes };
	tracker_udp(h->tracker, worker, h->now * 1000, &d, 1);
	out.size = d.out_size;
	assert_true(out.size <= UDP_REPLY_MAX);
	return out;
}

static inline uint64_t udp_connect(struct house *h, const char *from)
{
	uint8_t p[UDP_CONNECT_SIZE];
	struct writer w = writer_over(p, sizeof(p));
	writer_u64(&w, 0x41727101980);
	writer_u32(&w, UDP_CONNECT);
	writer_u32(&w, 77);
	const struct datagram d = udp_from(h, 0, from, p, sizeof(p));
	struct reader r = reader_over(d.bytes, d.size);
	assert_int_equal(reader_u32(&r), UDP_CONNECT);
	assert_int_equal(reader_u32(&r), 77);
	const uint64_t id = reader_u64(&r);
	assert_false(r.bad);
	assert_int_equal(d.size, 16);
	return id;
}

/* An announce in short; what a row leaves out is zero. */
struct say {
	const char *ip;
	uint16_t port;
	uint64_t left;
	enum peer_event event;
	int32_t want;
	uint32_t key;
	uint8_t hash, peer; /* first bytes of info_hash and peer_id */
	unsigned worker;
};

static inline size_t udp_announce_packet(const struct say *s, uint64_t id,
                                         uint8_t out[static UDP_ANNOUNCE_SIZE])
{
	uint8_t hash[INFO_HASH_SIZE] = { s->hash }, peer[PEER_ID_SIZE] = { s->peer };
	struct writer w = writer_over(out, UDP_ANNOUNCE_SIZE);
	writer_u64(&w, id);
	writer_u32(&w, UDP_ANNOUNCE);
	writer_u32(&w, 4711);
	writer_bytes(&w, hash, sizeof(hash));
	writer_bytes(&w, peer, sizeof(peer));
	writer_u64(&w, 5000); /* downloaded */
	writer_u64(&w, s->left);
	writer_u64(&w, 6000); /* uploaded */
	writer_u32(&w, s->event);
	writer_u32(&w, 0x01020304); /* an address we must not believe */
	writer_u32(&w, s->key);
	writer_u32(&w, (uint32_t)s->want);
	writer_u16(&w, s->port);
	assert_int_equal(writer_size(&w), UDP_ANNOUNCE_SIZE);
	return UDP_ANNOUNCE_SIZE;
}

struct heard {
	uint32_t interval, leechers, seeders;
	size_t n;
	struct ip_addr addr[PEERS_MAX];
	uint16_t port[PEERS_MAX];
};

static inline struct heard udp_announce(struct house *h, const struct say *s)
{
	uint8_t p[UDP_ANNOUNCE_SIZE];
	struct heard heard = { .n = 0 };
	const size_t address_size = strchr(s->ip, ':') != NULL ? 16 : 4;
	(void)udp_announce_packet(s, udp_connect(h, s->ip), p);
	const struct datagram d = udp_from(h, s->worker, s->ip, p, sizeof(p));
	struct reader r = reader_over(d.bytes, d.size);
	assert_int_equal(reader_u32(&r), UDP_ANNOUNCE);
	assert_int_equal(reader_u32(&r), 4711);
	heard.interval = reader_u32(&r);
	heard.leechers = reader_u32(&r);
	heard.seeders = reader_u32(&r);
	for (; reader_left(&r) > 0; heard.n++) {
		const uint8_t *bytes = reader_take(&r, address_size);
		assert_non_null(bytes);
		heard.addr[heard.n] = ip_from_bytes(bytes, address_size);
		heard.port[heard.n] = reader_u16(&r);
	}
	assert_false(r.bad);
	return heard;
}

/* `n` peers PREFIX.0 .. PREFIX.(n-1), all with a key of their own, ports from 1000 on. */
static inline void udp_crowd(struct house *h, const char *prefix, unsigned n, uint64_t left)
{
	for (unsigned i = 0; i < n; i++) {
		char ip[IP_TEXT_SIZE];
		(void)snprintf(ip, sizeof(ip), "%s%u", prefix, i);
		(void)udp_announce(h, &(struct say){ .ip = ip,
		                                     .port = (uint16_t)(1000 + i),
		                                     .left = left,
		                                     .hash = 1 });
	}
}

static inline size_t heard_under(const struct heard *heard, const char *prefix)
{
	struct ip_prefix p;
	size_t n = 0;
	assert_int_equal(ip_prefix_parse(prefix, &p), ERR_OK);
	for (size_t i = 0; i < heard->n; i++)
		n += ip_prefix_has(&p, &heard->addr[i]);
	return n;
}
