/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/forecast.h"

#include "common/balance/season.h"
#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

/* One call. */
struct job {
	const struct forecast_input *in;
	size_t day_bins, known_days; /* whole days from the start of history to now */
	struct season *seasons;      /* of each series */
	struct percentile_bin *bins; /* of the period: n_series times in->bins */
	struct percentile_series *series;
	struct percentile_scratch *scratch;
	size_t *levels; /* days whose levels are averaged */
	uint64_t seed;
	uint64_t billed[FORECAST_DRAWS], ratios[FORECAST_DRAWS];
	unsigned over, breach, below;
};

static enum err allocate(struct job *j)
{
	const struct forecast_input *in = j->in;
	j->seasons = calloc(in->n_series, sizeof(*j->seasons));
	j->bins = calloc(in->n_series * in->bins, sizeof(*j->bins));
	j->series = calloc(in->n_series, sizeof(*j->series));
	j->scratch = percentile_scratch_new(in->bins);
	j->levels = calloc(j->known_days, sizeof(*j->levels));
	if (j->seasons == NULL || j->bins == NULL || j->series == NULL || j->scratch == NULL ||
	    j->levels == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < in->n_series; i++) {
		struct percentile_bin *own = j->bins + i * in->bins;
		memcpy(own, in->series[i].bins + in->history, in->now * sizeof(*own));
		j->series[i] = in->series[i];
		j->series[i].bins = own;
	}
	return ERR_OK;
}

static void release(struct job *j)
{
	for (size_t i = 0; j->seasons != NULL && i < j->in->n_series; i++)
		season_done(&j->seasons[i]);
	free(j->seasons);
	free(j->bins);
	free(j->series);
	percentile_scratch_free(j->scratch);
	free(j->levels);
}

static enum err learn(struct job *j, size_t *days)
{
	*days = SIZE_MAX;
	for (size_t i = 0; i < j->in->n_series; i++) {
		const enum err e = season_learn(&j->seasons[i], j->in->series[i].bins,
		                                j->known_days, j->day_bins);
		if (e != ERR_OK)
			return e;
		if (j->seasons[i].days < FORECAST_DAYS_LEAST)
			return ERR_NOT_FOUND;
		*days = j->seasons[i].days < *days ? j->seasons[i].days : *days;
	}
	return ERR_OK;
}

/* The day whose level follows that of `day`: the next one, or a new run. */
static size_t next_level(struct job *j, size_t day)
{
	const uint32_t days = (uint32_t)j->known_days;
	must(days > 0);
	if (random_below(&j->seed, FORECAST_RUN) == 0)
		return random_below(&j->seed, days);
	return (day + 1) % days;
}

/* A known day of the same weekday. */
static size_t draw_shape(struct job *j, size_t day)
{
	const size_t weekday = day % SEASON_WEEK;
	const size_t weeks = (j->known_days - weekday + SEASON_WEEK - 1) / SEASON_WEEK;
	return weekday + SEASON_WEEK * random_below(&j->seed, (uint32_t)weeks);
}

static void draw_bins(struct job *j)
{
	const struct forecast_input *in = j->in;
	size_t level = random_below(&j->seed, (uint32_t)j->known_days);
	for (size_t i = 0; i < j->known_days; i++) {
		j->levels[i] = level;
		level = next_level(j, level);
	}
	for (size_t i = 0; i < in->n_series; i++)
		season_usual(&j->seasons[i], j->levels, j->known_days);
	for (size_t at = in->now; at < in->bins;) {
		const size_t day = (in->history + at) / j->day_bins;
		const size_t end = (day + 1) * j->day_bins - in->history;
		const size_t to = end < in->bins ? end : in->bins;
		const size_t shape = draw_shape(j, day);
		level = next_level(j, level);
		for (size_t i = 0; i < in->n_series; i++) {
			const struct season_drawn drawn = {
				.shape = shape,
				.level = level,
				.capacity = in->series[i].capacity_bytes,
			};
			const size_t from = (in->history + at) % j->day_bins;
			season_day(&j->seasons[i], &drawn, from, from + to - at,
			           j->bins + i * in->bins + at);
		}
		at = to;
	}
}

static enum err rank_draw(struct job *j, unsigned draw)
{
	const struct forecast_input *in = j->in;
	struct percentile_result r;
	const enum err e =
		percentile_of(in->rule, j->series, in->n_series, in->bins, j->scratch, &r);
	if (e != ERR_OK)
		return e;
	j->billed[draw] = percentile_bps(r.billed, in->bin_seconds);
	j->over += in->commit_bps > 0 && j->billed[draw] > in->commit_bps;
	return ERR_OK;
}

static uint64_t milli(const struct policy_amount *a)
{
	if (a->in_bytes == 0)
		return UINT64_MAX;
	const ratio_wide n = (a->out_bytes * 1000 + a->in_bytes / 2) / a->in_bytes;
	return n < UINT64_MAX ? (uint64_t)n : UINT64_MAX;
}

static enum err judge_draw(struct job *j, unsigned draw)
{
	const struct forecast_input *in = j->in;
	struct policy_figures figures;
	struct policy_result r;
	const enum err e = policy_measure(in->policy, j->series, in->n_series, in->bins,
	                                  in->bin_seconds, j->scratch, &figures);
	if (e != ERR_OK)
		return e;
	policy_judge(in->policy, &figures, &r);
	j->ratios[draw] = milli(&r.ratio);
	j->breach += r.ratio_verdict == RATIO_BREACH;
	j->below += !r.enough;
	return ERR_OK;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static struct forecast_range range_of(uint64_t draws[static FORECAST_DRAWS])
{
	qsort(draws, FORECAST_DRAWS, sizeof(draws[0]), by_size);
	return (struct forecast_range){ .low = draws[FORECAST_DRAWS / 10 - 1],
		                        .middle = draws[FORECAST_DRAWS / 2 - 1],
		                        .high = draws[FORECAST_DRAWS * 9 / 10 - 1] };
}

static enum err run(struct job *j, struct forecast *out)
{
	size_t days = 0;
	enum err e = allocate(j);
	if (e == ERR_OK)
		e = learn(j, &days);
	for (unsigned draw = 0; draw < FORECAST_DRAWS && e == ERR_OK; draw++) {
		draw_bins(j);
		if (j->in->rule != NULL)
			e = rank_draw(j, draw);
		if (e == ERR_OK && j->in->policy != NULL)
			e = judge_draw(j, draw);
	}
	if (e != ERR_OK)
		return e;
	*out = (struct forecast){ .days = days,
		                  .billed_bps = range_of(j->billed),
		                  .ratio_milli = range_of(j->ratios),
		                  .over_commit_permille = j->over * 1000 / FORECAST_DRAWS,
		                  .breach_permille = j->breach * 1000 / FORECAST_DRAWS,
		                  .below_permille = j->below * 1000 / FORECAST_DRAWS };
	return ERR_OK;
}

enum err forecast_run(const struct forecast_input *in, struct forecast *out)
{
	must(in->n_series > 0 && in->bins > 0 && in->now <= in->bins && in->bin_seconds > 0);
	struct job j = { .in = in, .seed = in->seed, .day_bins = SEASON_DAY / in->bin_seconds };
	if (SEASON_DAY % in->bin_seconds != 0 || in->history % j.day_bins != 0)
		return ERR_RANGE;
	j.known_days = (in->history + in->now) / j.day_bins;
	if (j.known_days < FORECAST_DAYS_LEAST)
		return ERR_NOT_FOUND;
	const enum err e = run(&j, out);
	release(&j);
	return e;
}
