/* SPDX-License-Identifier: Apache-2.0 */
#include "common/ip/spans.h"

#include <stdlib.h>

enum { NESTING_MAX = 129 /* lengths 0 to 128 */ };

/* The first number behind `p`; 0 when that is the end of the numbers. */
static struct ip_number behind(const struct ip_prefix *p)
{
	struct ip_number n = ip_number(&p->addr);
	if (p->length > 64) {
		n.lo += (uint64_t)1 << (128 - p->length);
		n.hi += n.lo == 0;
	} else if (p->length > 0) {
		n.hi += (uint64_t)1 << (64 - p->length);
	} else {
		n = (struct ip_number){ 0 };
	}
	return n;
}

static void emit(struct spans *s, struct ip_number start, uint32_t value)
{
	const struct ip_number last = s->starts[s->n - 1];
	if (start.hi == last.hi && start.lo == last.lo)
		s->n--;
	s->starts[s->n] = start;
	s->values[s->n++] = value;
}

/* Ends the prefixes open at `depth` that lie before `next` (NULL: all). */
static size_t close_before(struct spans *s, const struct lpm_entry *const *open, size_t depth,
                           const struct lpm_entry *next)
{
	while (depth > 0 &&
	       (next == NULL || !ip_prefix_covers(&open[depth - 1]->prefix, &next->prefix))) {
		const struct ip_number end = behind(&open[--depth]->prefix);
		if (end.hi != 0 || end.lo != 0)
			emit(s, end, depth > 0 ? open[depth - 1]->value : 0);
	}
	return depth;
}

enum err spans_make(const struct lpm_entry *sorted, size_t n, struct spans *out)
{
	const struct lpm_entry *open[NESTING_MAX];
	size_t depth = 0;
	struct spans s = { .starts = malloc((2 * n + 1) * sizeof(*s.starts)),
		           .values = malloc((2 * n + 1) * sizeof(*s.values)),
		           .n = 1 };
	if (s.starts == NULL || s.values == NULL) {
		spans_done(&s);
		return ERR_NOMEM;
	}
	s.starts[0] = (struct ip_number){ 0 };
	s.values[0] = 0;
	for (size_t i = 0; i < n; i++) {
		depth = close_before(&s, open, depth, &sorted[i]);
		emit(&s, ip_number(&sorted[i].prefix.addr), sorted[i].value);
		must(depth < NESTING_MAX);
		open[depth++] = &sorted[i];
	}
	(void)close_before(&s, open, depth, NULL);
	*out = s;
	return ERR_OK;
}

void spans_done(struct spans *s)
{
	free(s->starts);
	free(s->values);
	*s = (struct spans){ 0 };
}
