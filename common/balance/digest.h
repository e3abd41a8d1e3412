/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What many bins of one interconnect and source come to: totals, how good they are, and the longest
 * stretch that nobody saw. Sums of parts of a window are merged, so that a month may be kept instead of
 * its bins.
 *
 * Pure.
 */

#include "common/balance/page.h"

enum { DIGEST_FLAGS = 6 }; /* of common/balance/quality.h */

struct digest {
	uint64_t known;                  /* bins */
	uint64_t flagged[DIGEST_FLAGS];  /* bins with the flag 1 << i */
	uint64_t with_packets, with_p2p; /* bins that know them */
	wide out, in;
	wide out_packets, in_packets;
	wide out_p2p, in_p2p;
	int64_t first, end;    /* of the first bin, of the last one; both 0 without bins */
	int64_t gap, gap_from; /* the longest between two bins, seconds; 0: none */
};

/* In the order of time. `seconds` is the bin's length. */
void digest_add(struct digest *s, const struct bin_total *bin, uint32_t seconds);
/* What came later: all of it after s->end. */
void digest_merge(struct digest *s, const struct digest *later);
/* Makes the stretches before the first and after the last bin of a window count as gaps too. */
void digest_close(struct digest *s, int64_t from, int64_t to);

/* As bytes, and back; unpacking says false of bytes that are none. */
void digest_pack(const struct digest *s, struct text *out);
bool digest_unpack(struct digest *s, const void *bytes, size_t size);

/* In decimal, as long as it is. */
enum { WIDE_TEXT = 40 };
void wide_print(wide n, char out[static WIDE_TEXT]);
/* Decimal digits and nothing else; false when they are none, or pass 128 bits. */
bool wide_read(const char *digits, size_t size, wide *out);
