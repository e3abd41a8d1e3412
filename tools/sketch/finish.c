/* SPDX-License-Identifier: Apache-2.0 */
#include "common/ip/aggregate.h"
#include "common/map/check.h"
#include "tools/sketch/sketch.h"
#include "tools/sketch/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sketch_origin nowhere = { 0 };

/* ---- prefixes: by PID, each once ---- */

static int by_prefix(const void *a, const void *b)
{
	const struct sketch_prefix *x = a, *y = b;
	const int order = ip_prefix_compare(&x->prefix, &y->prefix);
	if (order != 0)
		return order;
	return x->from.source != y->from.source
	               ? (x->from.source > y->from.source) * 2 - 1
	               : (x->from.line > y->from.line) - (x->from.line < y->from.line);
}

static void say_where(const struct sketch *s, struct sketch_origin at, char out[static 100])
{
	const char *name = at.source > 0 ? s->sources[at.source - 1].name : "the topology it joins";
	if (at.line > 0)
		(void)snprintf(out, 100, "%.60s, line %u", name, (unsigned)at.line);
	else
		(void)snprintf(out, 100, "%.60s", name);
}

/* A prefix that was given again: nothing new where it has the same PID, a fault where it has another. */
static void drop_doubles(struct sketch *s)
{
	char text[IP_PREFIX_TEXT_SIZE], first[100];
	size_t kept = 0, doubles = 0;
	struct sketch_prefix *all = s->prefixes;
	must(s->n_prefixes == 0 || all != NULL);
	for (size_t i = 0; i < s->n_prefixes; i++) {
		const struct sketch_prefix *p = &all[i];
		const struct sketch_prefix *o = kept > 0 ? &all[kept - 1] : NULL;
		if (o == NULL || ip_prefix_compare(&p->prefix, &o->prefix) != 0) {
			all[kept++] = *p;
			continue;
		}
		if (p->pid == o->pid && !(s->each_once && o->from.source > 0)) {
			doubles++;
			continue;
		}
		ip_prefix_print(&p->prefix, text);
		say_where(s, o->from, first);
		if (p->pid == o->pid)
			sketch_fault(s, p->from, "duplicate",
			             "%s must come once, but is in %s, too", text, first);
		else
			sketch_fault(s, p->from, "overlap",
			             "%s must have one PID only: here \"%s\", but \"%s\" in %s",
			             text, s->pids[p->pid].name, s->pids[o->pid].name, first);
	}
	s->n_prefixes = kept;
	if (doubles > 0)
		sketch_warn(s, nowhere, "repeated",
		            "%zu prefixes were given again for the same PID", doubles);
}

static void minimize(struct sketch *s)
{
	size_t n = s->n_prefixes;
	struct lpm_entry *entries = malloc((n > 0 ? n : 1) * sizeof(*entries));
	if (entries == NULL) {
		s->full = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct lpm_entry){ s->prefixes[i].prefix, s->prefixes[i].pid };
	s->full |= ip_aggregate(entries, &n) != ERR_OK;
	/* Of a prefix that came of merging, the line is that of the first that it holds. */
	for (size_t i = 0, k = 0; !s->full && i < n; i++) {
		while (ip_prefix_compare(&s->prefixes[k].prefix, &entries[i].prefix) < 0)
			k++;
		const struct sketch_origin from = s->prefixes[k].from;
		s->prefixes[i] =
			(struct sketch_prefix){ entries[i].prefix, entries[i].value, from };
	}
	if (n < s->n_prefixes)
		sketch_warn(s, nowhere, "minimized",
		            "%zu prefixes became %zu that place every address "
		            "as before",
		            s->n_prefixes, n);
	s->n_prefixes = n;
	free(entries);
}

/* Gives each PID its prefixes, and orders s->prefixes in the same way: by PID. */
static void share_out(struct sketch *s)
{
	struct ip_prefix *all = arena_take(s->arena, (s->n_prefixes + 1) * sizeof(*all));
	struct sketch_prefix *sorted = malloc((s->n_prefixes + 1) * sizeof(*sorted));
	s->full |= all == NULL || sorted == NULL;
	if (!s->full) {
		for (size_t i = 0; i < s->n_prefixes; i++)
			s->pids[s->prefixes[i].pid].n_prefixes++;
		struct ip_prefix *at = all;
		for (size_t i = 0; i < s->n_pids; i++) {
			s->pids[i].prefixes = at;
			at += s->pids[i].n_prefixes;
			s->pids[i].n_prefixes = 0;
		}
		for (size_t i = 0; i < s->n_prefixes; i++) {
			struct map_pid *pid = &s->pids[s->prefixes[i].pid];
			sorted[pid->prefixes - all + (ptrdiff_t)pid->n_prefixes] = s->prefixes[i];
			pid->prefixes[pid->n_prefixes++] = s->prefixes[i].prefix;
		}
		free(s->prefixes);
		s->prefixes = sorted;
		sorted = NULL;
	}
	free(sorted);
}

/* ---- what nobody said ---- */

static void warn_unsaid(struct sketch *s)
{
	size_t access = 0, capacities = 0, with_prefixes = 0;
	for (size_t i = 0; i < s->n_pids; i++) {
		with_prefixes += s->pids[i].n_prefixes > 0;
		access += s->pids[i].n_prefixes > 0 && s->pids[i].access == NULL;
	}
	for (size_t i = 0; i < s->n_interconnects; i++)
		capacities += s->interconnects[i].capacity_mbps == 0;
	if (access > 0)
		sketch_warn(
			s, nowhere, "unsaid",
			"%zu of %zu PIDs say no \"access\": none counts as mobile or capped, and "
			"all may upload until you say otherwise (\"uploads\")",
			access, with_prefixes);
	if (s->n_pids > 1 && s->n_links == 0 && s->n_pid_costs == 0)
		sketch_warn(s, nowhere, "unsaid",
		            "no links: all PIDs are equally far from each other until there are "
		            "\"links\" or PID costs");
	if (s->n_interconnects == 0)
		sketch_warn(
			s, nowhere, "unsaid",
			"no interconnects: nothing is known of the ways out, so no balance is kept "
			"until there are some");
	if (capacities > 0)
		sketch_warn(s, nowhere, "unsaid",
		            "%zu of %zu interconnects say no \"capacity_mbps\": their load is not "
		            "judged",
		            capacities, s->n_interconnects);
}

/* ---- the server's own checks ---- */

/* The thing that a JSON pointer into our document means; nowhere: none that we know the line of. */
static struct sketch_origin origin_of(const struct sketch *s, const char *where)
{
	unsigned i, k;
	int end = 0;
	if (sscanf(where, "/pids/%u/prefixes/%u%n", &i, &k, &end) == 2 && end > 0 &&
	    i < s->n_pids && k < s->pids[i].n_prefixes) {
		const size_t first = (size_t)(s->pids[i].prefixes - s->pids[0].prefixes);
		return s->prefixes[first + k].from;
	}
	if (sscanf(where, "/pids/%u%n", &i, &end) == 1 && end > 0 && i < s->n_pids)
		return s->pid_origins[i];
	if (sscanf(where, "/links/%u%n", &i, &end) == 1 && end > 0 && i < s->n_links)
		return s->link_origins[i];
	if (sscanf(where, "/interconnects/%u%n", &i, &end) == 1 && end > 0 &&
	    i < s->n_interconnects)
		return s->interconnect_origins[i];
	return nowhere;
}

/* Nesting is seldom a mistake, and where it is used it is used often. */
enum { NESTED_SHOWN = 3 };

static void take_over(struct sketch *s, const struct faults *found, bool warnings)
{
	struct faults *to = warnings ? s->warnings : s->faults;
	size_t nested = 0;
	for (size_t i = 0; i < found->count; i++) {
		const struct fault *f = &found->list[i];
		const struct sketch_origin from = origin_of(s, f->where);
		if (strcmp(f->kind, "nested") == 0 && ++nested > NESTED_SHOWN)
			continue;
		if (from.source > 0 && warnings)
			sketch_warn(s, from, f->kind, "%s", f->text);
		else if (from.source > 0)
			sketch_fault(s, from, f->kind, "%s", f->text);
		else
			(void)faults_add(to, f->code, f->kind, f->where, "%s", f->text);
	}
	if (nested > NESTED_SHOWN)
		sketch_warn(s, nowhere, "nested",
		            "%s%zu more prefixes are taken out of another PID's",
		            found->more > 0 ? "at least " : "", nested - NESTED_SHOWN);
	else
		to->more += found->more;
}

static enum err check(struct sketch *s, const struct sketch_rules *rules,
                      const struct text *topology, const struct text *costs)
{
	struct arena *arena = arena_new(1 << 20);
	struct faults *faults = faults_new(), *warnings = faults_new();
	struct map_topology *t = NULL;
	struct map_costs *c = NULL;
	enum err e = ERR_NOMEM;
	if (arena != NULL && faults != NULL && warnings != NULL)
		e = map_topology_parse(topology->bytes, topology->size, arena, &t, faults);
	if (e == ERR_OK)
		e = map_topology_check(t, &(struct map_rules){ .lab = rules->lab }, faults,
		                       warnings);
	if (e == ERR_OK && costs->size > 0)
		e = map_costs_parse(costs->bytes, costs->size, arena, &c, faults);
	if (e == ERR_OK && c != NULL)
		e = map_costs_check(c, t, faults);
	if (faults != NULL && warnings != NULL) {
		take_over(s, faults, false);
		take_over(s, warnings, true);
	}
	arena_free(arena);
	faults_free(faults);
	faults_free(warnings);
	return e;
}

static void want_whole(struct sketch *s)
{
	if (s->n_pids == 0 && s->faults->count == 0) /* else it is but their echo */
		sketch_fault(s, nowhere, "missing", "there is nothing in it that makes a PID");
	if (s->provider == NULL)
		sketch_fault(s, nowhere, "missing",
		             "whose topology is it? --provider NAME says so, or --into FILE");
	if (s->n_asns == 0)
		sketch_fault(
			s, nowhere, "missing",
			"which ASNs does the provider have? --asn N says so, perhaps repeatedly, "
			"or --into FILE");
}

static enum err verdict(const struct sketch *s)
{
	return s->full ? ERR_NOMEM : s->faults->count > 0 ? ERR_MALFORMED : ERR_OK;
}

enum err sketch_finish(struct sketch *s, const struct sketch_rules *rules, struct text *topology,
                       struct text *costs)
{
	*topology = *costs = (struct text){ 0 };
	if (s->full)
		return ERR_NOMEM;
	want_whole(s);
	if (s->n_prefixes > 0)
		qsort(s->prefixes, s->n_prefixes, sizeof(*s->prefixes), by_prefix);
	drop_doubles(s);
	if (s->faults->count == 0 && rules->minimize)
		minimize(s);
	if (!s->full)
		share_out(s);
	if (verdict(s) != ERR_OK)
		return verdict(s);
	if (!rules->settled)
		warn_unsaid(s);
	const struct map_topology t = { .provider = s->provider,
		                        .asns = s->asns,
		                        .n_asns = s->n_asns,
		                        .pids = s->pids,
		                        .n_pids = s->n_pids,
		                        .links = s->links,
		                        .n_links = s->n_links,
		                        .interconnects = s->interconnects,
		                        .n_interconnects = s->n_interconnects };
	const struct map_costs c = { .provider = s->provider,
		                     .pid_costs = s->pid_costs,
		                     .n_pid_costs = s->n_pid_costs,
		                     .interconnect_costs = s->interconnect_costs,
		                     .n_interconnect_costs = s->n_interconnect_costs };
	topology_write(topology, &t);
	if (c.n_pid_costs + c.n_interconnect_costs > 0)
		costs_write(costs, &c);
	if (topology->bad || costs->bad)
		return ERR_NOMEM;
	const enum err e = check(s, rules, topology, costs);
	return e == ERR_NOMEM ? e : verdict(s);
}
