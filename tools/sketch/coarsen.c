/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/coarsen.h"

#include "common/map/distance.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct work {
	const struct map_topology *t;
	uint32_t n;
	struct distance_link *links; /* by the numbers of PIDs */
	uint32_t *before;            /* distances of PIDs */
	uint32_t *apart;             /* distances of clusters, by their first members */
	uint32_t *first;             /* of each PID: the first member of its cluster */
	uint32_t *nearest; /* of each first member: another that it may merge with, or NONE */
	uint32_t *alike;   /* a PID that it is like; NONE: one without prefixes, like all */
	bool *linked;
	bool *near; /* linked, or a cost names it */
	double *addresses;
	struct cost_matrix costs;
	uint32_t *differ; /* like `apart`: how much costs differ; NULL: no costs */
	uint32_t *spread; /* of each first member: how much those inside differ; NULL: no costs */
	uint32_t accept;
};

static double addresses_of(const struct map_pid *pid)
{
	double sum = 0;
	for (size_t i = 0; i < pid->n_prefixes; i++) {
		const struct ip_prefix *p = &pid->prefixes[i];
		const int bits = p->addr.family == IP_V4 ? 32 : 56;
		double size = 1;
		for (int k = p->length; k < bits; k++)
			size *= 2;
		sum += size;
	}
	return sum;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The first PID that is of the same access, uploads and cap. */
static uint32_t like_of(const struct map_topology *t, uint32_t pid)
{
	const struct map_pid *p = &t->pids[pid];
	for (uint32_t i = 0; i < pid; i++) {
		const struct map_pid *o = &t->pids[i];
		if (o->n_prefixes > 0 && same_text(o->access, p->access) &&
		    o->uploads == p->uploads && o->monthly_upload_gb == p->monthly_upload_gb)
			return i;
	}
	return pid;
}

static bool alike(const struct work *w, uint32_t a, uint32_t b)
{
	return w->near[a] && w->near[b] &&
	       (w->alike[a] == NONE || w->alike[b] == NONE || w->alike[a] == w->alike[b]);
}

static uint32_t differ(const struct work *w, uint32_t a, uint32_t b)
{
	return w->differ != NULL ? w->differ[(size_t)a * w->n + b] : 0;
}

static bool may_merge(const struct work *w, uint32_t a, uint32_t b)
{
	return a != b && w->first[b] == b && alike(w, a, b) && differ(w, a, b) <= w->accept;
}

/* What is merged first has least: costs come before link weight. */
static uint64_t gap(const struct work *w, uint32_t a, uint32_t b)
{
	return (uint64_t)differ(w, a, b) << 32 | w->apart[(size_t)a * w->n + b];
}

static void find_nearest(struct work *w, uint32_t a)
{
	w->nearest[a] = NONE;
	for (uint32_t b = 0; b < w->n; b++)
		if (may_merge(w, a, b) &&
		    (w->nearest[a] == NONE || gap(w, a, b) < gap(w, a, w->nearest[a])))
			w->nearest[a] = b;
}

/* `a` becomes as far from `k` as the farther of it and `b`. */
static void take_farther(uint32_t *matrix, size_t n, uint32_t a, uint32_t b, uint32_t k)
{
	uint32_t *ak = &matrix[a * n + k];
	const uint32_t bk = matrix[b * n + k];
	*ak = bk > *ak ? bk : *ak;
	matrix[k * n + a] = *ak;
}

/* Merges the nearest two clusters; false: no two may. */
static bool merge_two(struct work *w)
{
	uint32_t a = NONE;
	uint64_t closest = 0;
	for (uint32_t i = 0; i < w->n; i++) {
		if (w->first[i] != i || w->nearest[i] == NONE)
			continue;
		const uint64_t distance = gap(w, i, w->nearest[i]);
		if (a == NONE || distance < closest) {
			a = i;
			closest = distance;
		}
	}
	if (a == NONE)
		return false;
	const uint32_t b = w->nearest[a];
	if (w->differ != NULL)
		w->spread[a] = differ(w, a, b); /* what is merged later never differs less */
	for (uint32_t k = 0; k < w->n; k++) {
		take_farther(w->apart, w->n, a, b, k);
		if (w->differ != NULL)
			take_farther(w->differ, w->n, a, b, k);
		if (w->first[k] == b)
			w->first[k] = a;
	}
	w->alike[a] = w->alike[a] == NONE ? w->alike[b] : w->alike[a];
	for (uint32_t k = 0; k < w->n; k++)
		if (w->first[k] == k && (k == a || w->nearest[k] == a || w->nearest[k] == b))
			find_nearest(w, k);
	return true;
}

/* ---- what comes of it ---- */

/* Each cluster is known by its member with most addresses. */
static void choose_names(const struct work *w, struct coarse *out)
{
	uint32_t *best = w->nearest; /* no longer needed */
	for (uint32_t i = 0; i < w->n; i++)
		best[i] = NONE;
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t *of = &best[w->first[i]];
		if (*of == NONE || w->addresses[i] > w->addresses[*of])
			*of = i;
	}
	for (uint32_t i = 0; i < w->n; i++) {
		const uint32_t of = best[w->first[i]];
		struct coarse_pid *to = &out->pids[of];
		out->pids[i].of = of;
		out->n += of == i;
		to->members++;
		to->addresses += w->addresses[i];
		to->differ = w->differ != NULL ? w->spread[w->first[i]] : 0;
		for (uint32_t k = 0; k < i; k++)
			if (w->first[k] == w->first[i] &&
			    w->before[(size_t)i * w->n + k] > to->farthest)
				to->farthest = w->before[(size_t)i * w->n + k];
	}
}

/* The distances once more, over the links that are left. */
static enum err measure(struct work *w, struct coarse *out)
{
	size_t n_links = 0;
	double all = 0, pairs = 0;
	for (size_t i = 0; i < w->t->n_links; i++) {
		struct distance_link l = w->links[i];
		l.a = out->pids[l.a].of;
		l.b = out->pids[l.b].of;
		if (l.a != l.b)
			w->links[n_links++] = l;
	}
	out->links_gone = w->t->n_links - n_links;
	if (distance_all(w->links, n_links, w->n, w->apart) != ERR_OK)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->n; i++) {
		const uint32_t to = out->pids[i].of;
		all += w->addresses[i];
		out->moved += to != i ? w->addresses[i] : 0;
		out->inside += w->addresses[i] * w->before[(size_t)i * w->n + to];
		for (uint32_t k = 0; k < i; k++) {
			const uint32_t other = out->pids[k].of;
			const double weight = w->addresses[i] * w->addresses[k];
			const double then = w->before[(size_t)i * w->n + k];
			const double now = w->apart[(size_t)to * w->n + other];
			if (other == to || weight == 0 || !w->linked[i] || !w->linked[k])
				continue;
			pairs += weight;
			out->distance += weight * then;
			out->change += weight * (now > then ? now - then : then - now);
		}
	}
	out->moved /= all > 0 ? all : 1;
	out->inside /= all > 0 ? all : 1;
	out->distance /= pairs > 0 ? pairs : 1;
	out->change /= pairs > 0 ? pairs : 1;
	return ERR_OK;
}

static enum err price(const struct work *w, struct coarse *out)
{
	uint32_t *group = malloc(w->n * sizeof(*group));
	uint32_t n = 0;
	if (group == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->n; i++)
		if (out->pids[i].of == i)
			group[i] = n++;
	for (uint32_t i = 0; i < w->n; i++)
		group[i] = group[out->pids[i].of];
	const enum err e = cost_matrix_merge(&w->costs, group, n, w->addresses, &out->costs);
	free(group);
	return e;
}

/* ---- the whole ---- */

/* Without prefixes, and no cost is said between it and another. */
static bool unpriced(const struct work *w, uint32_t pid)
{
	return w->alike[pid] == NONE && !w->costs.named[pid];
}

static enum err weigh_costs(struct work *w, const struct map_costs *costs,
                            const struct table *numbers)
{
	w->differ = calloc((size_t)w->n * w->n, sizeof(*w->differ));
	w->spread = calloc(w->n, sizeof(*w->spread));
	if (w->differ == NULL || w->spread == NULL ||
	    cost_matrix_init(&w->costs, costs, numbers, w->n, w->before) != ERR_OK)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->n; i++)
		w->near[i] |= w->costs.named[i];
	for (uint32_t i = 0; i < w->n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			/* What never comes together, or has nothing that a cost could be of. */
			if (!alike(w, i, k) || unpriced(w, i) || unpriced(w, k))
				continue;
			const uint32_t by = cost_matrix_differ(&w->costs, i, k);
			w->differ[(size_t)i * w->n + k] = w->differ[(size_t)k * w->n + i] = by;
		}
	}
	return ERR_OK;
}

static enum err take_room(struct work *w)
{
	const size_t n = w->n, cells = n * n;
	w->links = malloc((w->t->n_links + 1) * sizeof(*w->links));
	w->before = malloc(cells * sizeof(*w->before));
	w->apart = malloc(cells * sizeof(*w->apart));
	w->first = malloc(n * sizeof(*w->first));
	w->nearest = malloc(n * sizeof(*w->nearest));
	w->alike = malloc(n * sizeof(*w->alike));
	w->linked = calloc(n, sizeof(*w->linked));
	w->near = malloc(n * sizeof(*w->near));
	w->addresses = malloc(n * sizeof(*w->addresses));
	return w->links == NULL || w->before == NULL || w->apart == NULL || w->first == NULL ||
	                       w->nearest == NULL || w->alike == NULL || w->linked == NULL ||
	                       w->near == NULL || w->addresses == NULL
	               ? ERR_NOMEM
	               : ERR_OK;
}

static enum err begin(struct work *w, const struct map_costs *costs, struct table *numbers)
{
	if (take_room(w) != ERR_OK)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->n; i++) {
		const struct map_pid *pid = &w->t->pids[i];
		if (table_add(numbers, pid->name, i, NULL) != ERR_OK)
			return ERR_NOMEM;
		w->first[i] = i;
		w->addresses[i] = addresses_of(pid);
		w->alike[i] = pid->n_prefixes > 0 ? like_of(w->t, i) : NONE;
	}
	for (size_t i = 0; i < w->t->n_links; i++) {
		const struct map_link *l = &w->t->links[i];
		struct distance_link *to = &w->links[i];
		to->weight = l->weight;
		must(table_find(numbers, l->a, &to->a) && table_find(numbers, l->b, &to->b));
		w->linked[to->a] = w->linked[to->b] = true;
	}
	if (distance_all(w->links, w->t->n_links, w->n, w->before) != ERR_OK)
		return ERR_NOMEM;
	memcpy(w->apart, w->before, (size_t)w->n * w->n * sizeof(*w->apart));
	memcpy(w->near, w->linked, w->n * sizeof(*w->near));
	if (costs != NULL && weigh_costs(w, costs, numbers) != ERR_OK)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->n; i++)
		find_nearest(w, i);
	return ERR_OK;
}

static void finish(struct work *w)
{
	free(w->links);
	free(w->before);
	free(w->apart);
	free(w->first);
	free(w->nearest);
	free(w->alike);
	free(w->linked);
	free(w->near);
	free(w->addresses);
	free(w->differ);
	free(w->spread);
	cost_matrix_done(&w->costs);
}

enum err coarsen(const struct map_topology *t, const struct coarse_ask *ask, struct coarse *out)
{
	*out = (struct coarse){ .n_pids = t->n_pids, .given = ask->costs };
	if (t->n_links == 0 && (ask->costs == NULL || ask->costs->n_pid_costs == 0))
		return ERR_NOT_FOUND;
	struct work w = { .t = t, .n = (uint32_t)t->n_pids, .accept = ask->accept };
	out->numbers = table_new(t->n_pids);
	out->pids = calloc(t->n_pids, sizeof(*out->pids));
	enum err e = out->numbers != NULL && out->pids != NULL ? begin(&w, ask->costs, out->numbers)
	                                                       : ERR_NOMEM;
	if (e == ERR_OK) {
		for (size_t n = t->n_pids; n > ask->want && merge_two(&w); n--)
			;
		choose_names(&w, out);
		e = measure(&w, out);
	}
	if (e == ERR_OK && ask->costs != NULL)
		e = price(&w, out);
	finish(&w);
	return e;
}

void coarse_done(struct coarse *c)
{
	free(c->pids);
	table_free(c->numbers);
	cost_merged_done(&c->costs);
	*c = (struct coarse){ 0 };
}

/* ---- the new topology ---- */

static const struct sketch_origin nowhere = { 0 };

/* A PID that stands for others has prefixes when any of them has: it is that with most addresses. */
static void draw_pids(const struct map_topology *t, const struct coarse *c, struct sketch *s)
{
	size_t disagree = 0;
	for (size_t i = 0; i < t->n_pids; i++) {
		const struct map_pid *of = &t->pids[c->pids[i].of], *pid = &t->pids[i];
		const uint32_t number = sketch_pid(s, of->name);
		if (number == SKETCH_NONE)
			return;
		if (c->pids[i].of == i) {
			struct map_pid *to = &s->pids[number];
			const char *name = to->name;
			*to = *pid;
			to->name = name;
			to->prefixes = NULL;
			to->n_prefixes = 0;
		}
		for (size_t k = 0; k < pid->n_prefixes; k++)
			sketch_prefix(s, number, &pid->prefixes[k], nowhere);
	}
	for (size_t i = 0; i < t->n_pids; i++) {
		const struct map_pid *of = &t->pids[c->pids[i].of], *pid = &t->pids[i];
		struct map_pid *to = &s->pids[sketch_find_pid(s, of->name)];
		if (pid->n_prefixes == 0 || (pid->subscriber_up_kbps == of->subscriber_up_kbps &&
		                             pid->subscriber_down_kbps == of->subscriber_down_kbps))
			continue;
		disagree++;
		to->subscriber_up_kbps = to->subscriber_down_kbps = 0;
	}
	if (disagree > 0)
		sketch_warn(
			s, nowhere, "speeds",
			"%zu PIDs have other subscriber speeds than the PID that they become; where "
			"members differ, it says none",
			disagree);
}

/* The PID that the named one becomes. */
static const char *becomes(const struct map_topology *t, const struct coarse *c, const char *name)
{
	uint32_t number;
	must(table_find(c->numbers, name, &number));
	return t->pids[c->pids[number].of].name;
}

static void draw_costs(const struct map_topology *t, const struct coarse *c, struct sketch *s)
{
	const uint32_t *next = c->costs.costs;
	for (size_t i = 0; i < t->n_pids; i++) {
		for (size_t k = 0; k < t->n_pids && c->pids[i].of == i; k++) {
			if (c->pids[k].of != k)
				continue;
			if ((*next & COST_SAID) != 0)
				sketch_pid_cost(s, t->pids[i].name, t->pids[k].name,
				                *next & ~COST_SAID);
			next++;
		}
	}
	for (size_t i = 0; i < c->given->n_interconnect_costs; i++) {
		const struct map_interconnect_cost *x = &c->given->interconnect_costs[i];
		sketch_interconnect_cost(s, x->id, x->out, x->in);
	}
}

void coarse_draw(const struct map_topology *t, const struct coarse *c, struct sketch *s)
{
	s->provider = t->provider;
	for (size_t i = 0; i < t->n_asns; i++)
		sketch_asn(s, t->asns[i]);
	draw_pids(t, c, s);
	for (size_t i = 0; i < t->n_links; i++) {
		struct map_link l = t->links[i];
		l.a = becomes(t, c, l.a);
		l.b = becomes(t, c, l.b);
		if (l.a != l.b)
			*sketch_link(s, l.id, nowhere) = l;
	}
	for (size_t i = 0; i < t->n_interconnects; i++) {
		struct map_interconnect x = t->interconnects[i];
		struct map_interconnect *to = sketch_interconnect(s, x.id, nowhere);
		x.id = to->id;
		x.pid = becomes(t, c, x.pid);
		*to = x;
	}
	if (c->given != NULL)
		draw_costs(t, c, s);
}
