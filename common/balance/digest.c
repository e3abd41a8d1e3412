/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/digest.h"

#include "common/balance/quality.h"

_Static_assert(BIN_QUALITY_ALL == (1 << DIGEST_FLAGS) - 1, "each flag is counted");

enum { VERSION = 1 };

static void note_gap(struct digest *s, int64_t from, int64_t to)
{
	if (to - from > s->gap) {
		s->gap = to - from;
		s->gap_from = from;
	}
}

void digest_add(struct digest *s, const struct bin_total *bin, uint32_t seconds)
{
	if (s->known++ == 0)
		s->first = bin->start;
	else
		note_gap(s, s->end, bin->start);
	s->end = bin->start + seconds;
	for (unsigned i = 0; i < DIGEST_FLAGS; i++)
		s->flagged[i] += bin->quality >> i & 1;
	s->with_packets += bin->packets;
	s->with_p2p += bin->p2p;
	s->out += bin->out;
	s->in += bin->in;
	s->out_packets += bin->out_packets;
	s->in_packets += bin->in_packets;
	s->out_p2p += bin->out_p2p;
	s->in_p2p += bin->in_p2p;
}

void digest_merge(struct digest *s, const struct digest *later)
{
	if (later->known == 0)
		return;
	if (s->known == 0) {
		*s = *later;
		return;
	}
	note_gap(s, s->end, later->first);
	if (later->gap > s->gap) {
		s->gap = later->gap;
		s->gap_from = later->gap_from;
	}
	s->end = later->end;
	s->known += later->known;
	for (unsigned i = 0; i < DIGEST_FLAGS; i++)
		s->flagged[i] += later->flagged[i];
	s->with_packets += later->with_packets;
	s->with_p2p += later->with_p2p;
	s->out += later->out;
	s->in += later->in;
	s->out_packets += later->out_packets;
	s->in_packets += later->in_packets;
	s->out_p2p += later->out_p2p;
	s->in_p2p += later->in_p2p;
}

void digest_close(struct digest *s, int64_t from, int64_t to)
{
	const struct digest all = *s;
	s->gap = 0;
	note_gap(s, from, all.known > 0 ? all.first : to);
	if (all.gap > s->gap) {
		s->gap = all.gap;
		s->gap_from = all.gap_from;
	}
	if (all.known > 0)
		note_gap(s, all.end, to);
}

/* ---- as bytes ---- */

void digest_pack(const struct digest *s, struct text *out)
{
	must(s->first >= 0 && s->gap_from >= 0);
	varint_put(out, VERSION);
	varint_put(out, s->known);
	for (unsigned i = 0; i < DIGEST_FLAGS; i++)
		varint_put(out, s->flagged[i]);
	varint_put(out, s->with_packets);
	varint_put(out, s->with_p2p);
	const wide totals[] = {
		s->out, s->in, s->out_packets, s->in_packets, s->out_p2p, s->in_p2p
	};
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		varint_put(out, totals[i]);
	varint_put(out, (wide)s->first);
	varint_put(out, (wide)s->end);
	varint_put(out, (wide)s->gap);
	varint_put(out, (wide)s->gap_from);
}

static int64_t get_time(struct reader *r)
{
	const uint64_t t = varint_get64(r);
	r->bad |= t > INT64_MAX;
	return r->bad ? 0 : (int64_t)t;
}

bool digest_unpack(struct digest *s, const void *bytes, size_t size)
{
	struct reader r = reader_over(bytes, size);
	struct digest got = { 0 };
	r.bad = varint_get64(&r) != VERSION;
	got.known = varint_get64(&r);
	for (unsigned i = 0; i < DIGEST_FLAGS; i++)
		got.flagged[i] = varint_get64(&r);
	got.with_packets = varint_get64(&r);
	got.with_p2p = varint_get64(&r);
	wide *const totals[] = { &got.out,        &got.in,      &got.out_packets,
		                 &got.in_packets, &got.out_p2p, &got.in_p2p };
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		*totals[i] = varint_get(&r);
	got.first = get_time(&r);
	got.end = get_time(&r);
	got.gap = get_time(&r);
	got.gap_from = get_time(&r);
	if (r.bad || reader_left(&r) != 0)
		return false;
	*s = got;
	return true;
}

/* ---- as digits ---- */

void wide_print(wide n, char out[static WIDE_TEXT])
{
	char digits[WIDE_TEXT];
	size_t at = sizeof(digits);
	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + (int)(n % 10));
		n /= 10;
	} while (n > 0);
	memcpy(out, digits + at, sizeof(digits) - at);
}

bool wide_read(const char *digits, size_t size, wide *out)
{
	wide n = 0;
	for (size_t i = 0; i < size; i++) {
		const unsigned digit = (unsigned)(digits[i] - '0');
		if (digit > 9 || n > (~(wide)0 - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return size > 0;
}
