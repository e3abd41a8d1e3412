/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/packet.h"

#include "common/base/cursor.h"
#include "common/base/random.h"

#include <string.h>

static void write_announce(const struct population *p, const struct request *r, struct writer *w)
{
	const struct client *c = &p->clients[r->client];
	const uint64_t chunk = 1 << 20; /* moved since the last announce */
	const uint64_t moved = p->options->bytes ? c->announces * chunk : 0;
	const uint64_t want = p->options->want;
	uint8_t peer_id[PEER_ID_SIZE] = "-P40001-";
	uint64_t id[2] = { htobe64(r->client), htobe64(p->options->seed) };
	memcpy(peer_id + 8, id, 12);

	writer_bytes(w, p->hashes[c->swarm], INFO_HASH_SIZE);
	writer_bytes(w, peer_id, sizeof(peer_id));
	writer_u64(w, c->seeder ? 0 : moved);
	writer_u64(w, c->seeder ? 0 : UINT32_MAX); /* a leecher never gets done */
	writer_u64(w, moved);
	writer_u32(w, c->announces == 0 ? EVENT_STARTED : EVENT_NONE);
	writer_u32(w, 0);
	writer_u32(w, (uint32_t)random_mix(p->options->seed ^ (uint64_t)r->client << 32));
	writer_u32(w, want > INT32_MAX ? UINT32_MAX : (uint32_t)want);
	writer_u16(w, population_port(p, r->client));
}

size_t packet_write(const struct population *p, const struct request *r, void *out)
{
	static const uint64_t magic = 0x41727101980;
	const struct client *c = &p->clients[r->client];
	struct writer w = writer_over(out, REQUEST_MAX);
	writer_u64(&w, r->kind == UDP_CONNECT ? magic : c->connection);
	writer_u32(&w, r->kind);
	writer_u32(&w, r->transaction);
	if (r->kind == UDP_ANNOUNCE)
		write_announce(p, r, &w);
	for (uint32_t i = 0; r->kind == UDP_SCRAPE && i < r->count; i++)
		writer_bytes(&w, p->hashes[(c->swarm + i) % p->n_hashes], INFO_HASH_SIZE);
	return writer_size(&w);
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[REPLY_KINDS_] = {
		"good", "refused", "malformed", "self", "double", "too_many", "stranger",
	};
	return names[v];
}

static enum verdict check_list(struct population *p, const struct request *r, struct reader *list)
{
	enum verdict v = REPLY_GOOD;
	const uint32_t number = ++p->replies;
	while (reader_left(list) > 0) {
		const uint32_t address = reader_u32(list);
		const uint32_t found = population_find(p, address, reader_u16(list));
		if (found == r->client)
			return REPLY_SELF;
		if (found == STRANGER || p->clients[found].swarm != p->clients[r->client].swarm) {
			v = REPLY_STRANGER;
			continue;
		}
		if (p->clients[found].seen == number)
			return REPLY_DOUBLE;
		p->clients[found].seen = number;
	}
	return v;
}

static struct reply check_announce(struct population *p, const struct request *r,
                                   struct reader *body, bool lists)
{
	enum { PEER_SIZE = 6 };
	(void)reader_take(body, 12); /* interval, leechers, seeders */
	if (body->bad || reader_left(body) % PEER_SIZE != 0)
		return (struct reply){ .verdict = REPLY_MALFORMED };

	struct reply reply = { .peers = (uint32_t)(reader_left(body) / PEER_SIZE) };
	if (reply.peers > p->options->want)
		reply.verdict = REPLY_TOO_MANY;
	else if (lists)
		reply.verdict = check_list(p, r, body);
	return reply;
}

struct reply packet_check(struct population *p, const struct request *r, const void *packet,
                          size_t size, bool lists)
{
	struct reply reply = { .verdict = REPLY_MALFORMED };
	struct reader body = reader_over(packet, size);
	const uint32_t action = reader_u32(&body);
	if (reader_u32(&body) != r->transaction || body.bad)
		return reply;
	if (action == UDP_ERROR) {
		reply.verdict = REPLY_REFUSED;
		return reply;
	}
	if (action != r->kind)
		return reply;
	if (r->kind == UDP_ANNOUNCE)
		return check_announce(p, r, &body, lists);
	if (size == (r->kind == UDP_CONNECT ? 16 : 8 + 12 * (size_t)r->count)) {
		reply.verdict = REPLY_GOOD;
		reply.connection = r->kind == UDP_CONNECT ? reader_u64(&body) : 0;
	}
	return reply;
}
