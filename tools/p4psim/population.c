/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/population.h"

#include "tools/p4psim/chance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct drawing {
	struct population *p;
	const struct scenario *s;
	const struct map_snapshot *map;
	struct faults *faults;
	uint64_t seed;
	double *zipf; /* cumulated weights of the swarms */
	bool bad;
};

/* "/peers/3/pids/isp-a~1a-east": where the count of a PID stands. */
static void fault_of(struct drawing *d, size_t group, const char *pid, const char *text)
{
	char where[160];
	size_t n_peers = 0;
	while (n_peers < d->s->n_groups && !d->s->groups[n_peers].seed)
		n_peers++;
	const bool seed = group >= n_peers;
	int n = snprintf(where, sizeof(where), "/%s/%zu/pids/", seed ? "seeds" : "peers",
	                 seed ? group - n_peers : group);
	for (; *pid != '\0' && n < (int)sizeof(where) - 3; pid++) {
		if (*pid == '~' || *pid == '/')
			where[n++] = '~';
		where[n++] = (char)(*pid == '/' ? '1' : *pid == '~' ? '0' : *pid);
	}
	where[n] = '\0';
	d->bad = true;
	(void)faults_add(d->faults, ERR_MALFORMED, "pid", where, "%s", text);
}

/* The site of a place, a new one if need be. */
static uint32_t site_of(struct population *p, uint32_t place)
{
	size_t i = 0;
	while (i < p->n_sites && p->places[i] != place)
		i++;
	if (i == p->n_sites)
		p->places[p->n_sites++] = place;
	return (uint32_t)i;
}

static double arrival(struct drawing *d, const struct scenario_group *g, size_t n, double *last)
{
	const double span = g->arrive_seconds;
	switch ((enum arrival)g->arrive) {
	case ARRIVE_UNIFORM:
		return g->arrive_after + span * chance_unit(&d->seed);
	case ARRIVE_FLASH:
		return g->arrive_after + span * chance_exponential(&d->seed);
	case ARRIVE_POISSON:
		*last += span / (double)n * chance_exponential(&d->seed);
		return g->arrive_after + *last;
	case ARRIVE_AT_ONCE:
	default:
		return g->arrive_after;
	}
}

static struct scenario_access access_of(struct drawing *d, const struct scenario_group *g,
                                        const struct map_place *place)
{
	uint64_t sum = 0;
	if (g->n_access == 0)
		return (struct scenario_access){ .up_kbps = place->up_kbps,
			                         .down_kbps = place->down_kbps,
			                         .delay_ms = SCENARIO_DELAY_MS };
	for (size_t i = 0; i < g->n_access; i++)
		sum += g->access[i].weight;
	uint64_t at = random_next(&d->seed) % sum;
	size_t i = 0;
	while (at >= g->access[i].weight)
		at -= g->access[i++].weight;
	return g->access[i];
}

static uint32_t swarm_of(struct drawing *d)
{
	const uint32_t n = d->s->swarms;
	const double at = chance_unit(&d->seed) * d->zipf[n - 1];
	uint32_t low = 0, high = n - 1;
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		if (d->zipf[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void draw_person(struct drawing *d, const struct scenario_group *g, uint32_t place,
                        struct person *one)
{
	const struct map_place info = snapshot_place(d->map, place);
	const struct scenario_access a = access_of(d, g, &info);
	const bool gives_up = random_below(&d->seed, 100) < g->abort_percent;
	one->site = site_of(d->p, place);
	one->up_bps = a.up_kbps * 1000.0;
	one->down_bps = a.down_kbps * 1000.0;
	one->delay_ms = a.delay_ms;
	one->stays = g->stay_seconds == UINT32_MAX ? (double)INFINITY : g->stay_seconds;
	one->patience =
		gives_up ? g->abort_seconds * chance_exponential(&d->seed) : (double)INFINITY;
	one->seed = g->seed;
	one->unreachable =
		g->unreachable_percent > 0 && random_below(&d->seed, 100) < g->unreachable_percent;
	d->p->n_seeds += g->seed;
}

static void draw_count(struct drawing *d, size_t group, const struct scenario_count *c)
{
	const struct scenario_group *g = &d->s->groups[group];
	char key[PLACE_KEY_MAX];
	const int n = snprintf(key, sizeof(key), "pid:%s", c->pid);
	const uint32_t place = n < (int)sizeof(key) ? snapshot_place_find(d->map, key) : 0;
	if (place == PLACE_UNKNOWN) {
		fault_of(d, group, c->pid,
		         "no topology has it; a PID is named as \"PROVIDER/PID\"");
		return;
	}
	const struct map_place info = snapshot_place(d->map, place);
	if (g->n_access == 0 && (info.up_kbps == 0 || info.down_kbps == 0)) {
		fault_of(
			d, group, c->pid,
			"needs 'access' in its group, or subscriber_up_mbps and _down_mbps in its topology");
		return;
	}
	for (uint32_t swarm = 0; swarm < (g->seed ? d->s->swarms : 1); swarm++)
		for (uint32_t i = 0; i < c->n; i++) {
			struct person *one = &d->p->people[d->p->n++];
			draw_person(d, g, place, one);
			one->swarm = g->seed ? swarm : swarm_of(d);
		}
}

/* The arrivals of a group are not those of one PID after the other. */
static void draw_arrivals(struct drawing *d, const struct scenario_group *g, struct person *people,
                          size_t n)
{
	double last = 0;
	for (size_t i = 0; i < n; i++) {
		const size_t j = i + random_below(&d->seed, (uint32_t)(n - i));
		const struct person chosen = people[j];
		people[j] = people[i];
		people[i] = chosen;
		people[i].arrives = arrival(d, g, n, &last);
	}
}

static int by_arrival(const void *a, const void *b)
{
	const struct person *x = a, *y = b;
	if (x->arrives < y->arrives || y->arrives < x->arrives)
		return x->arrives < y->arrives ? -1 : 1;
	if (x->seed != y->seed)
		return x->seed ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static size_t head_count(const struct scenario *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_groups; i++)
		for (size_t k = 0; k < s->groups[i].n_pids; k++)
			n += (size_t)s->groups[i].pids[k].n * (s->groups[i].seed ? s->swarms : 1);
	return n;
}

static size_t pid_count(const struct scenario *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_groups; i++)
		n += s->groups[i].n_pids;
	return n;
}

static enum err draw_all(struct drawing *d, size_t heads)
{
	struct population *p = d->p;
	double sum = 0;
	for (uint32_t i = 0; i < d->s->swarms; i++)
		d->zipf[i] = sum += pow(i + 1.0, -d->s->zipf);
	for (size_t i = 0; i < d->s->n_groups; i++) {
		const size_t first = p->n;
		for (size_t k = 0; k < d->s->groups[i].n_pids; k++)
			draw_count(d, i, &d->s->groups[i].pids[k]);
		draw_arrivals(d, &d->s->groups[i], p->people + first, p->n - first);
	}
	if (d->bad)
		return ERR_MALFORMED;
	must(p->n == heads);
	if (p->n_sites > SITES_MAX)
		return faults_add(d->faults, ERR_RANGE, "count", "/peers",
		                  "must name at most %d PIDs, not %zu", SITES_MAX, p->n_sites);
	for (uint32_t i = 0; i < p->n; i++)
		p->people[i].number = i;
	qsort(p->people, p->n, sizeof(*p->people), by_arrival);
	return ERR_OK;
}

enum err population_draw(struct population *p, const struct scenario *s,
                         const struct map_snapshot *map, struct faults *faults)
{
	const size_t heads = head_count(s);
	*p = (struct population){ 0 };
	if (heads == 0 || heads > SCENARIO_PEERS_MAX)
		return faults_add(faults, ERR_RANGE, "count", "/peers",
		                  "must be 1 to %d peers and seeds in all, not %zu",
		                  SCENARIO_PEERS_MAX, heads);
	struct drawing d = { .p = p,
		             .s = s,
		             .map = map,
		             .faults = faults,
		             .seed = random_mix(s->seed),
		             .zipf = malloc(s->swarms * sizeof(*d.zipf)) };
	p->places = calloc(pid_count(s) + 1, sizeof(*p->places));
	p->people = malloc(heads * sizeof(*p->people));
	enum err e = ERR_NOMEM;
	if (d.zipf != NULL && p->places != NULL && p->people != NULL)
		e = draw_all(&d, heads);
	free(d.zipf);
	if (e != ERR_OK)
		population_done(p);
	return e;
}

void population_done(struct population *p)
{
	free(p->places);
	free(p->people);
	*p = (struct population){ 0 };
}
