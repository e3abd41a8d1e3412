/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/drift.h"

#include "common/balance/calibrate.h"
#include "common/base/text.h"
#include "server/store/calibrations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_SECONDS = 86400, DAYS = 2 };

static const char *direction(const struct store_calibration *c)
{
	return c->direction == STORE_OUT ? "out" : "in";
}

static bool is_same(const struct store_calibration *a, const struct store_calibration *b)
{
	return a->direction == b->direction && strcmp(a->interconnect, b->interconnect) == 0 &&
	       strcmp(a->provider, b->provider) == 0;
}

/* `drifts` are the newest first. */
static void see(const struct store_calibration *last, const struct store_calibration *drifts,
                size_t n, struct sights *out)
{
	const struct store_calibration *newest = NULL;
	char subject[STORE_SUBJECT], day[24];
	unsigned count = 0;
	(void)snprintf(subject, sizeof(subject), "%s %s", last->interconnect, direction(last));
	struct sight *s = sights_add(out, RULE_DRIFT, last->provider, subject);
	if (s == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!is_same(last, &drifts[i]))
			continue;
		newest = newest == NULL ? &drifts[i] : newest;
		count++;
	}
	s->value = count;
	newest = newest == NULL ? last : newest;
	text_time_print(newest->day, day);
	(void)snprintf(s->text, sizeof(s->text),
	               "of the day from %s flows measured %.3f times what announces told, %+.1f "
	               "percent off the mean of before; %s %.0f deviations",
	               day, newest->factor, newest->off * 100, newest->drift ? "beyond" : "within",
	               CALIBRATE_ALARM);
}

enum err look_for_drift(const struct look_options *o, int64_t at, struct sights *out)
{
	const int64_t until = at - at % DAY_SECONDS, from = until - DAYS * DAY_SECONDS;
	struct store_calibration *all, *drifts;
	size_t n, n_drifts;
	enum err e = store_calibrations(o->store, NULL, until, &all, &n);
	if (e != ERR_OK)
		return e;
	e = store_drifts(o->store, NULL, from, until, &drifts, &n_drifts);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		if (all[i].day >= from)
			see(&all[i], drifts, n_drifts, out);
	if (e == ERR_OK)
		free(drifts);
	free(all);
	return e;
}
