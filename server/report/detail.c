/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/detail.h"

#include "common/balance/digest.h"

#include <inttypes.h>

static const char *const flags[STORE_FLAGS] = { "partial", "estimated", "discontinuity",
	                                        "sampled", "late",      "gaps" };

/* A sum over all known bins in digits, or NULL. */
static const char *whole(const struct store_balance *row, uint64_t measured, const char *digits)
{
	return measured == row->bins_known && row->bins_known > 0 ? digits : NULL;
}

/* Bytes of the other layer; false when the packets are not known. */
static bool other_layer(const struct detail_options *o, const struct store_balance *row,
                        const char *bytes, const char *packets, char out[static WIDE_TEXT])
{
	wide n, p;
	if (whole(row, row->bins_with_packets, packets) == NULL ||
	    !wide_read(bytes, strlen(bytes), &n) || !wide_read(packets, strlen(packets), &p))
		return false;
	const wide overhead = p * o->overhead_bytes;
	if (row->source == STORE_COUNTER && overhead > n)
		return false;
	wide_print(row->source == STORE_COUNTER ? n - overhead : n + overhead, out);
	return true;
}

/* Every value of a source's detail in the order of detail_csv_head; NULL where it is not known. */
enum { VALUES = 9 };
struct detail {
	const char *value[VALUES];
	char other[2][WIDE_TEXT];
};
static const char *const names[VALUES] = { "layer",        "out_packets",   "in_packets",
	                                   "out_bytes_l2", "in_bytes_l2",   "out_bytes_l3",
	                                   "in_bytes_l3",  "out_p2p_bytes", "in_p2p_bytes" };

static void fill(struct detail *d, const struct detail_options *o, const struct store_balance *row)
{
	const bool l2 = row->source == STORE_COUNTER;
	const char *out = other_layer(o, row, row->out_bytes, row->out_packets, d->other[0])
	                          ? d->other[0]
	                          : NULL;
	const char *in = other_layer(o, row, row->in_bytes, row->in_packets, d->other[1])
	                         ? d->other[1]
	                         : NULL;
	d->value[0] = l2 ? "l2" : "l3";
	d->value[1] = whole(row, row->bins_with_packets, row->out_packets);
	d->value[2] = whole(row, row->bins_with_packets, row->in_packets);
	d->value[3] = l2 ? row->out_bytes : out;
	d->value[4] = l2 ? row->in_bytes : in;
	d->value[5] = l2 ? out : row->out_bytes;
	d->value[6] = l2 ? in : row->in_bytes;
	d->value[7] = whole(row, row->bins_with_p2p, row->out_p2p_bytes);
	d->value[8] = whole(row, row->bins_with_p2p, row->in_p2p_bytes);
}

static void put_gap(struct text *t, const struct store_balance *row, const char *none)
{
	char from[24];
	text_time_print(row->gap_from, from);
	text_put(t, row->gap_seconds > 0 ? from : none);
}

/* ---- JSON ---- */

void quality_json(struct text *t, const struct detail_options *o, const struct store_balance *row)
{
	text_printf(t, "\"missing\":%" PRIu64, o->expected - row->bins_known);
	for (unsigned i = 0; i < STORE_FLAGS; i++)
		text_printf(t, ",\"%s\":%" PRIu64, flags[i], row->flagged[i]);
	text_printf(t, ",\"longest_gap_seconds\":%" PRId64 ",\"longest_gap_from\":%s",
	            row->gap_seconds, row->gap_seconds > 0 ? "\"" : "");
	put_gap(t, row, "null");
	text_put(t, row->gap_seconds > 0 ? "\"" : "");
}

void detail_json(struct text *t, const struct detail_options *o, const struct store_balance *row)
{
	struct detail d;
	fill(&d, o, row);
	text_printf(t, ",\"layer\":\"%s\"", d.value[0]);
	for (unsigned i = 1; i < VALUES; i++)
		text_printf(t, ",\"%s\":%s", names[i], d.value[i] != NULL ? d.value[i] : "null");
	text_put(t, ",\"quality\":{");
	quality_json(t, o, row);
	text_put(t, "}");
}

/* ---- CSV ---- */

const char quality_csv_head[] = "missing,partial,estimated,discontinuity,sampled,late,gaps,"
				"longest_gap_seconds,longest_gap_from";
const char detail_csv_head[] =
	",layer,out_packets,in_packets,out_bytes_l2,in_bytes_l2,out_bytes_l3,"
	"in_bytes_l3,out_p2p_bytes,in_p2p_bytes,bins_missing,bins_partial,"
	"bins_estimated,bins_discontinuity,bins_sampled,bins_late,bins_gaps,"
	"longest_gap_seconds,longest_gap_from";

void quality_csv(struct text *t, const struct detail_options *o, const struct store_balance *row)
{
	text_printf(t, "%" PRIu64, o->expected - row->bins_known);
	for (unsigned i = 0; i < STORE_FLAGS; i++)
		text_printf(t, ",%" PRIu64, row->flagged[i]);
	text_printf(t, ",%" PRId64 ",", row->gap_seconds);
	put_gap(t, row, "");
}

void detail_csv(struct text *t, const struct detail_options *o, const struct store_balance *row)
{
	struct detail d;
	fill(&d, o, row);
	for (unsigned i = 0; i < VALUES; i++)
		text_printf(t, ",%s", d.value[i] != NULL ? d.value[i] : "");
	text_put(t, ",");
	quality_csv(t, o, row);
}

void detail_csv_none(struct text *t)
{
	for (unsigned i = 0; i < VALUES + 1 + STORE_FLAGS + 2; i++)
		text_put(t, ",");
}
