/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What maps.c and change.c share: the documents in force. All but inside_parse() and inside_done() want the
 * lock held.
 */

#include "server/maps/maps.h"

#include <pthread.h>

/* One parsed document; all zero: none. */
struct paper {
	struct arena *arena;
	struct map_topology *topology; /* one of the two */
	struct map_costs *costs;
	uint64_t version;
};

struct provider {
	char name[MAP_NAME_MAX + 1];
	struct paper papers[2]; /* by enum store_kind */
};

struct maps {
	struct maps_options o;
	pthread_mutex_t lock; /* guards what is in force; held over a whole change */
	struct provider *providers;
	size_t n, room;
	uint64_t seen;    /* the newest activation in the store, of the last inside_sync() */
	bool unpublished; /* it has changed, but did not compile, or memory was short */

	pthread_mutex_t stats_lock; /* for a moment only: /metrics must not wait for a compile */
	struct maps_stats stats;
};

/* ERR_MALFORMED: *out is what was understood, if anything was. */
enum err inside_parse(const char *body, size_t size, enum store_kind kind, struct paper *out,
                      struct faults *faults) must_check;
void inside_done(struct paper *p);

struct provider *inside_find(const struct maps *m, const char *name); /* NULL: none */

/*
 * Makes what is in force here what is in force in the store. Documents that do not go together stay
 * unpublished: no error here, or the upload that puts them right would not get through.
 */
enum err inside_sync(struct maps *m, bool *changed) must_check;

/* The world as it is, or would be with `candidate` (of which either may be NULL) in it. free() the list. */
enum err inside_world(const struct maps *m, const char *name, const struct map_source *candidate,
                      struct map_source **out, size_t *count) must_check;
enum err inside_compile(const struct maps *m, const char *provider,
                        const struct map_source *candidate, struct map_snapshot **out,
                        struct faults *faults) must_check;

/* Makes `p` the provider's paper in force; takes it. Compiling is the caller's. */
enum err inside_put(struct maps *m, const char *name, enum store_kind kind,
                    struct paper *p) must_check;
enum err inside_publish(struct maps *m, struct map_snapshot *snapshot) must_check; /* takes it */
void inside_keep_copy(const struct maps *m, const struct store_document *d);
