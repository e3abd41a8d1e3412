/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct map_issue {
	struct map_issue *next;
	struct map_snapshot *map;
	/* Leases, plus one for the office while in force. Once 0, always 0. */
	atomic_uint holders;
};

struct map_office {
	_Atomic uint64_t edition; /* read without the lock, written under it */
	pthread_mutex_t lock;     /* guards what follows */
	uint64_t number;
	struct map_issue *in_force;
	struct map_issue *issues; /* all that have not been freed, the newest first */
	map_free_fn *free_map;
};

struct map_office *map_office_new(map_free_fn *free_map)
{
	struct map_office *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return NULL;
	o->free_map = free_map;
	pthread_mutex_init(&o->lock, NULL);
	return o;
}

static void let_go(struct map_issue *issue)
{
	if (issue != NULL)
		(void)atomic_fetch_sub(&issue->holders, 1);
}

/* Takes the issues that nobody holds out of the list. */
static struct map_issue *collect(struct map_office *o)
{
	struct map_issue *unheld = NULL;
	pthread_mutex_lock(&o->lock);
	for (struct map_issue **at = &o->issues; *at != NULL;) {
		struct map_issue *issue = *at;
		if (atomic_load(&issue->holders) > 0) {
			at = &issue->next;
			continue;
		}
		*at = issue->next;
		issue->next = unheld;
		unheld = issue;
	}
	pthread_mutex_unlock(&o->lock);
	return unheld;
}

void map_reap(struct map_office *office)
{
	struct map_issue *unheld = collect(office);
	while (unheld != NULL) {
		struct map_issue *next = unheld->next;
		office->free_map(unheld->map);
		free(unheld);
		unheld = next;
	}
}

void map_office_free(struct map_office *office)
{
	if (office == NULL)
		return;
	let_go(office->in_force);
	map_reap(office);
	must(office->issues == NULL);
	pthread_mutex_destroy(&office->lock);
	free(office);
}

/* `lease` NULL: a new map; else it must still be of the number in force. */
static enum err put_in_force(struct map_office *office, const struct map_lease *lease,
                             struct map_snapshot *map)
{
	struct map_issue *next = malloc(sizeof(*next));
	if (next == NULL)
		return ERR_NOMEM;
	next->map = map;
	atomic_init(&next->holders, 1);

	pthread_mutex_lock(&office->lock);
	if (lease != NULL && lease->number != office->number) {
		pthread_mutex_unlock(&office->lock);
		free(next);
		return ERR_EXISTS;
	}
	struct map_issue *old = office->in_force;
	office->in_force = next;
	next->next = office->issues;
	office->issues = next;
	office->number += lease == NULL;
	atomic_fetch_add(&office->edition, 1);
	pthread_mutex_unlock(&office->lock);

	let_go(old);
	map_reap(office);
	return ERR_OK;
}

enum err map_publish(struct map_office *office, struct map_snapshot *map)
{
	return put_in_force(office, NULL, map);
}

enum err map_publish_prices(struct map_office *office, const struct map_lease *lease,
                            struct map_snapshot *map)
{
	return put_in_force(office, lease, map);
}

const struct map_snapshot *map_renew(struct map_office *office, struct map_lease *lease)
{
	if (atomic_load_explicit(&office->edition, memory_order_relaxed) == lease->edition)
		return lease->map;

	struct map_issue *old = lease->issue;
	pthread_mutex_lock(&office->lock);
	lease->issue = office->in_force;
	lease->number = office->number;
	lease->edition = atomic_load(&office->edition);
	atomic_fetch_add(&lease->issue->holders, 1);
	pthread_mutex_unlock(&office->lock);

	lease->map = lease->issue->map;
	let_go(old);
	return lease->map;
}

void map_share(const struct map_lease *lease, struct map_lease *out)
{
	if (lease->issue != NULL)
		atomic_fetch_add(&lease->issue->holders, 1);
	*out = *lease;
}

void map_end(struct map_lease *lease)
{
	let_go(lease->issue);
	*lease = (struct map_lease){ 0 };
}
