/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bins as rows of the database, with their nodes summed, and days and months as numbers.
 *
 * Threading: one thread at a time.
 */

#include "common/balance/page.h"
#include "server/store/query.h"

enum { DAY = 86400 };

int64_t month_begin(int64_t t); /* UTC */
int64_t month_next(int64_t t);  /* the begin of the month after that of `t` */

enum store_source summed_source(const char *name);

/* Of one day of one interconnect and source. */
struct summed_key {
	uint32_t interconnect;
	enum store_source source;
	int64_t day;
};

/* The columns that a query for summed_open() selects, in this order; `b` is bins. */
#define SUMMED_COLUMNS                                                            \
	"b.interconnect, b.source, b.start, b.quality, b.out_bytes, b.in_bytes, " \
	"b.out_packets, b.in_packets, b.out_p2p_bytes, b.in_p2p_bytes "
/* Whole bins on their grid: all that store_bins() ever writes. */
#define SUMMED_WHERE "b.start % b.seconds = 0 "
#define SUMMED_ORDER "ORDER BY b.interconnect, b.source, b.start "

struct summed {
	struct work *w;
	size_t row, rows;
};
/* Reads by and by: the rows of a year need not fit into memory. One at a time for each work. */
struct summed summed_open(struct work *w, const char *sql, const struct arg *args);
/* false: no more, or a failure that w->err tells. */
bool summed_next(struct summed *s, struct summed_key *key, struct bin_total *out);
void summed_close(struct summed *s);
