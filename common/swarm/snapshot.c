/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/crowd.h"

#include <string.h>

/*
 * The format, all numbers big-endian:
 *
 *   shard  "P4SW" version:u32 swarms:u32, then the swarms
 *   swarm  info_hash:20 snatches:u32 peers:u32, then the peers
 *   peer   flags:u8 tag:u64 seconds_left:u16 address:4 or 16 port:u16, and peer_id:20 if flagged
 *   flags  role:2 (low bits), snatched:1, IPv6:1, peer id:1; the rest is zero
 *
 * A tag stands in the upper bits of its 64, where an identity has it. No checksum: the file around it
 * has one.
 */
enum { MAGIC = 0x50345357, VERSION = 2 };
enum { SAVED_ROLE = 3, SAVED_SNATCHED = 4, SAVED_V6 = 8, SAVED_ID = 16, SAVED_ALL = 31 };
enum { PEER_BYTES_MAX = 1 + 8 + 2 + ENDPOINT_V6 + PEER_ID_SIZE };

static void add_u32(struct text *out, uint32_t v)
{
	v = htobe32(v);
	text_add(out, &v, sizeof(v));
}

struct export
{
	struct swarm_store *store;
	struct swarm_shard *shard;
	struct swarm *swarm;
	uint32_t now;
	struct text *out;
};

static void export_peer(const struct export *x, bool wide, const struct record *r)
{
	const uint8_t *id = NULL;
	if (r->key & FLAG_PEER_ID)
		id = peer_ids_find(&x->shard->ids, store_id_hash(x->store, x->swarm, wide, r));
	const int16_t left = stamp_left(r->stamp, x->now);
	uint8_t bytes[PEER_BYTES_MAX];
	struct writer to = writer_over(bytes, sizeof(bytes));
	writer_u8(&to, (uint8_t)(record_role(r) | (r->key & FLAG_SNATCHED ? SAVED_SNATCHED : 0) |
	                         (wide ? SAVED_V6 : 0) | (id != NULL ? SAVED_ID : 0)));
	writer_u64(&to, key_identity(r->key));
	writer_u16(&to, left > 0 ? (uint16_t)left : 0);
	writer_bytes(&to, r->endpoint, endpoint_size(wide));
	writer_bytes(&to, id, id != NULL ? PEER_ID_SIZE : 0);
	text_add(x->out, bytes, writer_size(&to));
}

static void export_swarm(const struct export *x)
{
	struct swarm *w = x->swarm;
	text_add(x->out, w->info_hash, sizeof(w->info_hash));
	add_u32(x->out, w->snatches);
	add_u32(x->out, swarm_size(x->shard, w));
	const struct sequence *s;
	for (unsigned i = 0; (s = swarm_sequence(x->shard, w, i)) != NULL; i++) {
		for (struct spot at = { 0 }; !sequence_is_end(s, at); at = sequence_next(s, at))
			export_peer(x, s->wide, sequence_record(s, at));
	}
}

void swarm_export(struct swarm_store *s, unsigned shard_number, uint32_t now, struct text *out)
{
	struct swarm_shard *shard = &s->shards[shard_number];
	struct export x = { .store = s, .shard = shard, .now = now, .out = out };
	must(pthread_mutex_lock(&shard->lock) == 0);
	add_u32(out, MAGIC);
	add_u32(out, VERSION);
	add_u32(out, (uint32_t)shard->totals.swarms);
	for (uint32_t i = 0; i < shard->headers; i++) {
		x.swarm = store_header(shard, i);
		if (x.swarm->map_number != HEADER_FREE)
			export_swarm(&x);
	}
	must(pthread_mutex_unlock(&shard->lock) == 0);
}

/* A peer that is not wanted, or whose time ran out meanwhile, is read and left out. */
static enum err import_peer(struct swarm_visit *v, bool wanted, struct reader *r, uint32_t now,
                            uint64_t elapsed)
{
	struct swarm_peer p = { .client.identity = 0 };
	const uint8_t flags = reader_u8(r);
	const size_t size = flags & SAVED_V6 ? 16 : 4;
	p.client.identity = reader_u64(r);
	const uint16_t left = reader_u16(r);
	const uint8_t *addr = reader_take(r, size);
	p.client.port = reader_u16(r);
	p.role = flags & SAVED_ROLE;
	if (flags & SAVED_ID)
		p.peer_id = reader_take(r, PEER_ID_SIZE);
	if (r->bad)
		return ERR_TRUNCATED;
	p.client.addr = ip_from_bytes(addr, size);
	/* A mapped address would be IPv4 to us, and no IPv6 peer. */
	if (flags > SAVED_ALL || p.role > SWARM_PARTIAL || ip_size(&p.client.addr) != size ||
	    left > SWARM_LIFETIME_MAX)
		return ERR_MALFORMED;
	if (!wanted || left < elapsed)
		return ERR_OK;
	p.expires = now + left - (uint32_t)elapsed;
	struct swarm_change change;
	const enum err e = swarm_put(v, &p, false, &change);
	if (e == ERR_BUSY) /* a limit that is lower now */
		return ERR_OK;
	struct spot at;
	if (e == ERR_OK && flags & SAVED_SNATCHED && crowd_find(v->swarm, &p.client, p.role, &at))
		sequence_record(&v->swarm->of[size == 16], at)->key |= FLAG_SNATCHED;
	return e;
}

static enum err import_swarm(struct swarm_store *s, struct reader *r, uint32_t now,
                             uint64_t elapsed)
{
	uint8_t info_hash[INFO_HASH_SIZE];
	reader_copy(r, info_hash, sizeof(info_hash));
	const uint32_t snatches = reader_u32(r), peers = reader_u32(r);
	if (r->bad)
		return ERR_TRUNCATED;
	struct swarm_visit v;
	enum err e = swarm_enter(s, info_hash, true, &v);
	if (e != ERR_OK)
		return e;
	const bool wanted = swarm_size(v.shard, v.swarm) == 0;
	if (wanted)
		v.swarm->map_number = 0;
	for (uint32_t i = 0; e == ERR_OK && i < peers; i++)
		e = import_peer(&v, wanted, r, now, elapsed);
	if (v.swarm->snatches < snatches)
		v.swarm->snatches = snatches;
	swarm_leave(&v);
	return e;
}

enum err swarm_import(struct swarm_store *s, struct reader *r, uint32_t now, uint64_t elapsed)
{
	const uint32_t magic = reader_u32(r), version = reader_u32(r), swarms = reader_u32(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (magic != MAGIC || version != VERSION)
		return ERR_MALFORMED;
	enum err e = ERR_OK;
	for (uint32_t i = 0; e == ERR_OK && i < swarms; i++)
		e = import_swarm(s, r, now, elapsed);
	return e;
}
