/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the steps of a check share: where faults go and how a place is written. Private to check*.c.
 */

#include "common/base/table.h"
#include "common/map/check.h"

struct checking {
	const struct map_topology *t; /* the document being uploaded */
	const struct map_rules *rules;
	struct faults *faults, *warnings;
	struct table *pids; /* name -> index */
	bool pids_unclear;  /* some names could not be read, so that none is unknown */
};

/* A JSON pointer by value: place("/pids/%zu", i).text */
struct place {
	char text[sizeof(((struct fault *)0)->where)];
};
struct place place(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ERR_MALFORMED when there are more faults now than the `before` ones. */
size_t faults_found(const struct faults *all);
enum err faults_verdict(const struct faults *all, size_t before) must_check;

/* The steps of map_topology_check(), beside the names; each ERR_OK or ERR_NOMEM. */
enum err check_prefixes(struct checking *c) must_check;
enum err check_islands(struct checking *c) must_check;
