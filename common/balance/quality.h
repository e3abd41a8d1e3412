/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How good the figures of a bin are: flags, 0 when nothing is to be said against them. They are kept
 * in the database and in files, so a flag never changes its number.
 *
 * A bin that nobody saw is no bin with a bad quality: it is no bin at all. Gaps stay gaps.
 */

enum bin_quality {
	BIN_PARTIAL = 1,       /* observed for less than the bin's length */
	BIN_ESTIMATED = 2,     /* a longer reading, split over the bins it spans */
	BIN_DISCONTINUITY = 4, /* a counter was reset or wrapped inside it */
	BIN_SAMPLED = 8,       /* from sampled packets, times the sampling rate */
	BIN_LATE = 16,         /* changed after it was closed */
	BIN_GAPS = 32,         /* exports were lost on the way */
	BIN_QUALITY_ALL = 63
};
