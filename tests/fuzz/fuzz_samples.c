/* SPDX-License-Identifier: Apache-2.0 */
/* Samples, periods and readings as JSON and as CSV; what was taken keeps its promises, and makes bins. */
#include "server/api/samples.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct samples *s, const struct samples_rules *rules)
{
	must(s->n + s->n_readings <= SAMPLES_MAX);
	for (size_t i = 0; i < s->n; i++) {
		const struct store_bin *row = &s->rows[i];
		must(strcmp(row->provider, "a") == 0 && strcmp(row->interconnect, "b") == 0);
		must(row->start % rules->bin_seconds == 0 && row->start <= rules->now);
		must(row->seconds == rules->bin_seconds && row->observed_seconds > 0 &&
		     row->observed_seconds <= row->seconds);
	}
}

static void check_reading(const struct store_reading *row, const struct samples_rules *rules)
{
	const struct counter_reading *r = &row->reading;
	must(strcmp(row->provider, "a") == 0 && strcmp(row->interconnect, "b") == 0);
	must(row->port[0] != '\0');
	must(r->at_ms >= INT64_C(946684800000) && r->at_ms <= (rules->now + 60) * 1000);
	must(r->bits == 0 || r->bits == 32 || r->bits == 53 || r->bits == 64);
	must(r->period_ms % 1000 == 0 && r->period_ms <= COUNTER_PROVEN_SECONDS * 1000U);
}

static int by_time(const void *a, const void *b)
{
	const struct counter_reading *x = a, *y = b;
	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

/* As if all were one port's. */
static void make_bins(const struct samples *s)
{
	static struct counter_reading readings[256];
	const struct counter_rules rules = { .bin_seconds = 300 };
	struct counter_port port = { .readings = readings };
	struct counter_bins bins;
	for (; port.n < s->n_readings && port.n < 256; port.n++)
		readings[port.n] = s->readings[port.n].reading;
	qsort(readings, port.n, sizeof(readings[0]), by_time);
	must(counter_bins(&port, 1, &rules, NULL, NULL, &bins) == ERR_OK);
	for (size_t i = 0; i < bins.n; i++) {
		must(bins.list[i].observed_seconds > 0 && bins.list[i].observed_seconds <= 300);
		must(i == 0 || bins.list[i - 1].start < bins.list[i].start);
	}
	counter_bins_done(&bins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct store_interconnect known[] = { { .provider = "a", .id = "b" } };
	const struct samples_rules rules = {
		.bin_seconds = 5, .now = 2000000000, .known = known, .n_known = 1
	};
	for (unsigned csv = 0; csv < 2; csv++) {
		struct faults *faults = faults_new();
		struct samples s;
		must(faults != NULL);
		const enum err e = (csv ? samples_parse_csv : samples_parse_json)(
			(const char *)data, size, &rules, &s, faults);
		must((e == ERR_OK) == (faults->count == 0));
		if (e == ERR_OK) {
			check(&s, &rules);
			for (size_t i = 0; i < s.n_readings; i++)
				check_reading(&s.readings[i], &rules);
			make_bins(&s);
			samples_done(&s);
		}
		faults_free(faults);
	}
	return 0;
}
