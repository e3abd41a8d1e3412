/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stands behind the totals of a source: packets, the bytes of the other layer, peer-to-peer bytes,
 * and how good the bins are. What was not measured in every bin is null, never a sum over some.
 */

#include "server/store/store.h"

struct detail_options {
	uint64_t expected;       /* bins */
	uint32_t overhead_bytes; /* of the link layer, for each packet */
};

/* "layer" and what follows, with a comma before it. */
void detail_json(struct text *t, const struct detail_options *o, const struct store_balance *row);

/* The same as fields, each with a comma before it. */
extern const char detail_csv_head[];
void detail_csv(struct text *t, const struct detail_options *o, const struct store_balance *row);
/* As many empty fields: of an interconnect without bins. */
void detail_csv_none(struct text *t);

/* The counts of a source's bins alone: the quality report's part of it. */
extern const char quality_csv_head[];
void quality_json(struct text *t, const struct detail_options *o, const struct store_balance *row);
void quality_csv(struct text *t, const struct detail_options *o, const struct store_balance *row);
