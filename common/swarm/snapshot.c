/* SPDX-License-Identifier: Apache-2.0 */
#include "common/swarm/swarm.h"

#include "common/swarm/store.h"

/*
 * The format, all numbers big-endian:
 *
 *   shard  "P4SW" version:u32 swarms:u32, then the swarms
 *   swarm  info_hash:20 snatches:u32 peers:u32, then the peers
 *   peer   identity:u64 seconds_left:u32 flags:u8 port:u16 peer_id:20 address:4 or 16
 *   flags  role:2 (low bits), snatched:1, IPv6:1; the rest is zero
 *
 * No checksum: the file around it has one.
 */
enum { MAGIC = 0x50345357, VERSION = 1 };
enum { FLAG_ROLE = 3, FLAG_SNATCHED = 4, FLAG_V6 = 8, FLAGS_ALL = 15 };
enum { PEER_BYTES_MAX = 8 + 4 + 1 + 2 + PEER_ID_SIZE + 16 };

static void add_u32(struct text *out, uint32_t v)
{
	v = htobe32(v);
	text_add(out, &v, sizeof(v));
}

static void export_peer(const struct swarm *w, const struct spot *at, uint32_t now,
                        struct text *out)
{
	const struct swarm_peer p = crowd_get(w, at);
	uint8_t bytes[PEER_BYTES_MAX];
	struct writer to = writer_over(bytes, sizeof(bytes));
	writer_u64(&to, p.identity);
	writer_u32(&to, p.expires > now ? p.expires - now : 0);
	writer_u8(&to, (uint8_t)(p.role | (crowd_peer(w, at)->snatched ? FLAG_SNATCHED : 0) |
	                         (p.addr.family == IP_V6 ? FLAG_V6 : 0)));
	writer_u16(&to, p.port);
	writer_bytes(&to, p.peer_id, sizeof(p.peer_id));
	writer_bytes(&to, p.addr.bytes, ip_size(&p.addr));
	text_add(out, bytes, writer_size(&to));
}

static void export_swarm(const struct swarm *w, uint32_t now, struct text *out)
{
	text_add(out, w->info_hash, sizeof(w->info_hash));
	add_u32(out, w->snatches);
	add_u32(out, crowd_size(w));
	struct spot at;
	for (at.side = 0; at.side < SIDES; at.side++) {
		const struct side *s = w->sides[at.side];
		for (at.bucket = 0; s != NULL && at.bucket < s->n_buckets; at.bucket++)
			for (at.position = 0; at.position < bucket_size(&s->buckets[at.bucket]);
			     at.position++)
				export_peer(w, &at, now, out);
	}
}

void swarm_export(struct swarm_store *s, unsigned shard_number, uint32_t now, struct text *out)
{
	struct swarm_shard *shard = &s->shards[shard_number];
	must(pthread_mutex_lock(&shard->lock) == 0);
	add_u32(out, MAGIC);
	add_u32(out, VERSION);
	add_u32(out, shard->used);
	for (uint32_t i = 0; i <= shard->mask; i++)
		if (shard->slots[i].swarm != NULL)
			export_swarm(shard->slots[i].swarm, now, out);
	must(pthread_mutex_unlock(&shard->lock) == 0);
}

static enum err import_peer(struct swarm_visit *v, struct reader *r, uint32_t now)
{
	struct swarm_peer p = { .identity = reader_u64(r) };
	const uint32_t left = reader_u32(r);
	p.expires = left < INT32_MAX - now ? now + left : INT32_MAX;
	const uint8_t flags = reader_u8(r);
	p.role = flags & FLAG_ROLE;
	p.port = reader_u16(r);
	reader_copy(r, p.peer_id, sizeof(p.peer_id));
	const size_t size = flags & FLAG_V6 ? 16 : 4;
	const uint8_t *addr = reader_take(r, size);
	if (addr == NULL)
		return ERR_TRUNCATED;
	p.addr = ip_from_bytes(addr, size);
	/* A mapped address would be IPv4 to us, and no IPv6 peer. */
	if (flags > FLAGS_ALL || p.role > SWARM_PARTIAL || ip_size(&p.addr) != size)
		return ERR_MALFORMED;
	struct swarm_change change;
	const enum err e = swarm_put(v, &p, false, &change);
	struct spot at;
	if (e == ERR_OK && flags & FLAG_SNATCHED && crowd_find(v->swarm, p.identity, &at))
		crowd_peer(v->swarm, &at)->snatched = 1;
	return e;
}

static enum err import_swarm(struct swarm_store *s, struct reader *r, uint32_t now)
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
	v.swarm->map_number = 0;
	for (uint32_t i = 0; e == ERR_OK && i < peers; i++)
		e = import_peer(&v, r, now);
	if (v.swarm->snatches < snatches)
		v.swarm->snatches = snatches;
	swarm_leave(&v);
	return e;
}

enum err swarm_import(struct swarm_store *s, struct reader *r, uint32_t now)
{
	const uint32_t magic = reader_u32(r), version = reader_u32(r), swarms = reader_u32(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (magic != MAGIC || version != VERSION)
		return ERR_MALFORMED;
	enum err e = ERR_OK;
	for (uint32_t i = 0; e == ERR_OK && i < swarms; i++)
		e = import_swarm(s, r, now);
	return e;
}
