/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A scenario from its file to its report: everything that p4psim does, but for its arguments.
 *
 * Ownership: study_done(). Threading: one thread.
 */

#include "tools/p4psim/report.h"
#include "tools/p4psim/sim.h"

struct study {
	struct arena *arena;
	struct scenario scenario;
	struct world world;
	struct population population;
	struct network network;
	struct outcome *outcomes;
	size_t n_outcomes;
};

/* Reads the scenario and everything that it names. `seed`: instead of the scenario's, or NULL.
 * ERR_MALFORMED, ERR_RANGE, ERR_SYSTEM: see `faults`. ERR_NOMEM. */
enum err study_load(struct study *s, const char *path, const uint64_t *seed,
                    struct faults *faults) must_check;
/* Keeps only the policies of this name; false when there is none. */
bool study_keep(struct study *s, const char *name);
enum err study_run(struct study *s) must_check;
struct report study_report(const struct study *s);
void study_done(struct study *s);
