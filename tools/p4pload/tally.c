/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/tally.h"

#include <stdlib.h>
#include <string.h>

enum err tally_init(struct tally *t, uint64_t seconds, uint64_t patience)
{
	*t = (struct tally){ .n_seconds = (size_t)seconds, .n_open = (size_t)patience + 2 };
	t->seconds = calloc(t->n_seconds + 1, sizeof(*t->seconds));
	t->open = calloc(t->n_open, sizeof(*t->open));
	t->owners = calloc(t->n_open, sizeof(*t->owners));
	if (t->seconds != NULL && t->open != NULL && t->owners != NULL)
		return ERR_OK;
	tally_done(t);
	return ERR_NOMEM;
}

void tally_done(struct tally *t)
{
	free(t->seconds);
	free(t->open);
	free(t->owners);
	*t = (struct tally){ 0 };
}

static void close_slot(struct tally *t, size_t slot)
{
	struct histogram *h = &t->open[slot];
	struct second *s = &t->seconds[t->owners[slot]];
	if (h->total == 0)
		return;
	s->p50 = histogram_percentile(h, .5);
	s->p99 = histogram_percentile(h, .99);
	s->p999 = histogram_percentile(h, .999);
	s->max = h->max;
	memset(h, 0, sizeof(*h));
}

static struct second *row(struct tally *t, uint64_t due)
{
	const uint64_t n = due / 1000000000;
	return t->seconds == NULL || n >= t->n_seconds ? NULL : &t->seconds[n];
}

void tally_answered(struct tally *t, uint64_t due, uint64_t latency, uint64_t service)
{
	struct second *s = row(t, due);
	t->answered++;
	histogram_add(&t->latency, latency);
	histogram_add(&t->service, service);
	if (s == NULL)
		return;
	const uint64_t n = (uint64_t)(s - t->seconds);
	const size_t slot = (size_t)(n % t->n_open);
	if (t->owners[slot] != n) {
		close_slot(t, slot);
		t->owners[slot] = n;
	}
	histogram_add(&t->open[slot], latency);
	s->answered++;
}

void tally_lost(struct tally *t, uint64_t due)
{
	struct second *s = row(t, due);
	t->lost++;
	if (s != NULL)
		s->lost++;
}

void tally_close(struct tally *t)
{
	for (size_t i = 0; i < t->n_open; i++)
		close_slot(t, i);
}
