/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is remembered by number: a bounded hash table of pairs of numbers. Keys are never 0. */

#include <stdint.h>

enum { FLOW_NOTES_MAX = 2048 };

struct flow_note {
	uint64_t key;
	uint32_t a, b;
};

struct flow_notes {
	struct flow_note *list; /* a power of two, at most half full */
	uint32_t room, count;
};

/* NULL: not there. */
struct flow_note *flow_notes_find(const struct flow_notes *n, uint64_t key);
/* Adds it, with zeros, when it is not there. NULL: FLOW_NOTES_MAX are, or no memory. */
struct flow_note *flow_notes_at(struct flow_notes *n, uint64_t key);
void flow_notes_clear(struct flow_notes *n);
