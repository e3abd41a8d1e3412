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
	c->bytes = calloc(providers * CELLS + 1, sizeof(*c->bytes));
	return c->now.privates != NULL && c->bytes != NULL ? ERR_OK : ERR_NOMEM;
}

void trial_count_done(struct trial_count *c)
{
	free(c->now.privates);
	free(c->bytes);
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

void trial_add(struct trial_count *c, const struct trial_bytes *b)
{
	const uint32_t provider = snapshot_place(c->map, b->to).provider;
	if (provider == NO_PROVIDER)
		return;
	const uint64_t home = snapshot_provider_hash(c->map, provider);
	const bool control = steer_in_control(b->swarm, home, c->now.control_percent);
	const bool flagged = bsearch(&b->swarm, c->now.privates, c->now.n_privates,
	                             sizeof(b->swarm), by_number) != NULL;
	const size_t group = random_mix(b->swarm) % ACCOUNTING_GROUPS;
	const size_t at = (control * 2U + flagged) * ACCOUNTING_GROUPS + group;
	c->bytes[provider * (size_t)CELLS + at][tier_of(c, b, provider)] += b->bytes;
}

static bool has_bytes(const uint64_t bytes[static TIER_COUNT_])
{
	uint64_t any = 0;
	for (unsigned i = 0; i < TIER_COUNT_; i++)
		any |= bytes[i];
	return any != 0;
}

enum err trial_rows(const struct trial_count *c, struct accounting_bin *out)
{
	const bool counts = c->map != NULL && c->now.policy[0] != '\0';
	const size_t cells = counts ? snapshot_counts(c->map).providers * CELLS : 0;
	size_t n = 0;
	for (size_t i = 0; i < cells; i++)
		n += has_bytes(c->bytes[i]);
	out->trial = calloc(n + 1, sizeof(*out->trial));
	if (out->trial == NULL)
		return ERR_NOMEM;
	memcpy(out->policy, c->now.policy, sizeof(out->policy));
	for (size_t i = 0; i < cells; i++) {
		if (!has_bytes(c->bytes[i]))
			continue;
		struct accounting_trial_row *row = &out->trial[out->n_trial++];
		const char *name = snapshot_provider_name(c->map, (uint32_t)(i / CELLS));
		(void)snprintf(row->provider, sizeof(row->provider), "%s", name);
		row->control = i % CELLS / (2U * ACCOUNTING_GROUPS) == 1;
		row->flagged = i % (2U * ACCOUNTING_GROUPS) / ACCOUNTING_GROUPS == 1;
		row->group = (uint8_t)(i % ACCOUNTING_GROUPS);
		memcpy(row->bytes, c->bytes[i], sizeof(row->bytes));
	}
	return ERR_OK;
}
