/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/check.h"

#include "common/map/asn_list.h"
#include "common/map/checking.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place place(const char *fmt, ...)
{
	struct place p;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(p.text, sizeof(p.text), fmt, ap);
	va_end(ap);
	return p;
}

size_t faults_found(const struct faults *all)
{
	return all->count + all->more;
}

enum err faults_verdict(const struct faults *all, size_t before)
{
	return faults_found(all) > before ? ERR_MALFORMED : ERR_OK;
}

/* ---- names ---- */

/* ERR_NOMEM only; a name that is there already is a fault. `list` is where it stands. */
static enum err add_name(struct checking *c, struct table *names, const char *name, size_t i,
                         const char *list, const char *key)
{
	uint32_t first;
	if (name == NULL)
		return ERR_OK;
	const enum err err = table_add(names, name, (uint32_t)i, &first);
	if (err != ERR_EXISTS)
		return err;
	(void)faults_add(c->faults, ERR_EXISTS, "duplicate", place("/%s/%zu/%s", list, i, key).text,
	                 "must be unique, but \"%s\" is the name of /%s/%u, too", name, list,
	                 (unsigned)first);
	return ERR_OK;
}

static void want_pid(struct checking *c, const char *pid, const char *list, size_t i,
                     const char *key)
{
	uint32_t index;
	if (pid != NULL && !c->pids_unclear && !table_find(c->pids, pid, &index))
		(void)faults_add(c->faults, ERR_NOT_FOUND, "unknown-pid",
		                 place("/%s/%zu/%s", list, i, key).text,
		                 "must name a PID of this topology; \"%s\" is none", pid);
}

/* What is said of the lines against what is said of sparing them. */
static void warn_of_lines(struct checking *c, size_t i)
{
	const struct map_pid *p = &c->t->pids[i];
	const uint64_t most_gb = p->subscriber_up_kbps * UINT64_C(30 * 24 * 60 * 60) / 8000000;
	if (p->uploads_said && p->uploads == UPLOADS_NORMAL && map_access_is_radio(p->access))
		(void)faults_add(c->warnings, ERR_RANGE, "radio",
		                 place("/pids/%zu/uploads", i).text,
		                 "\"normal\" has lines of access \"%s\" serve others like any; "
		                 "without \"uploads\" they would only when nobody else can",
		                 p->access);
	if (p->monthly_upload_gb > 0 && p->subscriber_up_kbps > 0 && p->monthly_upload_gb > most_gb)
		(void)faults_add(c->warnings, ERR_RANGE, "cap",
		                 place("/pids/%zu/monthly_upload_gb", i).text,
		                 "subscriber_up_mbps lets a line upload %" PRIu64
		                 " GB in 30 days, so a cap of %" PRIu64 " changes nothing",
		                 most_gb, p->monthly_upload_gb);
}

static enum err check_pids(struct checking *c)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < c->t->n_pids && err == ERR_OK; i++) {
		c->pids_unclear = c->pids_unclear || c->t->pids[i].name == NULL;
		err = add_name(c, c->pids, c->t->pids[i].name, i, "pids", "pid");
		warn_of_lines(c, i);
	}
	return err;
}

static enum err check_links(struct checking *c)
{
	struct table *ids = table_new(c->t->n_links);
	enum err err = ids == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t i = 0; i < c->t->n_links && err == ERR_OK; i++) {
		const struct map_link *l = &c->t->links[i];
		err = add_name(c, ids, l->id, i, "links", "id");
		want_pid(c, l->a, "links", i, "a");
		want_pid(c, l->b, "links", i, "b");
		if (l->a != NULL && l->b != NULL && strcmp(l->a, l->b) == 0)
			(void)faults_add(
				c->faults, ERR_RANGE, "loop", place("/links/%zu/b", i).text,
				"must be another PID than \"a\", which is \"%s\" as well", l->a);
	}
	table_free(ids);
	return err;
}

/* ---- ASNs ---- */

/* 0 could not be read. */
static bool is_reserved(uint32_t asn)
{
	return asn != 0 && !asn_is_usable(asn);
}

static void fault_reserved(struct checking *c, uint32_t asn, struct place where)
{
	(void)faults_add(c->faults, ERR_RANGE, "reserved-asn", where.text,
	                 "must be an ASN that a network can have; %u is reserved", (unsigned)asn);
}

static void check_own_asns(struct checking *c, const struct asn_list *own)
{
	for (size_t i = 0; i < own->n; i++) {
		const struct asn_ref *r = &own->refs[i];
		if (is_reserved(r->asn))
			fault_reserved(c, r->asn, place("/asns/%u", (unsigned)r->index));
		if (r->asn != 0 && i > 0 && r->asn == r[-1].asn)
			(void)faults_add(c->faults, ERR_EXISTS, "duplicate",
			                 place("/asns/%u", (unsigned)r->index).text,
			                 "must be unique, but %u is /asns/%u, too",
			                 (unsigned)r->asn, (unsigned)r[-1].index);
	}
}

static void check_neighbor(struct checking *c, size_t i, const struct asn_list *own)
{
	const struct map_interconnect *x = &c->t->interconnects[i];
	uint32_t index;
	if (is_reserved(x->neighbor_asn))
		fault_reserved(c, x->neighbor_asn, place("/interconnects/%zu/neighbor_asn", i));
	if (x->neighbor_asn != 0 && asn_list_find(own, x->neighbor_asn, &index))
		(void)faults_add(
			c->faults, ERR_RANGE, "own-asn",
			place("/interconnects/%zu/neighbor_asn", i).text,
			"must be the ASN of a neighbor; %u is the provider's own (/asns/%u)",
			(unsigned)x->neighbor_asn, (unsigned)index);
	for (size_t k = 0; k < x->n_reach_asns; k++)
		if (is_reserved(x->reach_asns[k]))
			fault_reserved(c, x->reach_asns[k],
			               place("/interconnects/%zu/reach/asns/%zu", i, k));
}

static enum err check_interconnects(struct checking *c)
{
	struct asn_list own = { 0 };
	struct table *ids = table_new(c->t->n_interconnects);
	enum err err = ids == NULL ? ERR_NOMEM : asn_list_make(c->t->asns, c->t->n_asns, &own);
	if (err == ERR_OK)
		check_own_asns(c, &own);
	for (size_t i = 0; i < c->t->n_interconnects && err == ERR_OK; i++) {
		const struct map_interconnect *x = &c->t->interconnects[i];
		err = add_name(c, ids, x->id, i, "interconnects", "id");
		want_pid(c, x->pid, "interconnects", i, "pid");
		check_neighbor(c, i, &own);
	}
	asn_list_done(&own);
	table_free(ids);
	return err;
}

/* ---- exporters ---- */

/* One interface of one router: flows it reports cross one interconnect. */
struct port {
	struct map_exporter e;
	uint32_t interconnect, index;
};

static bool is_readable(const struct map_exporter *e)
{
	return e->address.family != IP_NONE && e->ifindex != 0;
}

static int compare_ports(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	int c = x->e.address.family - y->e.address.family;
	if (c == 0)
		c = memcmp(x->e.address.bytes, y->e.address.bytes, sizeof(x->e.address.bytes));
	if (c == 0)
		c = (x->e.ifindex > y->e.ifindex) - (x->e.ifindex < y->e.ifindex);
	if (c == 0)
		c = (x->interconnect > y->interconnect) - (x->interconnect < y->interconnect);
	return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

static void fault_port(struct checking *c, const struct port *p, const struct port *first)
{
	char address[IP_TEXT_SIZE];
	ip_print(&p->e.address, address);
	(void)faults_add(c->faults, ERR_EXISTS, "duplicate",
	                 place("/interconnects/%u/exporters/%u", (unsigned)p->interconnect,
	                       (unsigned)p->index)
	                         .text,
	                 "must be unique, but interface %u of %s is "
	                 "/interconnects/%u/exporters/%u, too",
	                 (unsigned)p->e.ifindex, address, (unsigned)first->interconnect,
	                 (unsigned)first->index);
}

static enum err check_exporters(struct checking *c)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < c->t->n_interconnects; i++)
		total += c->t->interconnects[i].n_exporters;
	if (total == 0)
		return ERR_OK;
	struct port *ports = calloc(total, sizeof(*ports));
	if (ports == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->t->n_interconnects; i++)
		for (size_t k = 0; k < c->t->interconnects[i].n_exporters; k++)
			ports[n++] = (struct port){ .e = c->t->interconnects[i].exporters[k],
				                    .interconnect = (uint32_t)i,
				                    .index = (uint32_t)k };
	qsort(ports, n, sizeof(*ports), compare_ports);
	for (size_t i = 1; i < n; i++)
		if (is_readable(&ports[i].e) &&
		    ip_equal(&ports[i].e.address, &ports[i - 1].e.address) &&
		    ports[i].e.ifindex == ports[i - 1].e.ifindex)
			fault_port(c, &ports[i], &ports[i - 1]);
	free(ports);
	return ERR_OK;
}

/* ---- the checks ---- */

enum err map_topology_check(const struct map_topology *t, const struct map_rules *rules,
                            struct faults *faults, struct faults *warnings)
{
	static enum err (*const steps[])(struct checking *) = {
		check_pids,          check_prefixes,  check_links,
		check_interconnects, check_exporters, check_islands,
	};
	const size_t before = faults_found(faults);
	struct checking c = { .t = t, .rules = rules, .faults = faults, .warnings = warnings };
	c.pids = table_new(t->n_pids);
	enum err err = c.pids == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == ERR_OK; i++)
		err = steps[i](&c);
	table_free(c.pids);
	return err != ERR_OK ? err : faults_verdict(faults, before);
}

static enum err index_names(const struct map_topology *t, struct table *pids, struct table *ids)
{
	enum err err = pids == NULL || ids == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t i = 0; i < t->n_pids && err != ERR_NOMEM; i++)
		err = table_add(pids, t->pids[i].name, (uint32_t)i, NULL);
	for (size_t i = 0; i < t->n_interconnects && err != ERR_NOMEM; i++)
		err = table_add(ids, t->interconnects[i].id, (uint32_t)i, NULL);
	return err == ERR_NOMEM ? err : ERR_OK;
}

/* In a row whose name could not be read: the nearest place above. */
static struct place place_of_cost(const struct map_pid_cost *p)
{
	return p->from != NULL ? place("/pid_costs/%s/%s", p->from, p->to) : place("/pid_costs");
}

static void check_pid_costs(const struct map_costs *c, const struct table *pids,
                            struct faults *faults)
{
	static const char text[] = "must name a PID of the topology in force; \"%s\" is none";
	uint32_t index;
	for (size_t i = 0; i < c->n_pid_costs; i++) {
		const struct map_pid_cost *p = &c->pid_costs[i];
		const bool new_row = i == 0 || p->from != p[-1].from; /* a row shares its name */
		if (new_row && p->from != NULL && !table_find(pids, p->from, &index))
			(void)faults_add(faults, ERR_NOT_FOUND, "unknown-pid",
			                 place("/pid_costs/%s", p->from).text, text, p->from);
		if (p->to != NULL && !table_find(pids, p->to, &index))
			(void)faults_add(faults, ERR_NOT_FOUND, "unknown-pid",
			                 place_of_cost(p).text, text, p->to);
	}
}

enum err map_costs_check(const struct map_costs *c, const struct map_topology *t,
                         struct faults *faults)
{
	const size_t before = faults_found(faults);
	struct table *pids = table_new(t->n_pids), *ids = table_new(t->n_interconnects);
	const enum err err = index_names(t, pids, ids);
	uint32_t index;
	if (c->provider != NULL && strcmp(c->provider, t->provider) != 0)
		(void)faults_add(faults, ERR_RANGE, "provider", "/provider",
		                 "must be \"%s\", the provider of the topology, not \"%s\"",
		                 t->provider, c->provider);
	if (err == ERR_OK)
		check_pid_costs(c, pids, faults);
	for (size_t i = 0; i < c->n_interconnect_costs && err == ERR_OK; i++) {
		const char *id = c->interconnect_costs[i].id;
		if (id != NULL && !table_find(ids, id, &index))
			(void)faults_add(faults, ERR_NOT_FOUND, "unknown-interconnect",
			                 place("/interconnect_costs/%s", id).text,
			                 "must name an interconnect of the topology in force; "
			                 "\"%s\" is none",
			                 id);
	}
	table_free(pids);
	table_free(ids);
	return err != ERR_OK ? err : faults_verdict(faults, before);
}
