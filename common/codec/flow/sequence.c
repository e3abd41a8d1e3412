/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/sequence.h"

#include <stddef.h>
#include <string.h>

static void remove_hole(struct flow_sequence *s, size_t i)
{
	s->open--;
	memmove(&s->holes[i], &s->holes[i + 1], (s->open - i) * sizeof(s->holes[0]));
}

static uint64_t close_oldest(struct flow_sequence *s)
{
	const uint64_t lost = s->holes[0].count;
	remove_hole(s, 0);
	return lost;
}

static uint64_t close_old(struct flow_sequence *s, int64_t now_ms)
{
	uint64_t lost = 0;
	/* A clock that was put back must not keep them open. */
	while (s->open > 0 && (now_ms - s->holes[0].at_ms > FLOW_HOLE_MS ||
	                       s->holes[0].at_ms - now_ms > FLOW_HOLE_MS))
		lost += close_oldest(s);
	return lost;
}

static uint64_t open_hole(struct flow_sequence *s, uint32_t from, uint32_t count, int64_t now_ms)
{
	const uint64_t lost = s->open == FLOW_HOLES ? close_oldest(s) : 0;
	s->holes[s->open++] = (struct flow_hole){ .from = from, .count = count, .at_ms = now_ms };
	return lost;
}

/* Takes [at, at + count) out of a hole; what is left of it may be two. */
static uint64_t fill(struct flow_sequence *s, uint32_t at, uint32_t count)
{
	for (size_t i = 0; i < s->open; i++) {
		struct flow_hole *h = &s->holes[i];
		const uint32_t before = at - h->from;
		if (before >= h->count)
			continue;
		const uint32_t rest = h->count - before;
		const uint32_t after = rest > count ? rest - count : 0;
		const int64_t since = h->at_ms;
		h->count = before;
		if (before == 0)
			remove_hole(s, i);
		return after > 0 ? open_hole(s, at + count, after, since) : 0;
	}
	return 0;
}

struct flow_heard flow_sequence_hear(struct flow_sequence *s, struct flow_window w, uint32_t at,
                                     uint32_t count, int64_t now_ms)
{
	struct flow_heard h = { .lost = close_old(s, now_ms) };
	const uint32_t ahead = at - s->next, back = s->next - at;
	if (!s->known || at == s->next) {
		s->next = at + count;
	} else if (ahead <= w.ahead) {
		h.lost += open_hole(s, s->next, ahead, now_ms);
		s->next = at + count;
	} else if (back <= w.back) {
		h.late = true;
		h.lost += fill(s, at, count);
		s->next += count > back ? count - back : 0;
	} else {
		while (s->open > 0)
			h.lost += close_oldest(s);
		h.reset = true;
		s->next = at + count;
	}
	s->known = true;
	return h;
}

void flow_sequence_forget(struct flow_sequence *s)
{
	s->known = false;
	s->open = 0;
}
