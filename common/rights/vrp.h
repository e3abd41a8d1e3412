/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Validated ROA payloads (RFC 6811): which ASNs may originate what, says who holds the addresses.
 *
 * Read from the JSON that validators export: rpki-client, routinator (json and jsonext), and those
 * that follow them (StayRTR, GoRTR). An object with "roas": [{"asn": 64500 or "AS64500", "prefix",
 * "maxLength", "ta", "expires"}], and "metadata" with "buildtime", "generated" or "generatedTime", and
 * perhaps "valid"; other members are skipped. A VRP that has expired is left out and counted. The file
 * is read through a small window, so that its size costs time only.
 *
 * Errors: every VRP that does not read is a fault (where: "/roas/12/prefix (line 15)"), as is a file
 * that ends early, has no "roas" or no VRP at all that holds now: validators write such after a failure.
 * Ownership: vrp_table_free(). Threading: immutable; share freely.
 */

#include "common/ip/addr.h"

enum {
	VRP_TA_SIZE = 32, /* of a trust anchor's name; what is longer is cut off */
	VRPS_MAX = 8000000
};

struct vrp {
	struct ip_prefix prefix;
	uint32_t asn; /* 0: nobody may (RFC 6483 section 4) */
	uint8_t max_length;
	char ta[VRP_TA_SIZE]; /* "ripe"; "" when not said */
};

struct vrp_about {
	size_t count;         /* in the table */
	size_t expired;       /* left out */
	int64_t first_expiry; /* unix seconds, of those in the table; 0: none says when */
	int64_t made;         /* unix seconds by the metadata; 0: not said */
	int64_t valid;        /* until then, by the metadata; 0: not said */
	size_t bytes;         /* of memory */
};

struct vrp_table;

/* The next bytes into `out`, at most `room`; how many, 0 at the end or when it cannot be read. */
typedef size_t vrp_more(void *ctx, void *out, size_t room);

/* `now`: unix seconds. ERR_MALFORMED: see `faults`. ERR_NOMEM. */
enum err vrp_read(vrp_more *more, void *ctx, int64_t now, struct vrp_table **out,
                  struct faults *faults) must_check;
void vrp_table_free(struct vrp_table *t); /* NULL is fine */

struct vrp_about vrp_table_about(const struct vrp_table *t);

/* Like those of cover.h: numbers of VRPs that cover `p`, nearest first, and of what lies inside it. */
uint32_t vrp_find(const struct vrp_table *t, const struct ip_prefix *p);
uint32_t vrp_around(const struct vrp_table *t, uint32_t i);
uint32_t vrp_behind(const struct vrp_table *t, const struct ip_prefix *p);
/* false: there is none of that number. */
bool vrp_at(const struct vrp_table *t, uint32_t i, struct vrp *out);
