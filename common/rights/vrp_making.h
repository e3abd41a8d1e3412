/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A table of VRPs while it is read. Private to vrp*.c.
 */

#include "common/ip/cover.h"
#include "common/rights/vrp.h"

struct vrp_said {
	uint32_t asn;
	uint8_t max_length;
	uint8_t ta; /* of `tas` */
};

enum { VRP_TAS_MAX = 32 };

struct vrp_table {
	struct vrp_about about;
	char tas[VRP_TAS_MAX][VRP_TA_SIZE]; /* [0] is "" */
	size_t n_tas;
	struct vrp_said *said; /* by an entry's value */
	struct cover *cover;
};

struct vrp_making {
	struct vrp_table *t;
	struct lpm_entry *entries;
	size_t n, room;
};

/* ERR_NOMEM; ERR_RANGE: there are VRPS_MAX already. */
enum err vrp_making_add(struct vrp_making *m, const struct vrp *v) must_check;
