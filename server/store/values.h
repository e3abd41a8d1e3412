/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A growing list of byte counts to be ranked. What passes 64 bits counts as the highest number: ranks
 * saturate, totals never do.
 *
 * Ownership: values_done(). A list that could not grow turns bad and stays bad.
 */

#include "common/balance/digest.h"
#include "common/balance/ranks.h"
#include "server/store/summed.h"

struct values {
	uint64_t *list;
	size_t n, room;
	bool bad;
};

void values_add(struct values *v, wide value);
void values_sort(struct values *v);
/* Room for `n` more; NULL: none. The caller fills them and adds to v->n. */
uint64_t *values_room(struct values *v, size_t n);
void values_done(struct values *v);
