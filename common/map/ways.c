/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/ways.h"

#include "common/map/compiled.h"

#include <stdlib.h>
#include <string.h>

struct ways {
	const struct map_snapshot *map;
	struct distance_tree *trees; /* by provider; all zero: none was wanted */
	struct distance_step *
		*from;   /* by place: of the tree of this root; NULL: it was not wanted */
	uint32_t *steps; /* room for the longest way */
};

struct ways *ways_new(const struct map_snapshot *map)
{
	struct ways *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->map = map;
	w->trees = calloc(map->n_providers + 1, sizeof(*w->trees));
	w->from = calloc(map->n_pids + 1, sizeof(struct distance_step *));
	w->steps = malloc(MAP_PIDS_MAX * sizeof(*w->steps));
	if (w->trees != NULL && w->from != NULL && w->steps != NULL)
		return w;
	ways_free(w);
	return NULL;
}

void ways_free(struct ways *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; w->trees != NULL && i < w->map->n_providers; i++)
		distance_tree_done(&w->trees[i]);
	for (size_t i = 0; w->from != NULL && i <= w->map->n_pids; i++)
		free(w->from[i]);
	free(w->trees);
	free(w->from);
	free(w->steps);
	free(w);
}

/* NULL when out of memory. */
static const struct distance_step *tree_from(struct ways *w, const struct provider *p,
                                             uint32_t place)
{
	struct distance_tree *t = &w->trees[p - w->map->providers];
	const size_t size = p->n_pids * sizeof(*t->steps);
	if (w->from[place] != NULL)
		return w->from[place];
	if (t->graph == NULL &&
	    distance_tree_init(t, &w->map->ends[p->first_link], p->n_links, p->n_pids) != ERR_OK)
		return NULL;
	w->from[place] = malloc(size);
	if (w->from[place] == NULL)
		return NULL;
	distance_tree_grow(t, place - p->first_pid);
	return memcpy(w->from[place], t->steps, size);
}

enum err ways_between(struct ways *w, uint32_t from, uint32_t to, struct ways_list *out)
{
	const struct map_snapshot *s = w->map;
	const struct map_places home = snapshot_provider_places(s, from);
	*out = (struct ways_list){ .steps = w->steps };
	if (from == to || to < home.first || to >= home.end)
		return ERR_OK;
	const struct provider *p = &s->providers[s->places[from].provider];
	const struct distance_step *tree = tree_from(w, p, from);
	if (tree == NULL)
		return ERR_NOMEM;
	for (uint32_t at = to - p->first_pid; tree[at].before != UINT32_MAX; at = tree[at].before) {
		const uint32_t link = p->first_link + tree[at].link;
		w->steps[out->n++] = 2 * link + (s->ends[link].a == at);
	}
	return ERR_OK;
}
