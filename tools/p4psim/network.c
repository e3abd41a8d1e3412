/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/network.h"

#include <stdio.h>
#include <stdlib.h>

/* How a PID is reached from a site: by which segment, coming from which PID. */
struct hop {
	uint32_t from;    /* NOWHERE: it is not, or it is the site itself */
	uint32_t segment; /* in the direction away from the site */
	uint64_t weight;
	bool done;
};

#define NOWHERE UINT32_MAX

struct end {
	uint32_t a, b; /* PIDs of a link, from 0 within the provider */
	uint32_t weight;
};

/* What all sites of a provider share. */
struct domain {
	uint32_t first_place, n_pids;
	size_t first_segment; /* of its links */
	struct end *links;
	size_t n_links;
};

struct building {
	struct network *n;
	struct domain *domains;
	struct hop **trees; /* of each site */
};

static uint32_t place_of(const struct world *w, const char *provider, const char *pid)
{
	char key[PLACE_KEY_MAX];
	(void)snprintf(key, sizeof(key), "pid:%s/%s", provider, pid);
	return snapshot_place_find(w->map, key);
}

/* ---- segments ---- */

static void add_segments(struct network *n, struct segment one)
{
	for (unsigned i = 0; i < 2; i++) {
		one.reverse = i > 0;
		n->segments[n->n_segments++] = one;
	}
}

static enum err add_links(struct building *b, size_t provider)
{
	struct network *n = b->n;
	const struct map_topology *t = n->world->sources[provider].topology;
	struct domain *d = &b->domains[provider];
	d->first_segment = n->n_segments;
	if (t->n_pids > 0) {
		const struct map_places all = snapshot_provider_places(
			n->world->map, place_of(n->world, t->provider, t->pids[0].name));
		d->first_place = all.first;
		d->n_pids = all.end - all.first;
	}
	d->links = malloc((t->n_links + 1) * sizeof(*d->links));
	if (d->links == NULL)
		return ERR_NOMEM;
	for (; d->n_links < t->n_links; d->n_links++) {
		const struct map_link *l = &t->links[d->n_links];
		d->links[d->n_links] = (struct end){
			.a = place_of(n->world, t->provider, l->a) - d->first_place,
			.b = place_of(n->world, t->provider, l->b) - d->first_place,
			.weight = l->weight,
		};
		add_segments(n, (struct segment){ .provider = t->provider,
		                                  .id = l->id,
		                                  .capacity_bps = l->capacity_mbps * 1000000,
		                                  .weight = l->weight });
	}
	return ERR_OK;
}

static enum err add_all(struct building *b)
{
	struct network *n = b->n;
	const struct world *w = n->world;
	const size_t interconnects = snapshot_counts(w->map).interconnects;
	size_t links = 0;
	for (size_t i = 0; i < w->n; i++)
		links += w->sources[i].topology->n_links;
	n->segments = malloc((2 * (links + interconnects) + 1) * sizeof(*n->segments));
	if (n->segments == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < w->n; i++)
		if (add_links(b, i) != ERR_OK)
			return ERR_NOMEM;
	n->first_interconnect = n->n_segments;
	for (uint32_t i = 0; i < interconnects; i++) {
		const struct map_interconnect_info info = snapshot_interconnect(w->map, i);
		add_segments(n, (struct segment){ .provider = info.provider,
		                                  .id = info.id,
		                                  .interconnect = true,
		                                  .capacity_bps = info.capacity_mbps * 1000000 });
	}
	return ERR_OK;
}

/* ---- trees ---- */

static uint32_t nearest(const struct hop *tree, uint32_t n)
{
	uint32_t best = NOWHERE;
	for (uint32_t i = 0; i < n; i++)
		if (!tree[i].done &&
		    tree[i].weight < (best == NOWHERE ? UINT64_MAX : tree[best].weight))
			best = i;
	return best;
}

static void offer(struct hop *tree, uint32_t from, uint32_t to, uint32_t weight, size_t segment)
{
	const uint64_t total = tree[from].weight + weight;
	if (total < tree[to].weight)
		tree[to] =
			(struct hop){ .from = from, .segment = (uint32_t)segment, .weight = total };
}

/* Dijkstra's algorithm, without a heap: a provider of a simulation has tens of PIDs. */
static struct hop *grow_tree(const struct domain *d, uint32_t root)
{
	struct hop *tree = malloc(d->n_pids * sizeof(*tree));
	if (tree == NULL)
		return NULL;
	for (uint32_t i = 0; i < d->n_pids; i++)
		tree[i] = (struct hop){ .from = NOWHERE, .weight = i == root ? 0 : UINT64_MAX };
	for (uint32_t at; (at = nearest(tree, d->n_pids)) != NOWHERE;) {
		tree[at].done = true;
		for (size_t i = 0; i < d->n_links; i++) {
			const struct end *l = &d->links[i];
			if (l->a == at)
				offer(tree, at, l->b, l->weight, d->first_segment + 2 * i);
			else if (l->b == at)
				offer(tree, at, l->a, l->weight, d->first_segment + 2 * i + 1);
		}
	}
	return tree;
}

/* ---- paths ---- */

static bool append(struct network *n, struct network_path *p, uint32_t segment)
{
	if (n->n_steps == n->room) {
		const size_t room = 2 * n->room + 1024;
		uint32_t *steps = realloc(n->steps, room * sizeof(*steps));
		if (steps == NULL)
			return false;
		n->steps = steps;
		n->room = room;
	}
	n->steps[n->n_steps++] = segment;
	p->n++;
	return true;
}

/* Between a site and a PID of its provider; `towards` the site or away from it. */
static bool append_tree(const struct building *b, struct network_path *p, uint32_t site,
                        uint32_t place, bool towards)
{
	const struct hop *tree = b->trees[site];
	const struct domain *d = &b->domains[b->n->sites[site].provider];
	bool good = true;
	for (uint32_t at = place - d->first_place; good && tree[at].from != NOWHERE;
	     at = tree[at].from)
		good = append(b->n, p, tree[at].segment ^ (towards ? 1 : 0));
	return good;
}

/* From a site to its provider's interconnect, or to a site from there. */
static bool append_border(const struct building *b, struct network_path *p, uint32_t site,
                          uint32_t interconnect, bool in)
{
	if (interconnect == NO_INTERCONNECT)
		return true;
	const struct world *w = b->n->world;
	const struct map_interconnect_info info = snapshot_interconnect(w->map, interconnect);
	const size_t segment = b->n->first_interconnect + 2 * (size_t)interconnect + in;
	return append_tree(b, p, site, place_of(w, info.provider, info.pid), in) &&
	       append(b->n, p, (uint32_t)segment);
}

static bool lay_path(const struct building *b, uint32_t from, uint32_t to)
{
	struct network *n = b->n;
	struct network_path *p = &n->paths[from * n->n_sites + to];
	const struct map_pair pair =
		snapshot_pair(n->world->map, n->sites[from].place, n->sites[to].place);
	*p = (struct network_path){ .at = (uint32_t)n->n_steps, .tier = pair.tier };
	if (n->sites[from].provider == n->sites[to].provider)
		return append_tree(b, p, from, n->sites[to].place, false);
	return append_border(b, p, from, pair.out, false) && append_border(b, p, to, pair.in, true);
}

static enum err build(struct building *b, const uint32_t *places)
{
	struct network *n = b->n;
	if (add_all(b) != ERR_OK)
		return ERR_NOMEM;
	/* Segments of the two directions differ in the last bit. */
	must(n->first_interconnect % 2 == 0);
	for (uint32_t i = 0; i < n->n_sites; i++) {
		struct site *s = &n->sites[i];
		*s = (struct site){ .place = places[i] };
		const struct domain *d = b->domains;
		while (places[i] < d->first_place || places[i] >= d->first_place + d->n_pids)
			d++;
		s->provider = (uint32_t)(d - b->domains);
		b->trees[i] = grow_tree(d, places[i] - d->first_place);
		if (b->trees[i] == NULL)
			return ERR_NOMEM;
	}
	for (uint32_t from = 0; from < n->n_sites; from++)
		for (uint32_t to = 0; to < n->n_sites; to++)
			if (!lay_path(b, from, to))
				return ERR_NOMEM;
	return ERR_OK;
}

enum err network_build(struct network *n, const struct world *w, const uint32_t *places,
                       size_t n_places)
{
	must(n_places <= SITES_MAX);
	*n = (struct network){ .world = w, .n_sites = n_places };
	struct hop **trees = calloc(n_places + 1, sizeof(struct hop *));
	struct building b = { .n = n,
		              .domains = calloc(w->n + 1, sizeof(*b.domains)),
		              .trees = trees };
	n->sites = malloc((n_places + 1) * sizeof(*n->sites));
	n->paths = malloc((n_places * n_places + 1) * sizeof(*n->paths));
	enum err e = ERR_NOMEM;
	if (b.domains != NULL && b.trees != NULL && n->sites != NULL && n->paths != NULL)
		e = build(&b, places);
	for (size_t i = 0; b.trees != NULL && i < n_places; i++)
		free(b.trees[i]);
	for (size_t i = 0; b.domains != NULL && i < w->n; i++)
		free(b.domains[i].links);
	free(b.trees);
	free(b.domains);
	if (e != ERR_OK)
		network_done(n);
	return e;
}

void network_done(struct network *n)
{
	free(n->segments);
	free(n->sites);
	free(n->paths);
	free(n->steps);
	*n = (struct network){ 0 };
}
