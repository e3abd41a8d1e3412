/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Accounting over a map of three providers and a clock of the test's, and the clients in it. */

#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/accounting.h"
#include "tests/unit/accounting/folder.h"
#include "tests/unit/accounting/world.h"

enum { BIN = 300, START = 1800000000, MB = 1000000 };
_Static_assert(START % BIN == 0, "a bin starts here");

struct set_up {
	struct map_office *office;
	struct metrics *metrics;
	struct accounting *a;
	struct map_lease lease; /* the worker's */
	int64_t now;
	bool no_lines;
	uint32_t line_kbps; /* of every subscriber */
	int64_t heard[8];   /* the swarm store: when, by client; it outlives us */
	struct fault fault;
};

static inline void start(struct set_up *u)
{
	const struct accounting_options options = { .slots = 2,
		                                    .bin_seconds = BIN,
		                                    .max_peer_mbps = 1000000,
		                                    .no_lines = u->no_lines,
		                                    .state_dir = folder,
		                                    .ledger_max = 1000,
		                                    .office = u->office,
		                                    .metrics = u->metrics,
		                                    .now = u->now };
	assert_int_equal(accounting_new(&options, &u->a, &u->fault), ERR_OK);
}

static inline void set_up(struct set_up *u)
{
	*u = (struct set_up){ .now = START };
	u->office = map_office_new(snapshot_free);
	u->metrics = metrics_new(3);
	assert_int_equal(map_publish(u->office, world_new(3, 2)), ERR_OK);
	(void)map_renew(u->office, &u->lease);
	start(u);
	assert_int_equal(u->fault.code, ERR_OK);
}

static inline void tear_down(struct set_up *u)
{
	accounting_free(u->a);
	map_end(&u->lease);
	map_office_free(u->office);
	metrics_free(u->metrics);
}

static inline void tick(struct set_up *u, int64_t now)
{
	u->now = now;
	assert_int_equal(accounting_tick(u->a, now, &u->fault), ERR_OK);
}

/* Second by second. */
static inline void run_to(struct set_up *u, int64_t now)
{
	while (u->now < now)
		tick(u, u->now + 1);
}

struct who {
	unsigned id, isp, pid;
};

static const struct who alice = { 1, 0, 1 }, bob = { 2, 1, 0 }, carol = { 3, 2, 1 };

static inline bool known(const struct set_up *u, struct who w)
{
	return u->heard[w.id] != 0;
}

static inline uint32_t silent(const struct set_up *u, struct who w)
{
	return (uint32_t)(u->now - u->heard[w.id]);
}
