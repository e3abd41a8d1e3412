/* SPDX-License-Identifier: Apache-2.0 */
/* Counter samples as JSON and as CSV; what was taken keeps its promises. */
#include "server/api/samples.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct samples *s, const struct samples_rules *rules)
{
	must(s->n <= SAMPLES_MAX);
	for (size_t i = 0; i < s->n; i++) {
		const struct store_bin *row = &s->rows[i];
		must(strcmp(row->provider, "a") == 0 && strcmp(row->interconnect, "b") == 0);
		must(row->start % rules->bin_seconds == 0 && row->start <= rules->now);
		must(row->seconds == rules->bin_seconds && row->observed_seconds > 0 &&
		     row->observed_seconds <= row->seconds);
	}
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
			samples_done(&s);
		}
		faults_free(faults);
	}
	return 0;
}
