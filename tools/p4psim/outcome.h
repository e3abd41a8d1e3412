/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a run showed: bytes from site to site, loads of the segments bin by bin, and when who was done.
 *
 * Bytes are those on the wire, the scenario's overhead included.
 *
 * Ownership: outcome_done(). Threading: one thread.
 */

#include "tools/p4psim/network.h"
#include "tools/p4psim/scenario.h"

struct outcome {
	size_t n_sites, n_segments, n_bins;
	double *pairs; /* [from * n_sites + to] */
	double *open;  /* the same, of the bin that is not closed */
	double *bins;  /* [bin * n_segments + segment] */
	size_t bins_room;
	struct outcome_peer {
		uint32_t person, site;
		double seconds; /* from joining to completion; below 0: did not complete */
		bool gave_up;
	} * peers; /* the leechers */
	size_t n_peers;
	double seconds; /* simulated */
	double step;
	double content; /* bytes that the completed pieces of all leechers have, off the wire */
};

enum err outcome_init(struct outcome *o, const struct network *n, size_t leechers) must_check;
void outcome_done(struct outcome *o);

/* Ends the open bin. */
enum err outcome_close_bin(struct outcome *o, const struct network *n) must_check;

/* ---- figures ---- */

/* Bytes by tier, over all pairs. */
void outcome_tiers(const struct outcome *o, const struct network *n,
                   double out[static TIER_COUNT_]);

/* Bytes that came into a provider from the others. */
double outcome_imports(const struct outcome *o, const struct network *n, uint32_t provider);

double outcome_bytes(const struct outcome *o, size_t segment);
/* Bits per second in the bins; `part` 1 is the highest, .95 the 95th percentile (nearest rank). */
double outcome_load(const struct outcome *o, size_t segment, double part, uint32_t bin_seconds);

struct outcome_times {
	size_t n, unfinished,
		gave_up; /* completed; not, though it stayed to the end; went before */
	double median, p95, mean, most;
};
/* Of a provider's leechers; UINT32_MAX: of all. ERR_NOMEM. */
enum err outcome_times(const struct outcome *o, const struct network *n, uint32_t provider,
                       struct outcome_times *out) must_check;
