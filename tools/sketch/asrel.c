/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct neighbor {
	uint32_t asn;
	enum map_relation relation;
	struct sketch_origin from;
	bool met; /* an interconnect has it */
};

struct relations {
	struct sketch *s;
	struct sketch_origin at;
	struct neighbor *list;
	size_t n, room;
};

static const struct sketch_origin nowhere = { 0 };

static void note(struct relations *r, uint32_t asn, enum map_relation relation)
{
	if (r->n == r->room) {
		const size_t room = r->room > 0 ? 2 * r->room : 256;
		struct neighbor *more = realloc(r->list, room * sizeof(*more));
		r->s->full |= more == NULL;
		if (more == NULL)
			return;
		r->list = more;
		r->room = room;
	}
	r->list[r->n++] = (struct neighbor){ asn, relation, r->at, false };
}

static void read_line(struct relations *r, char *line)
{
	enum { MOST = 4 };
	char *fields[MOST];
	uint32_t a, b;
	if (line[0] == '#' || line[0] == '\0')
		return;
	const size_t n = sketch_split(line, '|', fields, MOST);
	if (n != 3 && n != 4) {
		sketch_fault(r->s, r->at, "fields", "must be ASN|ASN|RELATION, not %zu fields", n);
		return;
	}
	const bool read_a = sketch_read_asn(r->s, r->at, fields[0], &a);
	const bool read_b = sketch_read_asn(r->s, r->at, fields[1], &b);
	const bool sells = strcmp(fields[2], "-1") == 0, peers = strcmp(fields[2], "0") == 0;
	if (!sells && !peers && strcmp(fields[2], "1") != 0 && strcmp(fields[2], "2") != 0) {
		sketch_fault(
			r->s, r->at, "relation",
			"the third field must be -1 (the first sells to the second), 0 (they peer), 1 "
			"or 2 (siblings), not \"%.20s\"",
			fields[2]);
		return;
	}
	if (!read_a || !read_b)
		return;
	const bool is_a = sketch_has_asn(r->s, a), is_b = sketch_has_asn(r->s, b);
	if (is_a == is_b)
		return;
	note(r, is_a ? b : a,
	     peers    ? RELATION_SETTLEMENT_FREE
	     : !sells ? RELATION_SIBLING
	     : is_a   ? RELATION_CUSTOMER
	              : RELATION_TRANSIT);
}

static int by_asn(const void *a, const void *b)
{
	const struct neighbor *x = a, *y = b;
	if (x->asn != y->asn)
		return x->asn < y->asn ? -1 : 1;
	return (x->relation > y->relation) - (x->relation < y->relation);
}

/* One of each: where the provider's ASNs, or the files, differ, the best. */
static void settle(struct relations *r)
{
	size_t kept = 0, split = 0;
	if (r->n > 0)
		qsort(r->list, r->n, sizeof(*r->list), by_asn);
	for (size_t i = 0; i < r->n; i++) {
		if (kept == 0 || r->list[kept - 1].asn != r->list[i].asn)
			r->list[kept++] = r->list[i];
		else
			split += r->list[kept - 1].relation != r->list[i].relation;
	}
	r->n = kept;
	if (split > 0)
		sketch_warn(
			r->s, nowhere, "split",
			"%zu neighbours have more than one relation; the best is taken: customer, "
			"sibling, settlement-free, transit",
			split);
}

static struct neighbor *find(const struct relations *r, uint32_t asn)
{
	const struct neighbor wanted = { .asn = asn };
	size_t low = 0, high = r->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (r->list[middle].asn < wanted.asn)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->n && r->list[low].asn == asn ? &r->list[low] : NULL;
}

/* Those that are there: paid peering stays, for no inference from routes tells it from free. */
static void correct(struct relations *r)
{
	size_t unknown = 0;
	for (size_t i = 0; i < r->s->n_interconnects; i++) {
		struct map_interconnect *x = &r->s->interconnects[i];
		struct neighbor *n = find(r, x->neighbor_asn);
		unknown += n == NULL;
		if (n == NULL)
			continue;
		n->met = true;
		const bool paid = x->relation == RELATION_PAID_PEERING &&
		                  n->relation == RELATION_SETTLEMENT_FREE;
		if (paid || x->relation == n->relation)
			continue;
		sketch_warn(r->s, n->from, "relation", "\"%s\" was %s, and is %s now", x->id,
		            map_relation_name(x->relation), map_relation_name(n->relation));
		x->relation = n->relation;
	}
	if (unknown > 0)
		sketch_warn(r->s, nowhere, "unknown",
		            "%zu interconnects have neighbours that the files do not relate to the "
		            "provider; they stay as they are",
		            unknown);
}

static bool is_wanted(const struct sketch_ask *ask, uint32_t asn)
{
	for (size_t i = 0; i < ask->n_neighbors; i++)
		if (ask->neighbors[i] == asn)
			return true;
	return ask->n_neighbors == 0;
}

static void add(struct relations *r, const struct sketch_ask *ask, const char *pid)
{
	size_t free_ones = 0;
	for (size_t i = 0; i < r->n; i++) {
		char id[MAP_NAME_MAX + 1];
		const struct neighbor *n = &r->list[i];
		if (n->met || !is_wanted(ask, n->asn))
			continue;
		(void)snprintf(id, sizeof(id), "as%u", (unsigned)n->asn);
		struct map_interconnect *x = sketch_interconnect(r->s, id, n->from);
		x->pid = pid;
		x->neighbor_asn = n->asn;
		x->relation = n->relation;
		x->reach = n->relation == RELATION_TRANSIT ? REACH_ANY : REACH_NEIGHBOR;
		free_ones += n->relation == RELATION_SETTLEMENT_FREE;
	}
	if (free_ones > 0)
		sketch_warn(
			r->s, nowhere, "guess",
			"%zu peers are taken for settlement-free: routes do not tell who pays whom",
			free_ones);
	sketch_warn(
		r->s, nowhere, "reach",
		"customers and peers reach their own ASN only; import mrt finds what is behind them");
}

void sketch_asrel(struct sketch *s, struct sketch_source *sources, size_t n,
                  const struct sketch_ask *ask)
{
	struct relations r = { .s = s };
	const bool fresh = s->n_pids == 0;
	for (uint32_t i = 0; i < n; i++) {
		char *at = sketch_text(s, &sources[i], i + 1), *line;
		const char *end = sources[i].text + sources[i].size;
		r.at = (struct sketch_origin){ i + 1, 0 };
		while (at != NULL && (line = sketch_next_line(&at, end, &r.at.line)) != NULL)
			read_line(&r, line);
	}
	settle(&r);
	correct(&r);
	size_t unmet = 0;
	for (size_t i = 0; i < r.n; i++)
		unmet += !r.list[i].met && is_wanted(ask, r.list[i].asn);
	if (unmet > 0 && (fresh || ask->pid != NULL)) {
		const uint32_t pid = sketch_pid(s, ask->pid != NULL ? ask->pid : "core");
		if (pid != SKETCH_NONE)
			add(&r, ask, s->pids[pid].name);
	} else if (unmet > 0) {
		sketch_warn(
			s, nowhere, "unmet",
			"%zu neighbours in the files have no interconnect; --pid NAME adds one for each "
			"there",
			unmet);
	}
	free(r.list);
}
