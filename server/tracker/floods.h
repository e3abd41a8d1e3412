/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who goes over the limits, for the operator's log: a line a minute for each, a few a second in all.
 *
 * A book of fixed size: a flooder whose place another one holds is not written down (the counters
 * have it all the same), and gets the place when that one has been silent for a minute.
 *
 * Threading: any; a note that would have to wait for the lock is left out.
 */

#include "server/tracker/limits.h"

struct floods;

struct floods *floods_new(void);    /* NULL when out of memory */
void floods_free(struct floods *f); /* NULL is fine */

/* One request more was not answered. `verdict` says whose limit it was. `now` in steady seconds. */
void floods_note(struct floods *f, enum limits_what what, enum limits_verdict verdict,
                 const struct ip_addr *from, uint32_t now);

struct flood {
	enum limits_what what;
	bool prefix;         /* all of it together went over */
	struct ip_prefix of; /* an address is a /32 or, as it was first seen, a /128 */
	uint64_t count;      /* requests not answered since the last line */
};

/* At most `max` whose line is due, and the line counts as written. */
size_t floods_due(struct floods *f, uint32_t now, struct flood *out, size_t max);
