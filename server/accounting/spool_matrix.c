/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/spool_matrix.h"

#include <math.h>
#include <stdlib.h>

enum {
	CELL_MIN = 1 + 1 + 1 + 1 + 1 + 1 + 3 * 8 + 2 * 8,
	CELL_MAX = CELL_MIN + 2 * 64 + 2 * PLACE_KEY_MAX,
	SWARM_MIN = 1 + 8 + 8 * TIER_COUNT_ + 2 * 8 + 2 * 8 + 8 + 4 + 1 + 8,
	SWARM_MAX = SWARM_MIN + 64
};

size_t spool_matrix_room(const struct accounting_bin *bin)
{
	return 4 + bin->n_cells * CELL_MAX + 4 + bin->n_swarms * SWARM_MAX;
}

void spool_put_text(struct writer *w, const char *s)
{
	writer_u8(w, (uint8_t)strlen(s));
	writer_bytes(w, s, strlen(s));
}

bool spool_take_text(struct reader *r, char *out, size_t room)
{
	const uint8_t size = reader_u8(r);
	if (size >= room)
		return false;
	reader_copy(r, out, size);
	out[size] = '\0';
	return !r->bad && strlen(out) == size;
}

static void put_double(struct writer *w, double x)
{
	uint64_t bits;
	_Static_assert(sizeof(bits) == sizeof(x), "IEEE 754");
	memcpy(&bits, &x, sizeof(bits));
	writer_u64(w, bits);
}

static bool take_double(struct reader *r, double *x)
{
	const uint64_t bits = reader_u64(r);
	memcpy(x, &bits, sizeof(*x));
	return isfinite(*x) && *x >= 0;
}

static void put_cell(struct writer *w, const struct accounting_cell *c)
{
	spool_put_text(w, c->provider);
	spool_put_text(w, c->interconnect);
	writer_u8(w, (uint8_t)c->direction);
	writer_u8(w, (uint8_t)c->tier);
	spool_put_text(w, c->from);
	spool_put_text(w, c->to);
	writer_u64(w, c->bytes);
	writer_u64(w, c->sure_bytes);
	writer_u64(w, c->unmet_bytes);
	put_double(w, c->spread);
	put_double(w, c->cost);
}

static bool take_cell(struct reader *r, struct accounting_cell *c)
{
	if (!spool_take_text(r, c->provider, sizeof(c->provider)) ||
	    !spool_take_text(r, c->interconnect, sizeof(c->interconnect)))
		return false;
	const uint8_t direction = reader_u8(r), tier = reader_u8(r);
	if (direction > ACCOUNTING_IN || tier >= TIER_COUNT_ ||
	    !spool_take_text(r, c->from, sizeof(c->from)) ||
	    !spool_take_text(r, c->to, sizeof(c->to)))
		return false;
	c->direction = (enum accounting_direction)direction;
	c->tier = (enum map_tier)tier;
	c->bytes = reader_u64(r);
	c->sure_bytes = reader_u64(r);
	c->unmet_bytes = reader_u64(r);
	return take_double(r, &c->spread) && take_double(r, &c->cost);
}

static void put_swarm(struct writer *w, const struct accounting_swarm *s)
{
	spool_put_text(w, s->provider);
	writer_u64(w, s->swarm);
	for (unsigned k = 0; k < TIER_COUNT_; k++)
		writer_u64(w, s->bytes[k]);
	writer_u64(w, s->out_bytes);
	writer_u64(w, s->in_bytes);
	writer_u64(w, s->up);
	writer_u64(w, s->down);
	writer_u64(w, s->clients);
	writer_u32(w, s->swarms);
	writer_u8(w, s->flagged);
	put_double(w, s->cost);
}

static bool take_swarm(struct reader *r, struct accounting_swarm *s)
{
	if (!spool_take_text(r, s->provider, sizeof(s->provider)))
		return false;
	s->swarm = reader_u64(r);
	for (unsigned k = 0; k < TIER_COUNT_; k++)
		s->bytes[k] = reader_u64(r);
	s->out_bytes = reader_u64(r);
	s->in_bytes = reader_u64(r);
	s->up = reader_u64(r);
	s->down = reader_u64(r);
	s->clients = reader_u64(r);
	s->swarms = reader_u32(r);
	s->flagged = reader_u8(r) == 1;
	return take_double(r, &s->cost);
}

void spool_matrix_put(struct writer *w, const struct accounting_bin *bin)
{
	writer_u32(w, (uint32_t)bin->n_cells);
	for (size_t i = 0; i < bin->n_cells; i++)
		put_cell(w, &bin->cells[i]);
	writer_u32(w, (uint32_t)bin->n_swarms);
	for (size_t i = 0; i < bin->n_swarms; i++)
		put_swarm(w, &bin->swarms[i]);
}

enum err spool_matrix_take(struct reader *r, struct accounting_bin *bin)
{
	size_t n = reader_u32(r);
	if (n > reader_left(r) / CELL_MIN || bin->cells != NULL)
		return ERR_MALFORMED;
	bin->cells = calloc(n + 1, sizeof(*bin->cells));
	if (bin->cells == NULL)
		return ERR_NOMEM;
	for (; bin->n_cells < n; bin->n_cells++)
		if (!take_cell(r, &bin->cells[bin->n_cells]))
			return ERR_MALFORMED;
	n = reader_u32(r);
	if (n > reader_left(r) / SWARM_MIN)
		return ERR_MALFORMED;
	bin->swarms = calloc(n + 1, sizeof(*bin->swarms));
	if (bin->swarms == NULL)
		return ERR_NOMEM;
	for (; bin->n_swarms < n; bin->n_swarms++)
		if (!take_swarm(r, &bin->swarms[bin->n_swarms]))
			return ERR_MALFORMED;
	return r->bad || reader_left(r) != 0 ? ERR_MALFORMED : ERR_OK;
}
