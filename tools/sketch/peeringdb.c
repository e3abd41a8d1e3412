/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables are told apart by the members of their rows, for one dump has them in files of their own, another
 * in one. Rows stand in "data" (the API, and dumps of it) or in a list of {"pk", "fields"} (Django's
 * fixtures). What is read is joined by sorting: ports by exchange and ASN, presences by facility and ASN.
 */
#include "tools/sketch/format.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum table_kind { NET, IX, IXLAN, NETIXLAN, FAC, NETFAC, TABLES };

struct net {
	uint64_t id;
	uint32_t asn;
	const char *name, *policy, *ratio; /* "Open", ...; "Mostly Inbound", ... */
	bool asks_ratio;
};

struct spot { /* an exchange or a facility */
	uint64_t id;
	const char *name, *city, *country;
};

struct port { /* of a network at a spot */
	uint64_t spot;
	uint64_t net;
	uint32_t asn;  /* 0: only `net` is known */
	uint64_t mbps; /* 0: not said */
};

struct list {
	void *items;
	size_t n, room;
};

struct dump {
	struct sketch *s;
	const struct sketch_ask *ask;
	struct sketch_origin at;
	struct list nets, exchanges, facilities, lans, ports, presences;
	size_t unread; /* rows that lack what they need */
	/* Of the neighbours that got an interconnect: */
	size_t n_interconnects, refuse, selective, ask_ratio, unknown;
};

static const struct sketch_origin nowhere = { 0 };

/* Room for one more; NULL: full. */
static void *add(struct dump *d, struct list *list, size_t size)
{
	if (list->n == list->room) {
		const size_t room = list->room > 0 ? 2 * list->room : 256;
		void *more = realloc(list->items, room * size);
		d->s->full |= more == NULL;
		if (more == NULL)
			return NULL;
		list->items = more;
		list->room = room;
	}
	return (char *)list->items + size * list->n++;
}

/* ---- rows ---- */

static bool has(const json_t *row, const char *key)
{
	return json_object_get(row, key) != NULL;
}

static enum table_kind kind_of(const json_t *row)
{
	if (has(row, "ixlan_id") && has(row, "speed"))
		return NETIXLAN;
	if (has(row, "policy_general"))
		return NET;
	if (has(row, "fac_id") && (has(row, "net_id") || has(row, "local_asn")))
		return NETFAC;
	if (has(row, "clli") || has(row, "npanxx"))
		return FAC;
	if (has(row, "media") || has(row, "proto_unicast"))
		return IX;
	if (has(row, "ix_id") && (has(row, "rs_asn") || has(row, "dot1q_support")))
		return IXLAN;
	return TABLES;
}

/* 0 when it is no number of that size. */
static uint64_t number(const json_t *row, const char *key, uint64_t max)
{
	const json_int_t n = json_integer_value(json_object_get(row, key));
	return n > 0 && (uint64_t)n <= max ? (uint64_t)n : 0;
}

static const char *string(struct dump *d, const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s != NULL ? sketch_string(d->s, s) : "";
}

static void read_net(struct dump *d, const json_t *row, uint64_t id)
{
	struct net n = { .id = id,
		         .asn = (uint32_t)number(row, "asn", UINT32_MAX),
		         .name = string(d, row, "name"),
		         .policy = string(d, row, "policy_general"),
		         .ratio = string(d, row, "info_ratio"),
		         .asks_ratio = json_is_true(json_object_get(row, "policy_ratio")) };
	struct net *to = n.asn > 0 ? add(d, &d->nets, sizeof(*to)) : NULL;
	d->unread += n.asn == 0;
	if (to != NULL)
		*to = n;
}

static void read_spot(struct dump *d, struct list *list, const json_t *row, uint64_t id)
{
	struct spot *to = add(d, list, sizeof(*to));
	if (to != NULL)
		*to = (struct spot){ id, string(d, row, "name"), string(d, row, "city"),
			             string(d, row, "country") };
}

/* A LAN's `net` is the number of its exchange. */
static void read_port(struct dump *d, struct list *list, struct port p)
{
	struct port *to = p.spot > 0 && (p.asn > 0 || p.net > 0) ? add(d, list, sizeof(*to)) : NULL;
	d->unread += to == NULL;
	if (to != NULL)
		*to = p;
}

static void read_row(struct dump *d, const json_t *row, uint64_t id)
{
	const char *status = json_string_value(json_object_get(row, "status"));
	const uint64_t ix = number(row, "ix_id", INT64_MAX),
		       lan = number(row, "ixlan_id", INT64_MAX);
	const uint64_t net = number(row, "net_id", INT64_MAX);
	struct port p = { .net = net };
	if ((status != NULL && strcmp(status, "ok") != 0) ||
	    json_is_false(json_object_get(row, "operational")))
		return;
	switch (kind_of(row)) {
	case NET:
		read_net(d, row, id);
		break;
	case IX:
		read_spot(d, &d->exchanges, row, id);
		break;
	case FAC:
		read_spot(d, &d->facilities, row, id);
		break;
	case IXLAN:
		p = (struct port){ .spot = id, .net = ix };
		read_port(d, &d->lans, p);
		break;
	case NETIXLAN:
		/* Without the exchange the LAN leads to it, by a table or as it is the same number. */
		p.spot = ix > 0 ? ix : lan;
		p.asn = (uint32_t)number(row, "asn", UINT32_MAX);
		p.mbps = number(row, "speed", MAP_CAPACITY_MAX);
		read_port(d, &d->ports, p);
		break;
	case NETFAC:
		p.spot = number(row, "fac_id", INT64_MAX);
		p.asn = (uint32_t)number(row, "local_asn", UINT32_MAX);
		read_port(d, &d->presences, p);
		break;
	case TABLES: /* one that says nothing to us */
	default:
		break;
	}
}

static void read_rows(struct dump *d, const json_t *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		const json_t *fields = json_object_get(row, "fields");
		if (json_is_object(fields))
			read_row(d, fields, number(row, "pk", INT64_MAX));
		else
			read_row(d, row, number(row, "id", INT64_MAX));
	}
}

static void read_source(struct dump *d, const struct sketch_source *source, uint32_t file)
{
	json_error_t why;
	const char *key;
	json_t *member, *json = json_loadb(source->text, source->size, 0, &why);
	d->at = (struct sketch_origin){ file, 0 };
	if (json == NULL) {
		d->at.line = why.line > 0 ? (uint32_t)why.line : 0;
		sketch_fault(d->s, d->at, "syntax", "must be JSON: %s", why.text);
		return;
	}
	const json_t *data = json_object_get(json, "data");
	if (json_is_array(json) || json_is_array(data))
		read_rows(d, json_is_array(json) ? json : data);
	else
		json_object_foreach(json, key, member)
			read_rows(d, json_object_get(member, "data"));
	json_decref(json);
}

/* ---- joining ---- */

static int by_id(const void *a, const void *b) /* of nets and spots: the id comes first */
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int by_spot(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	if (x->spot != y->spot)
		return x->spot < y->spot ? -1 : 1;
	return (x->asn > y->asn) - (x->asn < y->asn);
}

static int by_asn(const void *a, const void *b)
{
	const struct net *x = a, *y = b;
	return (x->asn > y->asn) - (x->asn < y->asn);
}

static void sort(struct list *l, size_t size, int (*order)(const void *, const void *))
{
	if (l->n > 0)
		qsort(l->items, l->n, size, order);
}

static void *find(const struct list *l, size_t size, uint64_t id)
{
	return l->n > 0 ? bsearch(&id, l->items, l->n, size, by_id) : NULL;
}

static const struct net *net_of(const struct dump *d, uint32_t asn)
{
	const struct net wanted = { .asn = asn };
	return d->nets.n > 0 ? bsearch(&wanted, d->nets.items, d->nets.n, sizeof(wanted), by_asn)
	                     : NULL;
}

/* Gives each port its ASN, and its exchange where the LAN was named; then sorts them. */
static void join(struct dump *d, struct list *ports, bool of_lans)
{
	struct port *p = ports->items;
	size_t kept = 0;
	for (size_t i = 0; i < ports->n; i++) {
		const struct net *n = p[i].asn == 0 ? find(&d->nets, sizeof(*n), p[i].net) : NULL;
		const struct port *lan = of_lans ? find(&d->lans, sizeof(*lan), p[i].spot) : NULL;
		p[i].asn = n != NULL ? n->asn : p[i].asn;
		p[i].spot = lan != NULL && lan->net > 0 ? lan->net : p[i].spot;
		if (p[i].asn > 0)
			p[kept++] = p[i];
		d->unread += p[i].asn == 0;
	}
	ports->n = kept;
	sort(ports, sizeof(*p), by_spot);
}

/* ---- interconnects ---- */

static bool is_named(const struct sketch_ask *ask, uint32_t asn)
{
	for (size_t i = 0; i < ask->n_neighbors; i++)
		if (ask->neighbors[i] == asn)
			return true;
	return false;
}

/* "de-frankfurt", or the one PID that is there of that country and city ("de-he-frankfurt"). */
static uint32_t pid_of(struct dump *d, const struct spot *spot)
{
	char name[MAP_NAME_MAX + 1], city[MAP_NAME_MAX + 1], text[256];
	uint32_t found = SKETCH_NONE;
	if (d->ask->pid != NULL)
		return sketch_pid(d->s, d->ask->pid);
	(void)snprintf(text, sizeof(text), "%.8s,%.200s", spot != NULL ? spot->country : "",
	               spot != NULL ? spot->city : "unplaced");
	sketch_name(text, name);
	if (spot == NULL || strlen(spot->country) != 2 ||
	    sketch_find_pid(d->s, name) != SKETCH_NONE)
		return sketch_pid(d->s, name);
	sketch_name(spot->city, city);
	const size_t size = strlen(city);
	for (uint32_t i = 0; i < d->s->n_pids; i++) {
		const char *there = d->s->pids[i].name;
		const size_t length = strlen(there);
		if (length < size + 4 || strncmp(there, name, 3) != 0 ||
		    strcmp(there + length - size, city) != 0 || there[length - size - 1] != '-')
			continue;
		if (found != SKETCH_NONE)
			return sketch_pid(d->s, name); /* two cities of that name */
		found = i;
	}
	return found != SKETCH_NONE ? found : sketch_pid(d->s, name);
}

static void count(struct dump *d, const struct net *n)
{
	d->n_interconnects++;
	d->unknown += n == NULL;
	if (n == NULL)
		return;
	d->selective +=
		strcmp(n->policy, "Selective") == 0 || strcmp(n->policy, "Restrictive") == 0;
	d->ask_ratio += n->asks_ratio;
}

/* Some exchanges name ten cities. NULL: nothing that a document could say. */
static const char *metro_of(struct dump *d, const struct spot *spot)
{
	enum { BYTES = 64 };
	char text[BYTES + 1];
	if (spot == NULL || *spot->city == '\0')
		return NULL;
	size_t n = strlen(spot->city);
	if (n > BYTES)
		for (n = BYTES; n > 0 && ((unsigned char)spot->city[n] & 0xc0) == 0x80;)
			n--; /* not inside a character */
	memcpy(text, spot->city, n);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return NULL;
	return sketch_string(d->s, text);
}

static void add_interconnect(struct dump *d, const struct spot *spot, uint32_t asn, uint64_t mbps)
{
	char text[256], id[MAP_NAME_MAX + 1];
	const struct net *n = net_of(d, asn);
	const bool refuses = n != NULL && strcmp(n->policy, "No") == 0;
	const bool named = is_named(d->ask, asn);
	if (d->ask->n_neighbors > 0 ? !named : refuses) {
		d->refuse += refuses;
		return;
	}
	const uint32_t pid = pid_of(d, spot);
	if (pid == SKETCH_NONE)
		return;
	(void)snprintf(text, sizeof(text), "as%u %.200s", (unsigned)asn,
	               spot != NULL ? spot->name : "");
	sketch_name(text, id);
	struct map_interconnect *x = sketch_interconnect(d->s, id, nowhere);
	x->pid = d->s->pids[pid].name;
	x->neighbor_asn = asn;
	x->relation = RELATION_SETTLEMENT_FREE;
	x->capacity_mbps = mbps;
	x->reach = REACH_NEIGHBOR;
	x->metro = metro_of(d, spot);
	count(d, n);
}

/* Ports of one spot, by ASN: an interconnect with each neighbour, as wide as the narrower side. */
static void meet(struct dump *d, const struct list *spots, const struct port *p, size_t n,
                 bool named_only)
{
	uint64_t ours = 0;
	bool here = false;
	for (size_t i = 0; i < n; i++)
		if (sketch_has_asn(d->s, p[i].asn)) {
			here = true;
			ours += p[i].mbps;
		}
	if (!here)
		return;
	const struct spot *spot = find(spots, sizeof(*spot), p->spot);
	for (size_t from = 0, to; from < n; from = to) {
		uint64_t theirs = 0;
		for (to = from; to < n && p[to].asn == p[from].asn; to++)
			theirs += p[to].mbps;
		const uint64_t both = theirs < ours ? theirs : ours;
		if (!sketch_has_asn(d->s, p[from].asn) &&
		    (!named_only || is_named(d->ask, p[from].asn)))
			add_interconnect(d, spot, p[from].asn,
			                 both < MAP_CAPACITY_MAX ? both : MAP_CAPACITY_MAX);
	}
}

static void meet_everywhere(struct dump *d, const struct list *spots, const struct list *ports,
                            bool named_only)
{
	const struct port *p = ports->items;
	for (size_t from = 0, to; from < ports->n; from = to) {
		for (to = from; to < ports->n && p[to].spot == p[from].spot;)
			to++;
		meet(d, spots, p + from, to - from, named_only);
	}
}

/* What is known of those that were asked for. */
static void tell_named(struct dump *d)
{
	for (size_t i = 0; i < d->ask->n_neighbors; i++) {
		const uint32_t asn = d->ask->neighbors[i];
		const struct net *n = net_of(d, asn);
		size_t met = 0;
		for (size_t k = 0; k < d->s->n_interconnects; k++)
			met += d->s->interconnects[k].neighbor_asn == asn;
		if (n == NULL)
			sketch_warn(d->s, nowhere, "neighbor",
			            "AS%u: %zu interconnects; the files do not say who it is",
			            (unsigned)asn, met);
		else
			sketch_warn(d->s, nowhere, "neighbor",
			            "AS%u (%.80s): %zu interconnects; policy %s, traffic %s%s",
			            (unsigned)asn, n->name, met,
			            *n->policy != '\0' ? n->policy : "not said",
			            *n->ratio != '\0' ? n->ratio : "not said",
			            n->asks_ratio ? ", asks for a ratio (p4pctl policy put)" : "");
	}
}

static void warn(struct dump *d)
{
	tell_named(d);
	if (d->unread > 0)
		sketch_warn(d->s, nowhere, "rows",
		            "%zu rows lack an ASN, or where they are; left out", d->unread);
	if (d->n_interconnects > 0 && d->ask->n_neighbors == 0)
		sketch_warn(
			d->s, nowhere, "guess",
			"%zu interconnects are candidates: both are at the exchange, which is no "
			"session; remove those you do not have, or name yours with --neighbor",
			d->n_interconnects);
	if (d->n_interconnects > 0)
		sketch_warn(
			d->s, nowhere, "guess",
			"all are taken for settlement-free, which PeeringDB does not know; policies "
			"are selective or restrictive at %zu, ask for a ratio at %zu, unknown at %zu",
			d->selective, d->ask_ratio, d->unknown);
	if (d->n_interconnects > 0)
		sketch_warn(
			d->s, nowhere, "capacity",
			"capacity_mbps is the narrower of both sides' ports at the exchange, which "
			"all neighbours there share");
	if (d->refuse > 0)
		sketch_warn(d->s, nowhere, "policy",
		            "%zu candidates are left out, for their policy is not to peer",
		            d->refuse);
	if (d->n_interconnects == 0)
		sketch_warn(
			d->s, nowhere, "nothing",
			"the provider's ASNs meet nobody in the files; they must have netixlan and ix "
			"(and net for policies)");
}

void sketch_peeringdb(struct sketch *s, struct sketch_source *sources, size_t n,
                      const struct sketch_ask *ask)
{
	struct dump d = { .s = s, .ask = ask };
	for (uint32_t i = 0; i < n; i++)
		read_source(&d, &sources[i], i + 1);
	sort(&d.nets, sizeof(struct net), by_id);
	sort(&d.exchanges, sizeof(struct spot), by_id);
	sort(&d.facilities, sizeof(struct spot), by_id);
	sort(&d.lans, sizeof(struct port), by_id);
	join(&d, &d.ports, true);
	join(&d, &d.presences, false);
	sort(&d.nets, sizeof(struct net), by_asn);
	meet_everywhere(&d, &d.exchanges, &d.ports, false);
	/* In a building hundreds are, and most never meet: only those that were named. */
	meet_everywhere(&d, &d.facilities, &d.presences, true);
	warn(&d);
	struct list *const lists[] = { &d.nets, &d.exchanges, &d.facilities,
		                       &d.lans, &d.ports,     &d.presences };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		free(lists[i]->items);
}
