/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/outcome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum err outcome_init(struct outcome *o, const struct network *n, size_t leechers)
{
	const size_t pairs = n->n_sites * n->n_sites;
	*o = (struct outcome){ .n_sites = n->n_sites, .n_segments = n->n_segments };
	o->pairs = calloc(pairs, sizeof(*o->pairs));
	o->open = calloc(pairs, sizeof(*o->open));
	o->peers = calloc(leechers + 1, sizeof(*o->peers));
	if (o->pairs != NULL && o->open != NULL && o->peers != NULL)
		return ERR_OK;
	outcome_done(o);
	return ERR_NOMEM;
}

void outcome_done(struct outcome *o)
{
	free(o->pairs);
	free(o->open);
	free(o->bins);
	free(o->peers);
	*o = (struct outcome){ 0 };
}

enum err outcome_close_bin(struct outcome *o, const struct network *n)
{
	if (o->n_bins == o->bins_room) {
		const size_t room = 2 * o->bins_room + 16;
		double *bins = realloc(o->bins, (room * o->n_segments + 1) * sizeof(*bins));
		if (bins == NULL)
			return ERR_NOMEM;
		o->bins = bins;
		o->bins_room = room;
	}
	double *bin = o->bins + o->n_bins++ * o->n_segments;
	memset(bin, 0, o->n_segments * sizeof(*bin));
	for (size_t i = 0; i < o->n_sites * o->n_sites; i++) {
		const struct network_path *path = &n->paths[i];
		for (uint32_t k = 0; k < path->n; k++)
			bin[n->steps[path->at + k]] += o->open[i];
		o->pairs[i] += o->open[i];
		o->open[i] = 0;
	}
	return ERR_OK;
}

void outcome_tiers(const struct outcome *o, const struct network *n, double out[static TIER_COUNT_])
{
	memset(out, 0, TIER_COUNT_ * sizeof(*out));
	for (size_t i = 0; i < o->n_sites * o->n_sites; i++)
		out[n->paths[i].tier] += o->pairs[i];
}

double outcome_imports(const struct outcome *o, const struct network *n, uint32_t provider)
{
	double sum = 0;
	for (size_t from = 0; from < o->n_sites; from++)
		for (size_t to = 0; to < o->n_sites; to++)
			if (n->sites[to].provider == provider &&
			    n->sites[from].provider != provider)
				sum += o->pairs[from * o->n_sites + to];
	return sum;
}

double outcome_bytes(const struct outcome *o, size_t segment)
{
	double sum = 0;
	for (size_t i = 0; i < o->n_bins; i++)
		sum += o->bins[i * o->n_segments + segment];
	return sum;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *y < *x;
}

/* Of n sorted numbers: the smallest that is not below this part of them. */
static double percentile(const double *sorted, size_t n, double part)
{
	const double rank = ceil(part * (double)n);
	return n == 0 ? 0 : sorted[rank < 1 ? 0 : (size_t)rank - 1];
}

double outcome_load(const struct outcome *o, size_t segment, double part, uint32_t bin_seconds)
{
	double *loads = malloc((o->n_bins + 1) * sizeof(*loads));
	if (loads == NULL)
		return (double)NAN;
	for (size_t i = 0; i < o->n_bins; i++)
		loads[i] = o->bins[i * o->n_segments + segment];
	qsort(loads, o->n_bins, sizeof(*loads), by_size);
	const double bytes = percentile(loads, o->n_bins, part);
	free(loads);
	return bytes * 8 / bin_seconds;
}

enum err outcome_times(const struct outcome *o, const struct network *n, uint32_t provider,
                       struct outcome_times *out)
{
	struct outcome_times t = { 0 };
	double *seconds = malloc((o->n_peers + 1) * sizeof(*seconds)), sum = 0;
	if (seconds == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < o->n_peers; i++) {
		const struct outcome_peer *p = &o->peers[i];
		if (provider != UINT32_MAX && n->sites[p->site].provider != provider)
			continue;
		if (p->seconds >= 0)
			sum += seconds[t.n++] = p->seconds;
		else
			(*(p->gave_up ? &t.gave_up : &t.unfinished))++;
	}
	qsort(seconds, t.n, sizeof(*seconds), by_size);
	t.median = percentile(seconds, t.n, .5);
	t.p95 = percentile(seconds, t.n, .95);
	t.most = percentile(seconds, t.n, 1);
	t.mean = t.n > 0 ? sum / (double)t.n : 0;
	free(seconds);
	*out = t;
	return ERR_OK;
}
