/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Between which places the bytes went that announces tell of, and the largest places, networks and swarms
 * (reference: accounting, section 5). Estimates all of them, with an interval of which the answer says
 * whether it bounds the error (common/balance/spread.h).
 *
 * What a row is of: a provider's book. A token of one provider sees its book, and in it of other
 * providers only who they are.
 *
 * A swarm has a row of its own when at least `least_clients` clients of the provider reported in it, in
 * the window; what such rows tell of fewer would be told of people. The others are one row.
 *
 * JSON, or CSV (RFC 4180). On failure nothing was written. Threading: any; blocks on the database.
 */

#include "server/report/report.h"

enum report_level { REPORT_PID, REPORT_AS, REPORT_INTERCONNECT };
enum { REPORT_ROWS = 1000, REPORT_ROWS_MAX = 100000 };

struct report_ask {
	struct report_query query; /* as report_window() gives it */
	enum report_level level;
	bool scoped;  /* who asks sees one provider alone */
	bool by_cost; /* the dearest first, not the largest */
	size_t limit;
	unsigned least_clients;
};

typedef enum err report_ask_fn(struct store *s, const struct report_options *o,
                               const struct report_ask *ask, struct text *out) must_check;
report_ask_fn report_matrix;
report_ask_fn report_top_places; /* REPORT_PID: its PIDs; REPORT_AS: who is on the far side */
report_ask_fn report_top_swarms;
