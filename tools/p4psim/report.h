/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Outcomes as tables for people and as JSON for programs. p4psim(1) says what each figure means.
 */

#include "tools/p4psim/outcome.h"

#include "common/base/text.h"

struct report {
	const struct scenario *scenario;
	const struct network *network;
	const struct outcome *outcomes; /* of the scenario's policies, in their order */
	size_t n;
};

/* ERR_NOMEM. */
enum err report_table(const struct report *r, struct text *out) must_check;
enum err report_json(const struct report *r, struct text *out) must_check;

/* The segment whose highest bin comes nearest to its capacity, and what part of it that is; SIZE_MAX:
 * none has one. */
size_t report_bottleneck(const struct report *r, const struct outcome *o, double *most);
