/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgpdump -m, a route a line:
 *
 *   TABLE_DUMP2|1400799616|B|202.249.2.169|2497|0.0.0.0/0|2497 3257|IGP|202.249.2.169|0|0||NAG||
 *
 * type, time, 'B', the peer's address and ASN, the prefix, the path from the peer to the origin. With
 * TABLE_DUMP2_AP (RFC 8050) the number of the path stands behind the prefix.
 *
 * A prefix has as many neighbours as routes; it is the set of them that must stay the same when prefixes
 * are merged, so each set becomes a number for ip_aggregate().
 */
#include "common/ip/aggregate.h"
#include "tools/sketch/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route {
	struct ip_prefix prefix;
	uint32_t neighbor, origin;
};

struct routes {
	struct route *list;
	size_t n, room;
};

struct rib {
	struct sketch *s;
	const struct sketch_ask *ask;
	struct sketch_origin at;
	uint32_t *neighbors; /* of interconnects but transit, sorted */
	size_t n_neighbors;
	struct routes own,
		collected; /* of one file: by the first of the path, and by the one next to ours */
	bool is_collected; /* our ASN stands in a path of the file */
	struct routes all;
	size_t lines, strange; /* prefixes that are nobody's */
};

static const struct sketch_origin nowhere = { 0 };

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool is_neighbor(const struct rib *r, uint32_t asn)
{
	return asn != 0 && r->n_neighbors > 0 &&
	       bsearch(&asn, r->neighbors, r->n_neighbors, sizeof(asn), by_number) != NULL;
}

static void note(struct rib *r, struct routes *to, const struct route *route)
{
	if (!is_neighbor(r, route->neighbor))
		return;
	if (to->n == to->room) {
		const size_t room = to->room > 0 ? 2 * to->room : 1024;
		struct route *more = realloc(to->list, room * sizeof(*more));
		r->s->full |= more == NULL;
		if (more == NULL)
			return;
		to->list = more;
		to->room = room;
	}
	to->list[to->n++] = *route;
}

/* ---- a line ---- */

struct path {
	uint32_t first, origin;
	uint32_t next; /* behind the last of ours; 0: there is none */
	bool has_ours;
};

/* "701 3356 {64500,64501}": numbers, with sets in braces, which count as their first member. */
static bool read_path(const struct sketch *s, const char *text, struct path *out)
{
	struct path p = { 0 };
	bool in_set = false;
	for (const char *at = text; *at != '\0';) {
		const size_t digits = strspn(at, "0123456789");
		uint64_t asn;
		if (digits == 0) {
			if (strchr(" ,{}()[]", *at) == NULL)
				return false;
			in_set = *at == '{' || (in_set && *at != '}');
			at++;
			continue;
		}
		if (!text_u64(at, digits, &asn) || asn > UINT32_MAX)
			return false;
		const bool later_member = in_set && at > text && at[-1] == ',';
		at += digits;
		if (later_member)
			continue;
		p.first = p.first == 0 ? (uint32_t)asn : p.first;
		p.origin = (uint32_t)asn;
		if (sketch_has_asn(s, (uint32_t)asn)) {
			p.has_ours = true;
			p.next = 0;
		} else if (p.has_ours && p.next == 0) {
			p.next = (uint32_t)asn;
		}
	}
	*out = p;
	return true;
}

static void read_line(struct rib *r, char *line)
{
	enum { TYPE, TIME, KIND, PEER, PEER_ASN, PREFIX, PATH, MOST = 9 };
	char *fields[MOST];
	struct route route;
	struct path path;
	if (line[0] == '\0')
		return;
	const size_t n = sketch_split(line, '|', fields, MOST);
	const bool numbered = n > TYPE && strcmp(fields[TYPE], "TABLE_DUMP2_AP") == 0;
	if (n < (size_t)PATH + 2 + numbered || strncmp(fields[TYPE], "TABLE_DUMP", 10) != 0) {
		sketch_fault(r->s, r->at, "rib",
		             "must be a route of a RIB as bgpdump -m prints it: "
		             "TABLE_DUMP2|TIME|B|PEER|ASN|PREFIX|PATH|..., not \"%.40s\"",
		             fields[0]);
		return;
	}
	r->lines++;
	if (!sketch_read_prefix(r->s, r->at, fields[PREFIX], &route.prefix))
		return;
	if (!read_path(r->s, fields[PATH + numbered], &path)) {
		sketch_fault(r->s, r->at, "path", "must have a path of ASNs, not \"%.80s\"",
		             fields[PATH + numbered]);
		return;
	}
	if (route.prefix.length == 0 ||
	    (!r->ask->lab && ip_kind(&route.prefix.addr) != IP_PUBLIC)) {
		r->strange++;
		return;
	}
	r->is_collected |= path.has_ours;
	route.origin = path.origin;
	route.neighbor = path.first;
	note(r, &r->own, &route);
	route.neighbor = path.next;
	note(r, &r->collected, &route);
}

static void read_source(struct rib *r, const struct sketch_source *source, uint32_t number)
{
	const char *end = source->text + source->size;
	char *at = sketch_text(r->s, source, number), *line;
	r->at = (struct sketch_origin){ number, 0 };
	r->own.n = r->collected.n = 0;
	r->is_collected = false;
	while (at != NULL && (line = sketch_next_line(&at, end, &r->at.line)) != NULL)
		read_line(r, line);
	const struct routes *right = r->is_collected ? &r->collected : &r->own;
	for (size_t i = 0; i < right->n; i++)
		note(r, &r->all, &right->list[i]);
	sketch_warn(r->s, (struct sketch_origin){ number, 0 }, "view",
	            r->is_collected
	                    ? "is a collector's, for the provider's ASN stands in its paths; "
	                      "%zu routes show a neighbour next to it"
	                    : "is the provider's own, for its ASN stands in no path; %zu "
	                      "routes begin with a neighbour",
	            right->n);
}

/* ---- what neighbours reach ---- */

struct reach {
	uint32_t *asns;
	struct ip_prefix *prefixes;
	size_t n, room;
};

static size_t index_of(const struct rib *r, uint32_t neighbor)
{
	size_t low = 0, high = r->n_neighbors;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (r->neighbors[middle] < neighbor)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_prefix(struct sketch *s, struct reach *to, const struct ip_prefix *prefix)
{
	if (to->n == to->room) {
		const size_t room = to->room > 0 ? 2 * to->room : 64;
		struct ip_prefix *more = realloc(to->prefixes, room * sizeof(*more));
		s->full |= more == NULL;
		if (more == NULL)
			return;
		to->prefixes = more;
		to->room = room;
	}
	to->prefixes[to->n++] = *prefix;
}

static int by_prefix(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	const int order = ip_prefix_compare(&x->prefix, &y->prefix);
	return order != 0 ? order : by_number(&x->neighbor, &y->neighbor);
}

static bool same_prefix(const struct route *a, const struct route *b)
{
	return ip_prefix_compare(&a->prefix, &b->prefix) == 0;
}

/* A number for the neighbours of the routes from `from` to `to`, which are of one prefix; 0: full. */
struct sets {
	struct table *numbers;
	uint32_t n;
	size_t *first, room; /* the routes that set i began with */
};
static uint32_t set_of(struct rib *r, struct sets *sets, size_t from, size_t to)
{
	struct text key = { 0 };
	uint32_t number = 0;
	for (size_t i = from; i < to; i++)
		if (i == from || r->all.list[i].neighbor != r->all.list[i - 1].neighbor)
			text_printf(&key, "%u ", (unsigned)r->all.list[i].neighbor);
	if (!key.bad && !table_find(sets->numbers, key.bytes, &number)) {
		const char *kept = sketch_string(r->s, key.bytes);
		number = sets->n + 1;
		sets->first[number] = from;
		if (r->s->full || table_add(sets->numbers, kept, number, NULL) != ERR_OK)
			number = 0;
		else
			sets->n = number;
	}
	text_done(&key);
	r->s->full |= number == 0;
	return number;
}

/* `n` merged prefixes, each to all neighbours of its set. */
static void spread(struct rib *r, const struct sets *sets, const struct lpm_entry *entries,
                   size_t n, struct reach *reach)
{
	for (size_t i = 0; i < n; i++) {
		const struct route *first = &r->all.list[sets->first[entries[i].value]];
		const struct route *end = r->all.list + r->all.n;
		for (const struct route *at = first; at < end && same_prefix(at, first); at++)
			if (at == first || at->neighbor != at[-1].neighbor)
				add_prefix(r->s, &reach[index_of(r, at->neighbor)],
				           &entries[i].prefix);
	}
}

static void reach_by_prefix(struct rib *r, struct reach *reach)
{
	struct lpm_entry *entries = malloc((r->all.n + 1) * sizeof(*entries));
	struct sets sets = { .numbers = table_new(64),
		             .first = malloc((r->all.n + 2) * sizeof(*sets.first)) };
	r->s->full |= entries == NULL || sets.numbers == NULL || sets.first == NULL;
	size_t n = 0;
	if (r->all.n > 0)
		qsort(r->all.list, r->all.n, sizeof(*r->all.list), by_prefix);
	for (size_t from = 0, to; from < r->all.n && !r->s->full; from = to) {
		for (to = from + 1;
		     to < r->all.n && same_prefix(&r->all.list[from], &r->all.list[to]);)
			to++;
		entries[n++] =
			(struct lpm_entry){ r->all.list[from].prefix, set_of(r, &sets, from, to) };
	}
	const size_t before = n;
	if (!r->s->full) {
		r->s->full |= ip_aggregate(entries, &n) != ERR_OK;
		spread(r, &sets, entries, n, reach);
		if (n < before)
			sketch_warn(
				r->s, nowhere, "minimized",
				"%zu prefixes in reach became %zu that lead every address as before",
				before, n);
	}
	free(entries);
	free(sets.first);
	table_free(sets.numbers);
}

static int by_origin(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	const int order = by_number(&x->neighbor, &y->neighbor);
	return order != 0 ? order : by_number(&x->origin, &y->origin);
}

static void reach_by_asn(struct rib *r, struct reach *reach)
{
	if (r->all.n > 0)
		qsort(r->all.list, r->all.n, sizeof(*r->all.list), by_origin);
	for (size_t from = 0, to; from < r->all.n && !r->s->full; from = to) {
		const uint32_t neighbor = r->all.list[from].neighbor;
		struct reach *of = &reach[index_of(r, neighbor)];
		for (to = from + 1; to < r->all.n && r->all.list[to].neighbor == neighbor;)
			to++;
		of->asns = arena_take(r->s->arena, (to - from) * sizeof(*of->asns));
		r->s->full |= of->asns == NULL;
		for (size_t i = from; i < to && of->asns != NULL; i++)
			if (i == from || r->all.list[i].origin != r->all.list[i - 1].origin)
				of->asns[of->n++] = r->all.list[i].origin;
	}
}

/* Transit stays "any": it is what all else falls to. */
static void give(struct rib *r, const struct reach *reach)
{
	size_t transit = 0, silent = 0;
	for (size_t i = 0; i < r->s->n_interconnects && !r->s->full; i++) {
		struct map_interconnect *x = &r->s->interconnects[i];
		if (x->relation == RELATION_TRANSIT) {
			transit++;
			continue;
		}
		const struct reach *of = &reach[index_of(r, x->neighbor_asn)];
		silent += of->n == 0;
		if (of->n == 0)
			continue;
		x->reach = REACH_LIST;
		x->reach_asns = of->asns;
		x->n_reach_asns = of->asns != NULL ? of->n : 0;
		x->n_reach_prefixes = of->asns != NULL ? 0 : of->n;
		x->reach_prefixes =
			arena_take(r->s->arena, (of->n + 1) * sizeof(*x->reach_prefixes));
		r->s->full |= x->reach_prefixes == NULL;
		if (of->asns == NULL && x->reach_prefixes != NULL)
			memcpy(x->reach_prefixes, of->prefixes, of->n * sizeof(*of->prefixes));
		if (of->n > MAP_REACH_MAX)
			sketch_fault(
				r->s, nowhere, "count",
				"\"%s\" would reach %zu prefixes, more than %d: with --by asn it "
				"reaches ASNs, or it is transit",
				x->id, of->n, MAP_REACH_MAX);
	}
	if (transit > 0)
		sketch_warn(r->s, nowhere, "transit",
		            "%zu interconnects of transit keep their reach", transit);
	if (silent > 0)
		sketch_warn(r->s, nowhere, "silent",
		            "%zu interconnects have no route in the files, and keep their reach",
		            silent);
}

static bool gather_neighbors(struct rib *r)
{
	struct sketch *s = r->s;
	r->neighbors = calloc(s->n_interconnects + 1, sizeof(*r->neighbors));
	s->full |= r->neighbors == NULL;
	if (s->full)
		return false;
	size_t n = 0;
	for (size_t i = 0; i < s->n_interconnects; i++)
		if (s->interconnects[i].relation != RELATION_TRANSIT)
			r->neighbors[n++] = s->interconnects[i].neighbor_asn;
	qsort(r->neighbors, n, sizeof(*r->neighbors), by_number);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || r->neighbors[i] != r->neighbors[r->n_neighbors - 1])
			r->neighbors[r->n_neighbors++] = r->neighbors[i];
	return true;
}

static void make_reach(struct rib *r, bool by_asn)
{
	struct reach *reach = calloc(r->n_neighbors + 1, sizeof(*reach));
	r->s->full |= reach == NULL;
	if (reach == NULL)
		return;
	if (by_asn)
		reach_by_asn(r, reach);
	else
		reach_by_prefix(r, reach);
	give(r, reach);
	for (size_t i = 0; i < r->n_neighbors; i++)
		free(reach[i].prefixes);
	free(reach);
}

void sketch_mrt(struct sketch *s, struct sketch_source *sources, size_t n,
                const struct sketch_ask *ask)
{
	struct rib r = { .s = s, .ask = ask };
	const bool by_asn = ask->by != NULL && strcmp(ask->by, "asn") == 0;
	if (ask->by != NULL && !by_asn && strcmp(ask->by, "prefix") != 0)
		sketch_fault(s, nowhere, "choice", "--by must be prefix or asn, not \"%.40s\"",
		             ask->by);
	if (s->n_interconnects == 0)
		sketch_fault(
			s, nowhere, "missing",
			"needs a topology with interconnects, whose reach it finds: --into FILE");
	else if (gather_neighbors(&r)) {
		for (uint32_t i = 0; i < n; i++)
			read_source(&r, &sources[i], i + 1);
		make_reach(&r, by_asn);
		if (r.strange > 0)
			sketch_warn(
				s, nowhere, "bogon",
				"%zu of %zu routes are default or for addresses that are not public; "
				"they are left out",
				r.strange, r.lines);
	}
	free(r.own.list);
	free(r.collected.list);
	free(r.all.list);
	free(r.neighbors);
}
