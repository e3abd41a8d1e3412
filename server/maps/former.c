/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a topology that was in force. */
#include "server/maps/inside.h"

#include "common/ip/lpm.h"

#include <stdlib.h>

static enum err build(const struct map_topology *t, struct lpm **out)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n_pids; i++)
		n += t->pids[i].n_prefixes;
	struct lpm_entry *entries = calloc(n + 1, sizeof(*entries));
	if (entries == NULL)
		return ERR_NOMEM;
	n = 0;
	for (size_t i = 0; i < t->n_pids; i++)
		for (size_t k = 0; k < t->pids[i].n_prefixes; k++)
			entries[n++] = (struct lpm_entry){ t->pids[i].prefixes[k], 1 };
	const enum err e = lpm_build(entries, n, out);
	free(entries);
	return e;
}

enum err maps_former(struct maps *m, const char *provider, uint64_t version, struct lpm **out)
{
	struct store_document d;
	struct paper p = { 0 };
	struct faults *faults = faults_new();
	if (faults == NULL)
		return ERR_NOMEM;
	enum err e = store_document(m->o.store, provider, STORE_TOPOLOGY, version, &d);
	if (e == ERR_OK) {
		e = inside_parse(d.body, d.size, STORE_TOPOLOGY, &p, faults);
		store_document_done(&d);
	}
	if (e == ERR_OK)
		e = build(p.topology, out);
	inside_done(&p);
	faults_free(faults);
	return e;
}

bool maps_count_peers(const struct maps *m, const char *provider, const struct lpm *former,
                      struct maps_peers *out)
{
	if (m->o.count_peers == NULL)
		return false;
	m->o.count_peers(m->o.ctx, provider, former, out);
	return true;
}
