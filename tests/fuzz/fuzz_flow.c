/* SPDX-License-Identifier: Apache-2.0 */
/* Flow exports of four exporters in a row, to a decoder with little room. */
#include "tests/fuzz/flow_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct flow_limits limits = {
		.exporters = 3, .domains = 3, .templates = 6, .fields = 40
	};
	struct flow_decoder *d = flow_decoder_new(&limits);
	struct reader r = reader_over(data, size);
	struct flow_step s;
	int64_t now_ms = 1800000000000;
	uint64_t count = 0;
	must(d != NULL);
	while (flow_step_next(&r, &s)) {
		now_ms += (int64_t)s.minutes * 60000 + 1;
		(void)flow_try(d, &s, now_ms, &count);
		flow_check_stats(d, &limits);
	}
	flow_decoder_free(d);
	return 0;
}
