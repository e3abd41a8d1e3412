/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The checksum of our files: BLAKE2b, 128 bits. */

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

enum { SUM_SIZE = crypto_generichash_BYTES_MIN };

static inline void sum_make(const void *data, size_t size, uint8_t out[static SUM_SIZE])
{
	(void)crypto_generichash(out, SUM_SIZE, data, size, NULL, 0);
}

static inline bool sum_holds(const void *data, size_t size, const uint8_t *sum)
{
	uint8_t real[SUM_SIZE];
	sum_make(data, size, real);
	return memcmp(real, sum, sizeof(real)) == 0;
}
