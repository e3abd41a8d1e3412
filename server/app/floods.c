/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/floods.h"

#include "common/base/log.h"

#include <inttypes.h>

enum { FLOOD_LINES = 5 }; /* a second */

void floods_log(struct tracker *t, uint32_t now)
{
	struct flood floods[FLOOD_LINES];
	const size_t n = tracker_floods(t, now, floods, FLOOD_LINES);
	for (size_t i = 0; i < n; i++) {
		const struct flood *f = &floods[i];
		const char *what = f->what == LIMITS_CONNECTS ? "connects" : "announces";
		char of[IP_PREFIX_TEXT_SIZE];
		if (f->prefix)
			ip_prefix_print(&f->of, of);
		else
			ip_print(&f->of.addr, of);
		log_line(LOG_WARNING, "flood %s=%s what=%s count=%" PRIu64,
		         f->prefix ? "prefix" : "address", of, what, f->count);
	}
}
