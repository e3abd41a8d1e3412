/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/checking.h"
#include "common/map/prefix_list.h"

/*
 * Ranges that are nobody's (IANA special-purpose registries, RFC 6890), as ip_kind() knows them.
 * A prefix is judged by all that it holds, so 64.0.0.0/2 is loopback, too.
 */
struct special {
	struct ip_prefix range;
	bool never; /* not even with `lab` */
	const char *what;
};

#define V4(a, b, length)                    \
	{                                   \
		{ { a, b }, IP_V4 }, length \
	}
#define V6(a, b, length)                    \
	{                                   \
		{ { a, b }, IP_V6 }, length \
	}
static const struct special specials[] = {
	{ V4(0, 0, 8), true, "unspecified" },
	{ V4(224, 0, 4), true, "multicast" },
	{ V4(10, 0, 8), false, "private" },
	{ V4(100, 64, 10), false, "private (RFC 6598)" },
	{ V4(127, 0, 8), false, "loopback" },
	{ V4(169, 254, 16), false, "link-local" },
	{ V4(172, 16, 12), false, "private" },
	{ V4(192, 168, 16), false, "private" },
	{ V4(240, 0, 4), false, "reserved" },
	{ { { { 192, 0, 2 }, IP_V4 }, 24 }, false, "documentation (RFC 5737)" },
	{ { { { 198, 51, 100 }, IP_V4 }, 24 }, false, "documentation (RFC 5737)" },
	{ { { { 203, 0, 113 }, IP_V4 }, 24 }, false, "documentation (RFC 5737)" },
	{ V6(0, 0, 128), true, "unspecified" },
	{ V6(0xff, 0, 8), true, "multicast" },
	{ V6(0, 0, 96), false, "loopback or IPv4-compatible" },
	{ { { { 0x20, 0x01, 0x0d, 0xb8 }, IP_V6 }, 32 }, false, "documentation (RFC 3849)" },
	{ V6(0x3f, 0xff, 20), false, "documentation (RFC 9637)" },
	{ V6(0xfc, 0, 7), false, "private" },
	{ V6(0xfe, 0x80, 9), false, "link-local" },
};

/* What is wrong with `p`, or NULL. */
static const struct special *find_special(const struct ip_prefix *p, bool lab)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		const struct special *s = &specials[i];
		if ((s->never || !lab) &&
		    (ip_prefix_covers(&s->range, p) || ip_prefix_covers(p, &s->range)))
			return s;
	}
	return NULL;
}

struct spot {
	const char *list;
	size_t i;
	const char *key;
	size_t k;
};

static void want_usable(struct checking *c, const struct ip_prefix *p, struct spot at)
{
	char text[IP_PREFIX_TEXT_SIZE], range[IP_PREFIX_TEXT_SIZE];
	const struct special *s = find_special(p, c->rules->lab);
	if (s == NULL)
		return;
	ip_prefix_print(p, text);
	ip_prefix_print(&s->range, range);
	(void)faults_add(c->faults, ERR_RANGE, "bogon",
	                 place("/%s/%zu/%s/%zu", at.list, at.i, at.key, at.k).text,
	                 "must be public addresses, but %s holds %s ones (%s)%s", text, s->what,
	                 range, s->never ? "" : ", which only the option lab allows");
}

static const char *name_of(const struct map_pid *pid)
{
	return pid->name != NULL ? pid->name : "?";
}

/* A prefix has one PID. A more specific one may have another: the longest match decides. */
static void check_nesting(struct checking *c, const struct prefix_list *list)
{
	char text[IP_PREFIX_TEXT_SIZE], outer[IP_PREFIX_TEXT_SIZE];
	for (size_t i = 1; i < list->n; i++) {
		const struct prefix_ref *r = &list->refs[i];
		if (r->around == NO_REF)
			continue;
		const struct prefix_ref *o = &list->refs[r->around];
		const bool same = ip_prefix_compare(&r->prefix, &o->prefix) == 0;
		if (!same && r->pid == o->pid)
			continue;
		const struct place where =
			place("/pids/%u/prefixes/%u", (unsigned)r->pid, (unsigned)r->index);
		ip_prefix_print(&r->prefix, text);
		ip_prefix_print(&o->prefix, outer);
		if (same)
			(void)faults_add(c->faults, ERR_EXISTS, "overlap", where.text,
			                 "must stand in one place only, but %s is "
			                 "/pids/%u/prefixes/%u (\"%s\"), too",
			                 text, (unsigned)o->pid, (unsigned)o->index,
			                 name_of(&c->t->pids[o->pid]));
		else
			(void)faults_add(c->warnings, ERR_RANGE, "nested", where.text,
			                 "%s is taken out of %s of PID \"%s\"", text, outer,
			                 name_of(&c->t->pids[o->pid]));
	}
}

enum err check_prefixes(struct checking *c)
{
	struct prefix_list list;
	const struct map_topology *t = c->t;
	for (size_t i = 0; i < t->n_pids; i++)
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++)
			want_usable(c, &t->pids[i].prefixes[k],
			            (struct spot){ "pids", i, "prefixes", k });
	for (size_t i = 0; i < t->n_interconnects; i++)
		for (size_t k = 0; k < t->interconnects[i].n_reach_prefixes; k++)
			want_usable(c, &t->interconnects[i].reach_prefixes[k],
			            (struct spot){ "interconnects", i, "reach/prefixes", k });
	if (prefix_list_make(t, &list) != ERR_OK)
		return ERR_NOMEM;
	check_nesting(c, &list);
	prefix_list_done(&list);
	return ERR_OK;
}
