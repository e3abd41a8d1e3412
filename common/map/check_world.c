/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/asn_list.h"
#include "common/map/checking.h"
#include "common/map/prefix_list.h"

#include <stdlib.h>
#include <string.h>

/*
 * Only the uploaded topology is sorted; every prefix of the others is looked up in it by bisection.
 * So an upload costs (all prefixes) x log(own prefixes), and no memory for the others'; and as few
 * providers share a /16 of IPv4, a bitmap of those spares most of the bisections.
 */
struct world {
	const struct map_topology *mine;
	struct asn_list asns;      /* mine */
	struct asn_list customers; /* and siblings: whose prefixes may lie inside mine */
	struct prefix_list prefixes;
	uint8_t near[65536 / 8]; /* a bit per IPv4 /16: something of mine is there */
	uint32_t *told; /* per own prefix: the other (+ 1) whose prefix around it was noted */
	struct faults *faults, *warnings;
};

static bool is_customer(const struct map_interconnect *x)
{
	return x->relation == RELATION_CUSTOMER || x->relation == RELATION_SIBLING;
}

static void world_done(struct world *w)
{
	asn_list_done(&w->asns);
	asn_list_done(&w->customers);
	prefix_list_done(&w->prefixes);
	free(w->told);
}

static void mark_near(struct world *w)
{
	for (size_t i = 0; i < w->prefixes.n; i++) {
		const struct ip_prefix *p = &w->prefixes.refs[i].prefix;
		if (p->addr.family != IP_V4)
			continue;
		const uint32_t first = ip_v4_number(&p->addr) >> 16;
		const uint32_t n = p->length < 16 ? 1U << (16 - p->length) : 1;
		for (uint32_t k = first; k < first + n; k++)
			w->near[k / 8] |= (uint8_t)(1U << k % 8);
	}
}

/* May `p` hold, or lie inside, a prefix of mine? */
static bool is_near(const struct world *w, const struct ip_prefix *p)
{
	if (p->addr.family != IP_V4 || p->length < 16)
		return true;
	const uint32_t k = ip_v4_number(&p->addr) >> 16;
	return w->near[k / 8] >> k % 8 & 1U;
}

static enum err world_init(struct world *w)
{
	const struct map_topology *t = w->mine;
	size_t n = 0;
	uint32_t *neighbors = calloc(t->n_interconnects + 1, sizeof(*neighbors));
	if (neighbors == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->n_interconnects; i++)
		if (is_customer(&t->interconnects[i]))
			neighbors[n++] = t->interconnects[i].neighbor_asn;
	enum err err = asn_list_make(neighbors, n, &w->customers);
	free(neighbors);
	if (err == ERR_OK)
		err = asn_list_make(t->asns, t->n_asns, &w->asns);
	if (err == ERR_OK)
		err = prefix_list_make(t, &w->prefixes);
	if (err == ERR_OK) {
		mark_near(w);
		w->told = calloc(w->prefixes.n + 1, sizeof(*w->told));
		err = w->told == NULL ? ERR_NOMEM : ERR_OK;
	}
	return err;
}

static bool is_my_customer(const struct world *w, const struct map_topology *other)
{
	uint32_t index;
	for (size_t i = 0; i < other->n_asns; i++)
		if (asn_list_find(&w->customers, other->asns[i], &index))
			return true;
	return !asn_list_is_whole(&w->customers); /* for all that could be read */
}

static bool am_customer_of(const struct world *w, const struct map_topology *other)
{
	uint32_t index;
	for (size_t i = 0; i < other->n_interconnects; i++)
		if (is_customer(&other->interconnects[i]) &&
		    asn_list_find(&w->asns, other->interconnects[i].neighbor_asn, &index))
			return true;
	return !asn_list_is_whole(&w->asns);
}

static void compare_asns(const struct world *w, const struct map_topology *other)
{
	uint32_t index;
	for (size_t i = 0; i < other->n_asns; i++)
		if (asn_list_find(&w->asns, other->asns[i], &index))
			(void)faults_add(w->faults, ERR_EXISTS, "taken",
			                 place("/asns/%u", (unsigned)index).text,
			                 "must belong to one provider only, but %u is an ASN of "
			                 "provider \"%s\"",
			                 (unsigned)other->asns[i], other->provider);
}

/* What one other provider's prefixes are compared with. */
struct comparison {
	struct world *w;
	const struct map_topology *other;
	uint32_t number; /* of the other, from 1 */
	bool holds_mine; /* mine may lie inside its prefixes */
	bool held_by_me; /* its prefixes may lie inside mine */
};

static struct place place_of(const struct prefix_ref *r)
{
	return place("/pids/%u/prefixes/%u", (unsigned)r->pid, (unsigned)r->index);
}

static void note_same(const struct comparison *c, const struct prefix_ref *r)
{
	char text[IP_PREFIX_TEXT_SIZE];
	ip_prefix_print(&r->prefix, text);
	(void)faults_add(c->w->faults, ERR_EXISTS, "taken", place_of(r).text,
	                 "must belong to one provider only, but %s is a prefix of "
	                 "provider \"%s\"",
	                 text, c->other->provider);
}

/* `mine` lies inside `theirs`. */
static void note_inside(const struct comparison *c, const struct prefix_ref *mine,
                        const struct ip_prefix *theirs)
{
	char text[IP_PREFIX_TEXT_SIZE], other[IP_PREFIX_TEXT_SIZE];
	ip_prefix_print(&mine->prefix, text);
	ip_prefix_print(theirs, other);
	if (c->holds_mine)
		(void)faults_add(
			c->w->warnings, ERR_RANGE, "nested", place_of(mine).text,
			"%s is taken out of a prefix of provider \"%s\" (%s), whose customer or "
			"sibling this provider is",
			text, c->other->provider, other);
	else
		(void)faults_add(
			c->w->faults, ERR_RANGE, "overlap", place_of(mine).text,
			"must lie outside the prefixes of provider \"%s\" (%s), which names no ASN "
			"of this provider as its customer or sibling, but %s does not",
			c->other->provider, other, text);
}

/* `mine` holds `theirs`. */
static void note_around(const struct comparison *c, const struct prefix_ref *mine,
                        const struct ip_prefix *theirs)
{
	char text[IP_PREFIX_TEXT_SIZE], other[IP_PREFIX_TEXT_SIZE];
	ip_prefix_print(&mine->prefix, text);
	ip_prefix_print(theirs, other);
	if (c->held_by_me)
		(void)faults_add(
			c->w->warnings, ERR_RANGE, "nested", place_of(mine).text,
			"a prefix of provider \"%s\" (%s), a customer or sibling, is taken "
			"out of %s",
			c->other->provider, other, text);
	else
		(void)faults_add(
			c->w->faults, ERR_RANGE, "overlap", place_of(mine).text,
			"must not hold a prefix of provider \"%s\" (%s), of which no interconnect "
			"here says that it is a customer or sibling, but %s does",
			c->other->provider, other, text);
}

static void compare_prefix(const struct comparison *c, const struct ip_prefix *theirs)
{
	const struct prefix_list *list = &c->w->prefixes;
	const size_t first = prefix_list_find(list, theirs);

	/* What their prefix covers of mine stands right behind it. */
	for (size_t i = first; i < list->n; i++) {
		const struct prefix_ref *mine = &list->refs[i];
		if (!ip_prefix_covers(theirs, &mine->prefix))
			break;
		if (mine->prefix.length == theirs->length) {
			note_same(c, mine);
		} else if (c->w->told[i] != c->number) {
			c->w->told[i] = c->number;
			note_inside(c, mine, theirs);
		}
	}
	if (first == 0 ||
	    (first < list->n && ip_prefix_compare(&list->refs[first].prefix, theirs) == 0))
		return;
	const uint32_t around = prefix_list_around(list, (uint32_t)first - 1, theirs);
	if (around != NO_REF)
		note_around(c, &list->refs[around], theirs);
}

enum err map_world_check(const struct map_topology *mine, const struct map_source *others,
                         size_t n_others, struct faults *faults, struct faults *warnings)
{
	const size_t before = faults_found(faults);
	struct world w = { .mine = mine, .faults = faults, .warnings = warnings };
	const enum err err = world_init(&w);
	for (size_t i = 0; i < n_others && err == ERR_OK; i++) {
		const struct map_topology *other = others[i].topology;
		if (mine->provider != NULL && strcmp(other->provider, mine->provider) == 0)
			continue;
		const struct comparison c = {
			.w = &w,
			.other = other,
			.number = (uint32_t)i + 1,
			.holds_mine = am_customer_of(&w, other),
			.held_by_me = is_my_customer(&w, other),
		};
		compare_asns(&w, other);
		for (size_t k = 0; k < other->n_pids; k++)
			for (size_t n = 0; n < other->pids[k].n_prefixes; n++)
				if (is_near(&w, &other->pids[k].prefixes[n]))
					compare_prefix(&c, &other->pids[k].prefixes[n]);
	}
	world_done(&w);
	return err != ERR_OK ? err : faults_verdict(faults, before);
}

void map_fault_for(const char *provider, const char *text, struct text *out)
{
	static const char mark[] = "provider \"";
	for (const char *at; (at = strstr(text, mark)) != NULL;) {
		const char *name = at + sizeof(mark) - 1;
		const size_t size = strcspn(name, "\"");
		const bool own = provider[0] == '\0' ||
		                 (strlen(provider) == size && memcmp(name, provider, size) == 0);
		const char *end = name + size + (name[size] == '"');
		text_add(out, text, (size_t)((own ? end : at) - text));
		if (!own)
			text_put(out, "another provider");
		if (!own && strncmp(end, " (", 2) == 0) /* which of its prefixes */
			end += strcspn(end, ")") + (strchr(end, ')') != NULL);
		text = end;
	}
	text_put(out, text);
}
