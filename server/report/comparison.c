/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/comparison.h"

#include <string.h>

enum { GROUPS_MAX = 256, SEED = 20081017 /* any, but always the same */, FIRST_OUTSIDE = 2 };
_Static_assert((int)STORE_TIMES == (int)HISTOGRAM_BUCKETS, "the same buckets");

const char *const arm_names[ARMS] = { "treated", "control" };

const char *figure_name(unsigned figure)
{
	static const char *const names[FIGURES] = {
		"same_pid", "same_provider", "settlement_free",   "paid_peering",      "transit",
		"unknown",  "outside",       "imported_per_copy", "imported_per_swarm"
	};
	return names[figure];
}

static bool belongs(const struct store_steering *a, const struct store_steering *b)
{
	return a->flagged == b->flagged && strcmp(a->provider, b->provider) == 0 &&
	       strcmp(a->policy, b->policy) == 0;
}

struct comparison comparison_take(const struct store_steering *rows, size_t left)
{
	struct comparison c = { .rows = rows };
	for (size_t i = 0; i < left && belongs(rows, &rows[i]); i++)
		c.n[rows[i].control ? CONTROL : TREATED]++;
	return c;
}

const struct store_steering *comparison_rows(const struct comparison *c, unsigned arm)
{
	return c->rows + (arm == CONTROL ? c->n[TREATED] : 0);
}

static double sum(const struct store_steering *row, unsigned from, unsigned end)
{
	double bytes = 0;
	for (unsigned k = from; k < end; k++)
		bytes += (double)row->bytes[k];
	return bytes;
}

static size_t groups(const struct comparison *c, unsigned arm)
{
	return c->n[arm] < GROUPS_MAX ? c->n[arm] : GROUPS_MAX;
}

static struct bootstrap_unit unit_of(const struct store_steering *row, unsigned figure)
{
	if (figure == FIGURE_PER_COPY)
		return (struct bootstrap_unit){ (double)row->imported, (double)row->copies };
	if (figure == FIGURE_PER_SWARM)
		return (struct bootstrap_unit){ (double)row->imported / 1e6,
			                        (double)(row->swarms - row->unsized) };
	const unsigned from = figure == FIGURE_OUTSIDE ? FIRST_OUTSIDE : figure;
	const unsigned end = figure == FIGURE_OUTSIDE ? STORE_TIERS : figure + 1;
	return (struct bootstrap_unit){ sum(row, from, end), sum(row, 0, STORE_TIERS) };
}

struct figure comparison_figure(const struct comparison *c, unsigned figure)
{
	struct bootstrap_unit units[ARMS][GROUPS_MAX];
	struct bootstrap_arm arms[ARMS];
	struct figure f = { .known = false };
	for (unsigned a = 0; a < ARMS; a++) {
		arms[a] = (struct bootstrap_arm){ units[a], groups(c, a) };
		for (size_t i = 0; i < arms[a].n; i++) {
			units[a][i] = unit_of(&comparison_rows(c, a)[i], figure);
			f.has[a] |= units[a][i].whole > 0;
		}
		f.value[a] = bootstrap_share(&arms[a]);
	}
	f.known = bootstrap_difference(&arms[TREATED], &arms[CONTROL], SEED, &f.interval);
	return f;
}

struct figure comparison_time(const struct comparison *c, double quantile)
{
	uint64_t times[ARMS][GROUPS_MAX][HISTOGRAM_BUCKETS];
	struct bootstrap_times arms[ARMS];
	struct figure f = { .known = false };
	for (unsigned a = 0; a < ARMS; a++) {
		arms[a] = (struct bootstrap_times){ times[a], groups(c, a) };
		for (size_t i = 0; i < arms[a].n; i++)
			memcpy(times[a][i], comparison_rows(c, a)[i].times, sizeof(times[a][i]));
		f.value[a] = bootstrap_quantile(&arms[a], quantile);
		f.has[a] = f.value[a] > 0;
	}
	f.known = bootstrap_ratio(&arms[TREATED], &arms[CONTROL], quantile, SEED, &f.interval);
	return f;
}

uint64_t comparison_bytes(const struct comparison *c, unsigned arm, unsigned tier)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < c->n[arm]; i++)
		for (unsigned k = 0; k < STORE_TIERS; k++)
			if ((tier == STORE_TIERS || k == tier) &&
			    __builtin_add_overflow(bytes, comparison_rows(c, arm)[i].bytes[k],
			                           &bytes))
				return UINT64_MAX;
	return bytes;
}

struct arm_sums comparison_sums(const struct comparison *c, unsigned arm)
{
	struct arm_sums all = { 0 };
	for (size_t i = 0; i < c->n[arm]; i++) {
		const struct store_steering *row = &comparison_rows(c, arm)[i];
		all.completed += histogram_count(row->times);
		all.copies += row->copies;
		all.imported += row->imported;
		all.swarms += row->swarms;
		all.unsized += row->unsized;
	}
	return all;
}
