/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/matrix_feed.h"

#include "common/swarm/swarm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)STORE_PLACE_MAX >= (int)PLACE_KEY_MAX, "places fit");
_Static_assert((int)STORE_OUT == (int)ACCOUNTING_OUT && (int)STORE_IN == (int)ACCOUNTING_IN,
               "the same directions");

static void fill_cell(const struct accounting_cell *c, struct store_cell *out)
{
	*out = (struct store_cell){ .direction = (enum store_direction)c->direction,
		                    .tier = c->tier,
		                    .bytes = c->bytes,
		                    .private_bytes = c->sure_bytes,
		                    .unmet_bytes = c->unmet_bytes,
		                    .spread = c->spread,
		                    .cost = c->cost };
	memcpy(out->provider, c->provider, sizeof(out->provider));
	memcpy(out->interconnect, c->interconnect, sizeof(out->interconnect));
	memcpy(out->from, c->from, sizeof(c->from));
	memcpy(out->to, c->to, sizeof(c->to));
}

static void fill_swarm(const struct accounting_swarm *r, struct store_swarm *out)
{
	*out = (struct store_swarm){ .out_bytes = r->out_bytes,
		                     .in_bytes = r->in_bytes,
		                     .up = r->up,
		                     .down = r->down,
		                     .clients = r->clients,
		                     .swarms = r->swarms,
		                     .flagged = r->flagged,
		                     .cost = r->cost };
	memcpy(out->provider, r->provider, sizeof(out->provider));
	memcpy(out->bytes, r->bytes, sizeof(out->bytes));
}

static int by_hash(const void *a, const void *b)
{
	const struct swarm_name *x = a, *y = b;
	return (x->swarm > y->swarm) - (x->swarm < y->swarm);
}

/* Info-hashes while the tracker still has the swarms; a number for those that are gone. */
static enum err name_swarms(const struct swarm_names *all, const struct accounting_bin *bin,
                            struct store_swarm *out)
{
	struct swarm_name *names = calloc(bin->n_swarms + 1, sizeof(*names));
	size_t n = 0;
	if (names == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < bin->n_swarms; i++)
		if (bin->swarms[i].swarms == 1 && bin->swarms[i].swarm != 0)
			names[n++].swarm = bin->swarms[i].swarm;
	qsort(names, n, sizeof(*names), by_hash);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(names[i].name, sizeof(names[i].name), "#%016" PRIx64,
		               names[i].swarm);
	if (n > 0)
		all->find(all->ctx, names, n);
	for (size_t i = 0; i < bin->n_swarms; i++) {
		const struct swarm_name key = { .swarm = bin->swarms[i].swarm };
		const struct swarm_name *at = bsearch(&key, names, n, sizeof(*names), by_hash);
		if (at != NULL)
			memcpy(out[i].swarm, at->name, sizeof(out[i].swarm));
	}
	free(names);
	return ERR_OK;
}

enum err matrix_feed(struct store *s, const char *node, const struct swarm_names *names,
                     const struct accounting_bin *bin)
{
	struct store_cell *cells = calloc(bin->n_cells + 1, sizeof(*cells));
	struct store_swarm *swarms = calloc(bin->n_swarms + 1, sizeof(*swarms));
	enum err e = cells != NULL && swarms != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t i = 0; i < bin->n_cells && e == ERR_OK; i++)
		fill_cell(&bin->cells[i], &cells[i]);
	for (size_t i = 0; i < bin->n_swarms && e == ERR_OK; i++)
		fill_swarm(&bin->swarms[i], &swarms[i]);
	if (e == ERR_OK)
		e = name_swarms(names, bin, swarms);
	const struct store_matrix_bin all = { .start = bin->start,
		                              .seconds = bin->seconds,
		                              .observed_seconds = bin->observed_seconds,
		                              .cells = cells,
		                              .n_cells = bin->n_cells,
		                              .swarms = swarms,
		                              .n_swarms = bin->n_swarms };
	if (e == ERR_OK)
		e = store_matrix_put(s, node, &all);
	free(cells);
	free(swarms);
	return e;
}

/* ---- names ---- */

/* The walk may meet a swarm that has just come; it is none of ours then. */
void swarm_names_find(struct swarm_store *swarms, const struct tracker *tracker,
                      struct swarm_name *names, size_t n)
{
	struct swarm_row rows[SWARM_LIST_SLICE];
	struct swarm_walk walk = { 0 };
	size_t count;
	while (swarm_list(swarms, &walk, 0, UINT8_MAX, rows, &count)) {
		for (size_t i = 0; i < count; i++) {
			const struct swarm_name key = { .swarm = tracker_swarm(tracker,
				                                               rows[i].info_hash) };
			struct swarm_name *at = bsearch(&key, names, n, sizeof(*names), by_hash);
			if (at != NULL)
				text_hex(rows[i].info_hash, INFO_HASH_SIZE, at->name);
		}
	}
}
