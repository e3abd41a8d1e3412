/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The k-th smallest of many numbers without sorting them all.
 *
 * Pure.
 */

#include <stddef.h>
#include <stdint.h>

/* k from 1 to n. Reorders the values. Takes time in proportion to n, whatever the values. */
uint64_t select_smallest(uint64_t *values, size_t n, size_t k);
