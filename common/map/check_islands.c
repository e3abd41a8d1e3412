/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/checking.h"

#include <stdlib.h>

/*
 * Islands: PIDs that links join, by union-find. Each PID points towards the root of its island,
 * which counts the members.
 */
struct island {
	uint32_t up; /* itself: a root */
	uint32_t members;
};

static uint32_t root_of(struct island *islands, uint32_t pid)
{
	while (islands[pid].up != pid) {
		islands[pid].up = islands[islands[pid].up].up;
		pid = islands[pid].up;
	}
	return pid;
}

static void join(struct island *islands, uint32_t a, uint32_t b)
{
	a = root_of(islands, a);
	b = root_of(islands, b);
	if (a == b)
		return;
	const bool a_wins = islands[a].members >= islands[b].members;
	const uint32_t winner = a_wins ? a : b, loser = a_wins ? b : a;
	islands[loser].up = winner;
	islands[winner].members += islands[loser].members;
}

/* The largest must be the only one; a PID alone hangs at the provider's largest distance. */
static void judge(struct checking *c, struct island *islands)
{
	const struct map_topology *t = c->t;
	uint32_t largest = 0;
	for (uint32_t i = 0; i < t->n_pids; i++)
		if (islands[root_of(islands, i)].members > islands[largest].members)
			largest = root_of(islands, i);
	if (islands[largest].members < 2) /* nothing is linked */
		return;

	/* The first PID of an island speaks for it: its root is silenced afterwards. */
	for (uint32_t i = 0; i < t->n_pids; i++) {
		const uint32_t root = root_of(islands, i);
		const uint32_t members = islands[root].members;
		if (root == largest || members == 0)
			continue;
		islands[root].members = 0;
		if (members == 1)
			(void)faults_add(c->warnings, ERR_RANGE, "unlinked",
			                 place("/pids/%u", (unsigned)i).text,
			                 "no link names PID \"%s\", so it counts as far away from "
			                 "all others",
			                 t->pids[i].name);
		else
			(void)faults_add(c->faults, ERR_RANGE, "disconnected",
			                 place("/pids/%u", (unsigned)i).text,
			                 "must be linked with the other PIDs; only %u hang "
			                 "together with \"%s\"",
			                 (unsigned)members - 1, t->pids[i].name);
	}
}

enum err check_islands(struct checking *c)
{
	const struct map_topology *t = c->t;
	if (t->n_links == 0)
		return ERR_OK;
	struct island *islands = calloc(t->n_pids, sizeof(*islands));
	if (islands == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < t->n_pids; i++)
		islands[i] = (struct island){ .up = i, .members = 1 };
	bool clear = !c->pids_unclear;
	for (size_t i = 0; i < t->n_links && clear; i++) {
		const struct map_link *l = &t->links[i];
		uint32_t a, b;
		clear = l->a != NULL && l->b != NULL && table_find(c->pids, l->a, &a) &&
		        table_find(c->pids, l->b, &b) && a != b;
		if (clear)
			join(islands, a, b);
	}
	if (clear) /* a link with a faulty end might join any two */
		judge(c, islands);
	free(islands);
	return ERR_OK;
}
