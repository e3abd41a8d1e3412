/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* VRPs for tests, read from text in pieces of any size. */

#include "tests/unit/test.h"

#include "common/rights/vrp.h"

#include <string.h>

enum { NOW = 1700000000 };

struct pieces {
	const char *at;
	size_t left, each;
};

static inline size_t next_piece(void *ctx, void *out, size_t room)
{
	struct pieces *p = ctx;
	size_t n = p->left < p->each ? p->left : p->each;
	n = n < room ? n : room;
	memcpy(out, p->at, n);
	p->at += n;
	p->left -= n;
	return n;
}

/* NULL: it was refused, see `faults`. */
static inline struct vrp_table *read_vrps(const char *json, size_t each, struct faults *faults)
{
	struct pieces p = { json, strlen(json), each };
	struct vrp_table *t = NULL;
	const enum err e = vrp_read(next_piece, &p, NOW, &t, faults);
	assert_true(e == ERR_OK ? t != NULL && faults->count == 0
	                        : e == ERR_MALFORMED && t == NULL && faults->count > 0);
	return t;
}
