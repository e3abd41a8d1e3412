/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/err.h"
#include "common/ip/lpm.h"
#include "tools/sketch/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found {
	struct ip_prefix prefix;
	uint32_t asn;
	struct sketch_origin from;
};

struct origins {
	struct sketch *s;
	struct sketch_origin at;
	struct found *list; /* what the provider's ASNs originate */
	size_t n, room;
	size_t lines, shared; /* of the found ones: originated by others, too */
};

static void note(struct origins *o, const struct ip_prefix *prefix, uint32_t asn)
{
	if (o->n == o->room) {
		const size_t room = o->room > 0 ? 2 * o->room : 1024;
		struct found *more = realloc(o->list, room * sizeof(*more));
		o->s->full |= more == NULL;
		if (more == NULL)
			return;
		o->list = more;
		o->room = room;
	}
	o->list[o->n++] = (struct found){ *prefix, asn, o->at };
}

/* "64500", "64500_64501" (several origins), "64500,64501" (a set): the provider's one among them, if any. */
static void read_origins(struct origins *o, const struct ip_prefix *prefix, char *text)
{
	uint32_t asn, ours = 0;
	bool any = false, shared = false;
	for (char *at = text; at != NULL;) {
		char *next = strpbrk(at, "_,");
		if (next != NULL)
			*next++ = '\0';
		if (!sketch_read_asn(o->s, o->at, at, &asn))
			return;
		if (!any && sketch_has_asn(o->s, asn)) {
			any = true;
			ours = asn;
		}
		shared |= !sketch_has_asn(o->s, asn);
		at = next;
	}
	if (!any)
		return;
	o->shared += shared;
	note(o, prefix, ours);
}

static void read_line(struct origins *o, char *line)
{
	enum { MOST = 4 };
	char *fields[MOST], joined[64];
	struct ip_prefix prefix;
	if (line[strspn(line, " \t")] == '\0' || line[0] == '#' || line[0] == ';')
		return;
	const size_t n = sketch_split(line, ' ', fields, MOST);
	if (n != 2 && n != 3) {
		sketch_fault(
			o->s, o->at, "fields",
			"must be PREFIX ASN, or ADDRESS LENGTH ASN, with blanks or tabs between, not "
			"%zu fields",
			n);
		return;
	}
	o->lines++;
	if (n == 3)
		(void)snprintf(joined, sizeof(joined), "%.50s/%.8s", fields[0], fields[1]);
	if (sketch_read_prefix(o->s, o->at, n == 3 ? joined : fields[0], &prefix))
		read_origins(o, &prefix, fields[n - 1]);
}

static uint32_t pid_of(struct sketch *s, const struct sketch_ask *ask, uint32_t asn)
{
	char name[MAP_NAME_MAX + 1];
	(void)snprintf(name, sizeof(name), "as%u", (unsigned)asn);
	return sketch_pid(s, ask->pid != NULL ? ask->pid : name);
}

/*
 * Adds what lies in no prefix of the topology that was there: an operator's own word on its PIDs is finer
 * than what is announced. In order, with the prefixes of that topology around the present one counted by
 * a stack.
 */
static void add_found(struct origins *o, const struct sketch_ask *ask)
{
	const size_t n_there = o->s->n_prefixes, n = n_there + o->n;
	size_t placed = 0;
	const struct ip_prefix *cover = NULL; /* the outermost that was there */
	struct lpm_entry *all = malloc((n + 1) * sizeof(*all));
	if (all == NULL) {
		o->s->full = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		all[i] = i < n_there ? (struct lpm_entry){ o->s->prefixes[i].prefix, 0 }
		                     : (struct lpm_entry){ o->list[i - n_there].prefix,
			                                   (uint32_t)(i - n_there + 1) };
	o->s->full |= lpm_sort(all, n) != ERR_OK;
	for (size_t i = 0; i < n && !o->s->full; i++) {
		if (cover != NULL && !ip_prefix_covers(cover, &all[i].prefix))
			cover = NULL;
		if (all[i].value == 0) {
			cover = cover != NULL ? cover : &all[i].prefix;
			continue;
		}
		must(o->list != NULL);
		const struct found *f = &o->list[all[i].value - 1];
		placed += cover != NULL;
		if (cover == NULL)
			sketch_prefix(o->s, pid_of(o->s, ask, f->asn), &f->prefix, f->from);
	}
	free(all);
	if (placed > 0)
		sketch_warn(o->s, (struct sketch_origin){ 0 }, "placed",
		            "%zu prefixes lie in PIDs of the topology already, and stay there",
		            placed);
}

void sketch_pfx2as(struct sketch *s, struct sketch_source *sources, size_t n,
                   const struct sketch_ask *ask)
{
	struct origins o = { .s = s };
	for (uint32_t i = 0; i < n; i++) {
		char *at = sketch_text(s, &sources[i], i + 1), *line;
		const char *end = sources[i].text + sources[i].size;
		o.at = (struct sketch_origin){ i + 1, 0 };
		while (at != NULL && (line = sketch_next_line(&at, end, &o.at.line)) != NULL)
			read_line(&o, line);
	}
	add_found(&o, ask);
	if (o.n == 0 && s->n_asns > 0)
		sketch_warn(s, (struct sketch_origin){ 0 }, "nothing",
		            "of %zu prefixes none is originated by the provider's ASNs", o.lines);
	if (o.shared > 0)
		sketch_warn(s, (struct sketch_origin){ 0 }, "shared",
		            "%zu prefixes are originated by other ASNs as well; they are taken in",
		            o.shared);
	free(o.list);
}
