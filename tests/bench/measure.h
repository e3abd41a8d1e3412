/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the benches in C measure with, and whom they fill swarms with. */

#include "common/base/err.h"
#include "common/base/random.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Of this thread. */
static inline double cpu_seconds(void)
{
	struct timespec t;
	must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline size_t resident_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	must(f != NULL && fscanf(f, "%lu %lu", &size, &resident) == 2);
	(void)fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* A swarm for each peer: any of them alike, or with `zipf` swarm r in proportion to 1 / (r + 1). */
static inline void choose_swarms(uint32_t *swarm_of, uint32_t peers, uint32_t swarms, bool zipf,
                                 uint64_t *seed)
{
	double *sum = malloc((swarms + 1) * sizeof(*sum));
	must(sum != NULL);
	sum[0] = 0;
	for (uint32_t r = 0; r < swarms; r++)
		sum[r + 1] = sum[r] + (zipf ? 1.0 / (r + 1) : 1.0);
	for (uint32_t i = 0; i < peers; i++) {
		const double x = (double)random_next(seed) * 0x1p-64 * sum[swarms];
		uint32_t low = 0, high = swarms;
		while (high - low > 1) {
			const uint32_t middle = low + (high - low) / 2;
			if (sum[middle] <= x)
				low = middle;
			else
				high = middle;
		}
		swarm_of[i] = low;
	}
	free(sum);
}
