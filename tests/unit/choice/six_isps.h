/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Six providers whose swarms the tests of `bridge` play in, and what an asker is told of far peers. */

#include "tests/unit/choice/world.h"

/* PIDs: two of A; B is A's friend; C and D are reached by transit; E shall not upload, F rather not. */
enum { A = 0, A2 = 1, B = 4, C = 8, D = 12, E = 16, F = 20, ISPS = 6, WANT = 50, ROUNDS = 30 };

static const struct isp isps[ISPS] = { { .pids = 2, .friends = 1 << 1 },
	                               { .pids = 1, .friends = 1 << 0 },
	                               { .pids = 1 },
	                               { .pids = 1 },
	                               { .pids = 1, .uploads = UPLOADS_NEVER },
	                               { .pids = 1, .uploads = UPLOADS_AVOID } };

static inline struct world *world(void)
{
	return world_new(isps, ISPS, 1 << 20);
}

/* The far ones of the last answer; they come last. Returns how many. */
static inline size_t far_of(const struct world *w, unsigned provider,
                            struct body out[static CHOICE_MAX])
{
	const size_t n = count_far(w, provider);
	for (size_t i = 0; i < n; i++) {
		out[i] = w->list[w->n - n + i].body;
		assert_int_not_equal(provider_of(out[i].pid), provider);
	}
	return n;
}

static inline size_t ask(struct world *w, const struct body *b, struct body far[static CHOICE_MAX])
{
	(void)announce(w, b, WANT);
	return far_of(w, provider_of(b->pid), far);
}

static inline struct body body(unsigned pid, uint32_t n, bool seed)
{
	return (struct body){ .pid = pid, .n = n, .seed = seed };
}

static inline bool same(const struct body *a, const struct body *b)
{
	return a->pid == b->pid && a->n == b->n && a->wide == b->wide;
}

static inline bool has(const struct body *all, size_t n, const struct body *one)
{
	for (size_t i = 0; i < n; i++)
		if (same(&all[i], one))
			return true;
	return false;
}

/* Entries of the book in which the two have met. */
static inline unsigned entries(struct world *w, const struct body *near, const struct body *far)
{
	const struct bridge_book *book = book_of(w, near->pid);
	const uint32_t tag = swarm_tag_of(identity_of(near));
	unsigned n = 0;
	if (book != NULL)
		for (unsigned i = 0; (i = bridge_next(book, i, tag)) < book->n; i++)
			n += book->edges[i].far == swarm_tag_of(identity_of(far));
	return n;
}
