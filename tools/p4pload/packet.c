/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/packet.h"

#include "common/base/cursor.h"
#include "common/base/random.h"

#include <string.h>

struct statement packet_statement(const struct population *p, const struct request *r)
{
	static const char name[8] = { '-', 'P', '4', '0', '0', '0', '1', '-' };
	const struct options *o = p->options;
	const uint64_t chunk = 1 << 20; /* moved since the last announce */
	const uint64_t id[2] = { htobe64(r->client), htobe64(o->seed) };
	struct statement s = { .moved = o->bytes ? p->clients[r->client].announces * chunk : 0,
		               .left = r->seeder ? 0 : UINT32_MAX };
	if (!o->no_keys)
		s.key = (uint32_t)random_mix(o->seed ^ (uint64_t)r->client << 32);
	memcpy(s.peer_id, name, sizeof(name));
	memcpy(s.peer_id + sizeof(name), id, sizeof(s.peer_id) - sizeof(name));
	return s;
}

static void write_announce(const struct population *p, const struct request *r, struct writer *w)
{
	const struct client *c = &p->clients[r->client];
	const uint64_t want = p->options->want;
	const struct statement s = packet_statement(p, r);
	writer_bytes(w, p->hashes[c->swarm], INFO_HASH_SIZE);
	writer_bytes(w, s.peer_id, sizeof(s.peer_id));
	writer_u64(w, c->born_seeder ? 0 : s.moved);
	writer_u64(w, s.left);
	writer_u64(w, s.moved);
	writer_u32(w, r->event);
	writer_u32(w, 0);
	writer_u32(w, s.key);
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

static void parse_announce(struct reader *body, enum ip_family family, struct answer *a)
{
	const size_t f = family == IP_V6;
	(void)reader_u32(body); /* interval */
	a->leechers = reader_u32(body);
	a->seeders = reader_u32(body);
	a->sizes[f] = reader_left(body);
	a->lists[f] = reader_take(body, a->sizes[f]);
	if (a->sizes[f] % (f == 0 ? 6 : 18) != 0)
		body->bad = true;
}

static void parse_scrape(struct reader *body, uint32_t count, struct answer *a)
{
	for (; a->n_rows < count; a->n_rows++) {
		struct udp_scrape_row *row = &a->rows[a->n_rows];
		row->seeders = reader_u32(body);
		row->completed = reader_u32(body);
		row->leechers = reader_u32(body);
	}
}

struct answer packet_parse(const struct request *r, enum ip_family family, const void *packet,
                           size_t size)
{
	struct answer a = { .shape = REPLY_GOOD };
	struct reader body = reader_over(packet, size);
	const uint32_t action = reader_u32(&body);
	if (reader_u32(&body) != r->transaction || body.bad)
		return (struct answer){ .shape = REPLY_MALFORMED };
	if (action == UDP_ERROR)
		return (struct answer){ .shape = REPLY_REFUSED };
	if (action != r->kind)
		return (struct answer){ .shape = REPLY_MALFORMED };
	if (r->kind == UDP_CONNECT)
		a.connection = reader_u64(&body);
	else if (r->kind == UDP_ANNOUNCE)
		parse_announce(&body, family, &a);
	else
		parse_scrape(&body, r->count, &a);
	if (body.bad || reader_left(&body) > 0)
		return (struct answer){ .shape = REPLY_MALFORMED };
	return a;
}
