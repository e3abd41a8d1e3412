/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sketch/sketch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err sketch_init(struct sketch *s, const struct sketch_source *sources, size_t n_sources)
{
	*s = (struct sketch){ .arena = arena_new(1 << 16),
		              .faults = faults_new(),
		              .warnings = faults_new(),
		              .sources = sources,
		              .n_sources = n_sources,
		              .pid_numbers = table_new(64),
		              .interconnect_numbers = table_new(64) };
	s->full = s->arena == NULL || s->faults == NULL || s->warnings == NULL ||
	          s->pid_numbers == NULL || s->interconnect_numbers == NULL;
	return s->full ? ERR_NOMEM : ERR_OK;
}

void sketch_done(struct sketch *s)
{
	arena_free(s->arena);
	faults_free(s->faults);
	faults_free(s->warnings);
	table_free(s->pid_numbers);
	table_free(s->interconnect_numbers);
	free(s->asns);
	free(s->pids);
	free(s->pid_origins);
	free(s->prefixes);
	free(s->links);
	free(s->link_origins);
	free(s->interconnects);
	free(s->interconnect_origins);
	free(s->pid_costs);
	free(s->interconnect_costs);
	*s = (struct sketch){ 0 };
}

/* `list`, moved perhaps, with room for one more than `n`; as it was when the sketch is full. */
static void *grow(struct sketch *s, void *list, size_t n, size_t *room, size_t size)
{
	if (n < *room || s->full)
		return list;
	const size_t more = *room > 0 ? 2 * *room : 64;
	void *bigger = realloc(list, more * size);
	if (bigger == NULL) {
		s->full = true;
		return list;
	}
	*room = more;
	return bigger;
}

/* Whether there is room now. */
#define GROW(s, list, n, room) \
	((list) = grow((s), (list), (n), &(room), sizeof(*(list))), !(s)->full)

const char *sketch_string(struct sketch *s, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = arena_take(s->arena, size);
	s->full |= copy == NULL;
	if (copy == NULL)
		return "";
	memcpy(copy, text, size);
	return copy;
}

bool sketch_has_asn(const struct sketch *s, uint32_t asn)
{
	for (size_t i = 0; i < s->n_asns; i++)
		if (s->asns[i] == asn)
			return true;
	return false;
}

void sketch_asn(struct sketch *s, uint32_t asn)
{
	if (!sketch_has_asn(s, asn) && GROW(s, s->asns, s->n_asns, s->asns_room))
		s->asns[s->n_asns++] = asn;
}

uint32_t sketch_find_pid(const struct sketch *s, const char *name)
{
	uint32_t number;
	return table_find(s->pid_numbers, name, &number) ? number : SKETCH_NONE;
}

uint32_t sketch_pid(struct sketch *s, const char *name)
{
	const uint32_t number = sketch_find_pid(s, name);
	size_t room = s->pids_room; /* both lists grow together */
	if (number != SKETCH_NONE || !GROW(s, s->pid_origins, s->n_pids, room) ||
	    !GROW(s, s->pids, s->n_pids, s->pids_room))
		return number;
	s->pid_origins[s->n_pids] = (struct sketch_origin){ 0 };
	struct map_pid *pid = &s->pids[s->n_pids];
	*pid = (struct map_pid){ .name = sketch_string(s, name) };
	s->full |= table_add(s->pid_numbers, pid->name, (uint32_t)s->n_pids, NULL) != ERR_OK;
	return s->full ? SKETCH_NONE : (uint32_t)s->n_pids++;
}

void sketch_prefix(struct sketch *s, uint32_t pid, const struct ip_prefix *prefix,
                   struct sketch_origin from)
{
	if (pid != SKETCH_NONE && GROW(s, s->prefixes, s->n_prefixes, s->prefixes_room))
		s->prefixes[s->n_prefixes++] = (struct sketch_prefix){ *prefix, pid, from };
}

struct map_link *sketch_link(struct sketch *s, const char *id, struct sketch_origin from)
{
	size_t room = s->links_room;
	if (!GROW(s, s->link_origins, s->n_links, room) ||
	    !GROW(s, s->links, s->n_links, s->links_room))
		return &s->spare_link;
	s->link_origins[s->n_links] = from;
	struct map_link *link = &s->links[s->n_links++];
	*link = (struct map_link){ .id = sketch_string(s, id), .weight = 1 };
	return link;
}

struct map_interconnect *sketch_interconnect(struct sketch *s, const char *id,
                                             struct sketch_origin from)
{
	char name[MAP_NAME_MAX + 16];
	uint32_t number;
	(void)snprintf(name, sizeof(name), "%.*s", MAP_NAME_MAX + 1,
	               id); /* too long stays a fault */
	for (unsigned i = 2; table_find(s->interconnect_numbers, name, &number); i++)
		(void)snprintf(name, sizeof(name), "%.*s-%u", MAP_NAME_MAX - 8, id, i);
	size_t room = s->interconnects_room;
	const size_t n = s->n_interconnects;
	if (!GROW(s, s->interconnect_origins, n, room) ||
	    !GROW(s, s->interconnects, n, s->interconnects_room))
		return &s->spare_interconnect;
	s->interconnect_origins[n] = from;
	s->interconnects[n] = (struct map_interconnect){ .id = sketch_string(s, name) };
	s->full |= table_add(s->interconnect_numbers, s->interconnects[n].id, (uint32_t)n, NULL) !=
	           ERR_OK;
	return &s->interconnects[s->n_interconnects++];
}

bool sketch_has_interconnect(const struct sketch *s, const char *id)
{
	uint32_t number;
	return table_find(s->interconnect_numbers, id, &number);
}

void sketch_pid_cost(struct sketch *s, const char *from, const char *to, uint32_t cost)
{
	if (GROW(s, s->pid_costs, s->n_pid_costs, s->pid_costs_room))
		s->pid_costs[s->n_pid_costs++] =
			(struct map_pid_cost){ sketch_string(s, from), sketch_string(s, to), cost };
}

void sketch_interconnect_cost(struct sketch *s, const char *id, uint32_t out, uint32_t in)
{
	if (GROW(s, s->interconnect_costs, s->n_interconnect_costs, s->interconnect_costs_room))
		s->interconnect_costs[s->n_interconnect_costs++] =
			(struct map_interconnect_cost){ sketch_string(s, id), out, in };
}

void sketch_take(struct sketch *s, const struct map_topology *t)
{
	static const struct sketch_origin nowhere = { 0 };
	s->provider = t->provider;
	for (size_t i = 0; i < t->n_asns; i++)
		sketch_asn(s, t->asns[i]);
	for (size_t i = 0; i < t->n_pids; i++) {
		const struct map_pid *pid = &t->pids[i];
		const uint32_t number = sketch_pid(s, pid->name);
		if (number == SKETCH_NONE)
			return;
		for (size_t k = 0; k < pid->n_prefixes; k++)
			sketch_prefix(s, number, &pid->prefixes[k], nowhere);
		const char *name = s->pids[number].name;
		s->pids[number] = *pid;
		s->pids[number].name = name; /* the table's */
		s->pids[number].prefixes = NULL;
		s->pids[number].n_prefixes = 0;
	}
	for (size_t i = 0; i < t->n_links; i++)
		*sketch_link(s, t->links[i].id, nowhere) = t->links[i];
	for (size_t i = 0; i < t->n_interconnects; i++) {
		struct map_interconnect *x =
			sketch_interconnect(s, t->interconnects[i].id, nowhere);
		const char *id = x->id;
		*x = t->interconnects[i];
		x->id = id;
	}
}

/* ---- what is wrong, and where ---- */

static void name_place(const struct sketch *s, struct sketch_origin from, char *where, size_t size)
{
	const char *name = from.source > 0 && from.source <= s->n_sources
	                           ? s->sources[from.source - 1].name
	                           : "";
	const size_t room = size - 24, length = strlen(name);
	if (length > room)
		name += length - room; /* the end tells more than the beginning */
	if (from.line > 0)
		(void)snprintf(where, size, "%s: line %u", name, (unsigned)from.line);
	else
		(void)snprintf(where, size, "%s", name);
}

__attribute__((format(printf, 4, 0))) static void note(struct faults *list, const char *kind,
                                                       const char *where, const char *fmt,
                                                       va_list ap)
{
	char text[1024]; /* faults_add() cuts it, between characters */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)faults_add(list, ERR_MALFORMED, kind, where, "%s", text);
}

void sketch_fault(struct sketch *s, struct sketch_origin from, const char *kind, const char *fmt,
                  ...)
{
	char where[sizeof(((struct fault *)0)->where)];
	va_list ap;
	name_place(s, from, where, sizeof(where));
	va_start(ap, fmt);
	note(s->faults, kind, where, fmt, ap);
	va_end(ap);
}

void sketch_warn(struct sketch *s, struct sketch_origin from, const char *kind, const char *fmt,
                 ...)
{
	char where[sizeof(((struct fault *)0)->where)];
	va_list ap;
	name_place(s, from, where, sizeof(where));
	va_start(ap, fmt);
	note(s->warnings, kind, where, fmt, ap);
	va_end(ap);
}
