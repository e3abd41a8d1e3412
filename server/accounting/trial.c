/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/trial.h"

#include "common/base/random.h"
#include "common/steer/arms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 2 * 2 * ACCOUNTING_GROUPS }; /* of a provider: arm, flag, group */

void trial_init(struct trial *t)
{
	*t = (struct trial){ .n_privates = 0 };
	pthread_mutex_init(&t->lock, NULL);
}

void trial_done(struct trial *t)
{
	free(t->privates);
	pthread_mutex_destroy(&t->lock);
}

void trial_set(struct trial *t, unsigned control_percent, const char *policy)
{
	pthread_mutex_lock(&t->lock);
	t->control_percent = control_percent;
	(void)snprintf(t->policy, sizeof(t->policy), "%s", policy);
	pthread_mutex_unlock(&t->lock);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* NULL when out of memory. */
static uint64_t *copy(const uint64_t *swarms, size_t n)
{
	uint64_t *mine = malloc(n * sizeof(*mine) + 1);
	if (mine != NULL && n > 0)
		memcpy(mine, swarms, n * sizeof(*mine));
	return mine;
}

enum err trial_private(struct trial *t, const uint64_t *swarms, size_t n)
{
	uint64_t *sorted = copy(swarms, n);
	if (sorted == NULL)
		return ERR_NOMEM;
	qsort(sorted, n, sizeof(*sorted), by_number);
	pthread_mutex_lock(&t->lock);
	free(t->privates);
	t->privates = sorted;
	t->n_privates = n;
	pthread_mutex_unlock(&t->lock);
	return ERR_OK;
}

/* ---- a bin ---- */

enum err trial_count_init(struct trial_count *c, struct trial *t, const struct map_snapshot *map)
{
	const size_t providers = map != NULL ? snapshot_counts(map).providers : 0;
	*c = (struct trial_count){ .map = map };
	pthread_mutex_lock(&t->lock);
	memcpy(c->now.policy, t->policy, sizeof(c->now.policy));
	c->now.control_percent = t->control_percent;
	c->now.n_privates = t->n_privates;
	c->now.privates = copy(t->privates, t->n_privates);
	pthread_mutex_unlock(&t->lock);
	c->cells = calloc(providers * CELLS + 1, sizeof(*c->cells));
	c->times = calloc(providers * CELLS + 1, sizeof(*c->times));
	c->last = calloc(providers + 1, sizeof(*c->last));
	return c->now.privates != NULL && c->cells != NULL && c->times != NULL && c->last != NULL
	               ? ERR_OK
	               : ERR_NOMEM;
}

void trial_count_done(struct trial_count *c)
{
	free(c->now.privates);
	free(c->cells);
	free(c->times);
	free(c->last);
}

/* As the receiver's book has it. */
static enum map_tier tier_of(const struct trial_count *c, const struct trial_bytes *b,
                             uint32_t provider)
{
	static const enum map_tier tiers[] = { [RELATION_SETTLEMENT_FREE] = TIER_SETTLEMENT_FREE,
		                               [RELATION_CUSTOMER] = TIER_SETTLEMENT_FREE,
		                               [RELATION_SIBLING] = TIER_SETTLEMENT_FREE,
		                               [RELATION_PAID_PEERING] = TIER_PAID_PEERING,
		                               [RELATION_TRANSIT] = TIER_TRANSIT };
	if (b->from == b->to)
		return TIER_SAME_PID;
	if (snapshot_place(c->map, b->from).provider == provider)
		return TIER_SAME_PROVIDER;
	return b->in != NO_INTERCONNECT ? tiers[snapshot_interconnect(c->map, b->in).relation]
	                                : TIER_UNKNOWN;
}

bool trial_is_private(const struct trial_count *c, uint64_t swarm)
{
	return bsearch(&swarm, c->now.privates, c->now.n_privates, sizeof(swarm), by_number) !=
	       NULL;
}

static size_t cell_at(const struct trial_count *c, uint64_t swarm, uint32_t provider)
{
	const uint64_t home = snapshot_provider_hash(c->map, provider);
	const bool control = steer_in_control(swarm, home, c->now.control_percent);
	const bool flagged = trial_is_private(c, swarm);
	const size_t group = random_mix(swarm) % ACCOUNTING_GROUPS;
	return provider * (size_t)CELLS + (control * 2U + flagged) * ACCOUNTING_GROUPS + group;
}

void trial_add(struct trial_count *c, const struct trial_bytes *b)
{
	const uint32_t provider = snapshot_place(c->map, b->to).provider;
	if (provider == NO_PROVIDER || b->bytes == 0)
		return;
	struct trial_cell *cell = &c->cells[cell_at(c, b->swarm, provider)];
	const enum map_tier tier = tier_of(c, b, provider);
	const double copies = b->size > 0 ? (double)b->bytes / b->size : 0;
	cell->bytes[tier] += b->bytes;
	cell->copies += copies;
	cell->imported += tier != TIER_SAME_PID && tier != TIER_SAME_PROVIDER ? copies : 0;
	if (c->last[provider] == b->swarm)
		return;
	c->last[provider] = b->swarm;
	cell->swarms++;
	cell->unsized += b->size <= 0;
}

void trial_time(struct trial_count *c, uint64_t swarm, uint32_t place, uint32_t bucket)
{
	const uint32_t provider = snapshot_place(c->map, place).provider;
	if (provider == NO_PROVIDER)
		return;
	const size_t at = cell_at(c, swarm, provider);
	c->times[at][bucket]++;
	c->cells[at].completed++;
}

static bool says_something(const struct trial_cell *cell)
{
	return cell->swarms != 0 || cell->completed != 0;
}

static uint64_t millionths(double copies)
{
	return copies < 1e12 ? (uint64_t)(copies * 1e6 + 0.5) : UINT64_C(1000000000000000000);
}

static void fill(const struct trial_count *c, size_t at, struct accounting_trial_row *row)
{
	const struct trial_cell *cell = &c->cells[at];
	const char *name = snapshot_provider_name(c->map, (uint32_t)(at / CELLS));
	*row = (struct accounting_trial_row){
		.control = at % CELLS / (2U * ACCOUNTING_GROUPS) == 1,
		.flagged = at % (2U * ACCOUNTING_GROUPS) / ACCOUNTING_GROUPS == 1,
		.group = (uint8_t)(at % ACCOUNTING_GROUPS),
		.copies = millionths(cell->copies),
		.imported = millionths(cell->imported),
		.swarms = cell->swarms,
		.unsized = cell->unsized,
	};
	(void)snprintf(row->provider, sizeof(row->provider), "%s", name);
	memcpy(row->bytes, cell->bytes, sizeof(row->bytes));
	memcpy(row->times, c->times[at], sizeof(row->times));
}

enum err trial_rows(const struct trial_count *c, struct accounting_bin *out)
{
	const bool counts = c->map != NULL && c->now.policy[0] != '\0';
	const size_t cells = counts ? snapshot_counts(c->map).providers * CELLS : 0;
	size_t n = 0;
	for (size_t i = 0; i < cells; i++)
		n += says_something(&c->cells[i]);
	out->trial = calloc(n + 1, sizeof(*out->trial));
	if (out->trial == NULL)
		return ERR_NOMEM;
	memcpy(out->policy, c->now.policy, sizeof(out->policy));
	for (size_t i = 0; i < cells; i++)
		if (says_something(&c->cells[i]))
			fill(c, i, &out->trial[out->n_trial++]);
	return ERR_OK;
}
