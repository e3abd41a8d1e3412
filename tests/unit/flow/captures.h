/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Recorded datagrams: a file that is one, or the UDP payloads of a pcap. */

#include "common/base/cursor.h"
#include "common/codec/flow/packet.h"

#include <stdio.h>
#include <string.h>

enum { CAPTURE_MAX = 65536 };

/* The payload of a UDP packet in an Ethernet frame; bad when it is none. */
static inline struct reader udp_payload(const uint8_t *frame, size_t size)
{
	struct flow_packet p;
	const struct reader whole = reader_over(frame, size);
	struct reader r = whole;
	if (!flow_packet_read(whole, FLOW_LINK_ETHERNET, &p) || p.protocol != 17)
		return (struct reader){ .bad = true };
	(void)reader_take(&r, p.before);
	const size_t head = p.from.family == IP_V6 ? 40
	                    : reader_left(&r) > 0  ? (*r.at & 0xfU) * 4
	                                           : 0;
	(void)reader_take(&r, head + 4);
	const size_t length = reader_u16(&r);
	(void)reader_u16(&r);
	if (!r.bad && length >= 8 && length - 8 < reader_left(&r)) /* padded frame */
		r.end = r.at + length - 8;
	return r;
}

/* Little-endian, microseconds, Ethernet: what tcpdump writes here. */
static inline bool is_pcap(const uint8_t *bytes, size_t size)
{
	return size >= 24 && memcmp(bytes, "\xd4\xc3\xb2\xa1", 4) == 0;
}

typedef void take_datagram(void *ctx, const uint8_t *bytes, size_t size);

/* Hands over each datagram in the file; the number of them. */
static inline size_t read_capture(FILE *f, take_datagram *take, void *ctx)
{
	static uint8_t bytes[1 << 20];
	const size_t size = fread(bytes, 1, sizeof(bytes), f);
	size_t at = 24, count = 0;
	if (!is_pcap(bytes, size)) {
		take(ctx, bytes, size);
		return 1;
	}
	while (at + 16 <= size) {
		uint32_t length;
		memcpy(&length, bytes + at + 8, sizeof(length));
		length = le32toh(length);
		at += 16;
		if (length > size - at)
			break;
		const struct reader r = udp_payload(bytes + at, length);
		if (!r.bad) {
			take(ctx, r.at, reader_left(&r));
			count++;
		}
		at += length;
	}
	return count;
}
