/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/udp_tracker.h"

#include "common/base/cursor.h"

#include <string.h>

static const uint64_t connect_magic = 0x41727101980;

enum { HEAD_SIZE = 16, REPLY_HEAD_SIZE = 8, ANNOUNCE_REPLY_SIZE = 20, SCRAPE_ROW_SIZE = 12 };

enum err udp_head_parse(const void *packet, size_t size, struct udp_head *out)
{
	if (size < HEAD_SIZE)
		return ERR_TRUNCATED;

	struct reader r = reader_over(packet, size);
	const uint64_t connection = reader_u64(&r);
	const uint32_t action = reader_u32(&r);
	if (action == UDP_CONNECT && connection != connect_magic)
		return ERR_MALFORMED;
	out->connection = connection;
	out->action = action;
	out->transaction = reader_u32(&r);
	return ERR_OK;
}

/* Clients send events we do not know; they still want peers. */
static enum peer_event event_from_wire(uint32_t event)
{
	return event <= EVENT_PAUSED ? (enum peer_event)event : EVENT_NONE;
}

static int32_t want_from_wire(uint32_t want)
{
	return want <= INT32_MAX ? (int32_t)want : WANT_DEFAULT;
}

/*
 * aria2 (to 1.36 at least) draws another key for each datagram: taken for one, each of its announces
 * would be another client, and the last but one would haunt the swarm until it expires.
 */
static bool key_is_noise(const uint8_t peer_id[static PEER_ID_SIZE])
{
	return peer_id[0] == 'A' && peer_id[1] == '2' && peer_id[2] == '-';
}

enum err udp_announce_parse(const void *packet, size_t size, struct announce *out)
{
	if (size < UDP_ANNOUNCE_SIZE)
		return ERR_TRUNCATED;

	struct reader r = reader_over(packet, UDP_ANNOUNCE_SIZE); /* constant: no check is left */
	(void)reader_take(&r, HEAD_SIZE);
	reader_copy(&r, out->info_hash, sizeof(out->info_hash));
	reader_copy(&r, out->peer_id, sizeof(out->peer_id));
	out->downloaded = reader_u64(&r);
	out->left = reader_u64(&r);
	out->uploaded = reader_u64(&r);
	out->event = event_from_wire(reader_u32(&r));
	(void)reader_u32(&r); /* the address it claims; the socket knows better */
	out->key = reader_u32(&r);
	if (key_is_noise(out->peer_id))
		out->key = 0;
	out->want = want_from_wire(reader_u32(&r));
	out->port = reader_u16(&r);

	out->redundant = 0;
	out->claimed = (struct ip_addr){ .family = IP_NONE };
	out->has_ipv4 = out->has_ipv6 = false;
	out->compact = true;
	out->no_peer_id = false;
	return ERR_OK;
}

size_t udp_announce_url(const void *packet, size_t size, char *out, size_t room)
{
	enum { END_OF_OPTIONS = 0, NOP = 1, URL_DATA = 2 };
	struct reader r = reader_over(packet, size);
	size_t length = 0;

	if (room == 0)
		return 0;
	(void)reader_take(&r, UDP_ANNOUNCE_SIZE);
	while (reader_left(&r) > 0) {
		const uint8_t type = reader_u8(&r);
		if (type == END_OF_OPTIONS)
			break;
		if (type == NOP)
			continue;
		size_t n = reader_u8(&r);
		const uint8_t *data = reader_take(&r, n);
		if (data == NULL)
			break; /* cut off: what came before still counts */
		if (type != URL_DATA)
			continue;
		if (n > room - 1 - length)
			n = room - 1 - length;
		memcpy(out + length, data, n);
		length += n;
	}
	out[length] = '\0';
	return length;
}

enum err udp_scrape_parse(const void *packet, size_t size, const uint8_t **hashes, size_t *count)
{
	const uint8_t *bytes = packet;
	if (size < HEAD_SIZE + INFO_HASH_SIZE)
		return ERR_TRUNCATED;

	const size_t n = (size - HEAD_SIZE) / INFO_HASH_SIZE;
	*hashes = bytes + HEAD_SIZE;
	*count = n <= SCRAPE_MAX ? n : SCRAPE_MAX;
	return n <= SCRAPE_MAX ? ERR_OK : ERR_RANGE;
}

/*
 * Every reply begins with its action and the transaction of its request. Inlined, and with a `room`
 * known at compile time, nothing is left of the cursor but stores (26 ns -> 5 ns an announce).
 */
static inline struct writer reply(void *out, size_t room, enum udp_action action,
                                  uint32_t transaction)
{
	struct writer w = writer_over(out, room);
	writer_u32(&w, action);
	writer_u32(&w, transaction);
	return w;
}

size_t udp_connect_reply(void *out, size_t room, uint32_t transaction, uint64_t connection)
{
	if (room < UDP_CONNECT_SIZE)
		return 0;
	struct writer w = reply(out, UDP_CONNECT_SIZE, UDP_CONNECT, transaction);
	writer_u64(&w, connection);
	return writer_size(&w);
}

size_t udp_announce_reply(void *out, size_t room, const struct udp_announce_answer *answer)
{
	if (room < ANNOUNCE_REPLY_SIZE)
		return 0;
	struct writer w = reply(out, ANNOUNCE_REPLY_SIZE, UDP_ANNOUNCE, answer->transaction);
	writer_u32(&w, answer->interval);
	writer_u32(&w, answer->leechers);
	writer_u32(&w, answer->seeders);
	return writer_size(&w);
}

size_t udp_scrape_reply(void *out, size_t room, uint32_t transaction,
                        const struct udp_scrape_row *rows, size_t count)
{
	if (room < REPLY_HEAD_SIZE || count > (room - REPLY_HEAD_SIZE) / SCRAPE_ROW_SIZE)
		return 0;

	struct writer w = reply(out, room, UDP_SCRAPE, transaction);
	for (size_t i = 0; i < count; i++) {
		writer_u32(&w, rows[i].seeders);
		writer_u32(&w, rows[i].completed);
		writer_u32(&w, rows[i].leechers);
	}
	return writer_size(&w);
}

size_t udp_error_reply(void *out, size_t room, uint32_t transaction, const char *text)
{
	struct writer w = reply(out, room, UDP_ERROR, transaction);
	writer_bytes(&w, text, strnlen(text, writer_room(&w)));
	return writer_size(&w);
}
