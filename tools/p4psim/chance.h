/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Real numbers by chance, from the same state as common/base/random.h. */

#include "common/base/random.h"

#include <math.h>

/* Uniform in [0, 1). */
static inline double chance_unit(uint64_t *seed)
{
	return (double)(random_next(seed) >> 11) * 0x1p-53;
}

/* With mean 1. */
static inline double chance_exponential(uint64_t *seed)
{
	return -log1p(-chance_unit(seed));
}
