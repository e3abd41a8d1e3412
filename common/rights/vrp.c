/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rights/vrp_making.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number of a trust anchor's name. There are five in the world; beyond VRP_TAS_MAX: not said. */
static uint8_t number_ta(struct vrp_table *t, const char *name)
{
	size_t i = 0;
	while (i < t->n_tas && strcmp(t->tas[i], name) != 0)
		i++;
	if (i < t->n_tas)
		return (uint8_t)i;
	if (i == VRP_TAS_MAX)
		return 0;
	(void)snprintf(t->tas[t->n_tas++], VRP_TA_SIZE, "%s", name);
	return (uint8_t)i;
}

static enum err grow(struct vrp_making *m)
{
	const size_t room = 2 * m->room + 4096;
	struct lpm_entry *entries = realloc(m->entries, room * sizeof(*entries));
	if (entries == NULL)
		return ERR_NOMEM;
	m->entries = entries;
	struct vrp_said *said = realloc(m->t->said, room * sizeof(*said));
	if (said == NULL)
		return ERR_NOMEM;
	m->t->said = said;
	m->room = room;
	return ERR_OK;
}

enum err vrp_making_add(struct vrp_making *m, const struct vrp *v)
{
	if (m->n == VRPS_MAX)
		return ERR_RANGE;
	if (m->n == m->room && grow(m) != ERR_OK)
		return ERR_NOMEM;
	m->t->said[m->n] = (struct vrp_said){ v->asn, v->max_length, number_ta(m->t, v->ta) };
	m->entries[m->n] = (struct lpm_entry){ .prefix = v->prefix, .value = (uint32_t)m->n };
	m->n++;
	return ERR_OK;
}

void vrp_table_free(struct vrp_table *t)
{
	if (t == NULL)
		return;
	cover_free(t->cover);
	free(t->said);
	free(t);
}

struct vrp_about vrp_table_about(const struct vrp_table *t)
{
	return t->about;
}

uint32_t vrp_find(const struct vrp_table *t, const struct ip_prefix *p)
{
	return cover_find(t->cover, p);
}

uint32_t vrp_around(const struct vrp_table *t, uint32_t i)
{
	return cover_around(t->cover, i);
}

uint32_t vrp_behind(const struct vrp_table *t, const struct ip_prefix *p)
{
	return cover_behind(t->cover, p);
}

bool vrp_at(const struct vrp_table *t, uint32_t i, struct vrp *out)
{
	if (i >= cover_count(t->cover))
		return false;
	const struct lpm_entry *e = cover_at(t->cover, i);
	const struct vrp_said *s = &t->said[e->value];
	*out = (struct vrp){ .prefix = e->prefix, .asn = s->asn, .max_length = s->max_length };
	memcpy(out->ta, t->tas[s->ta], VRP_TA_SIZE);
	return true;
}
