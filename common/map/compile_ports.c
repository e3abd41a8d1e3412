/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/compiling.h"

#include <stdlib.h>
#include <string.h>

/*
 * The exporters by address, and the ports of each by ifindex. Of a port that two documents claim the
 * first document has it.
 */

struct claim {
	struct ip_addr address;
	uint32_t provider, ifindex, interconnect;
};

static int compare_addresses(const struct ip_addr *a, const struct ip_addr *b)
{
	const int c = (int)a->family - (int)b->family;
	return c != 0 ? c : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	const int c = compare_addresses(&x->address, &y->address);
	if (c != 0)
		return c;
	if (x->ifindex != y->ifindex)
		return x->ifindex > y->ifindex ? 1 : -1;
	return (x->interconnect > y->interconnect) - (x->interconnect < y->interconnect);
}

/* All that the documents claim, into `out` unless it is NULL. Returns how many. */
static size_t list_claims(const struct compiler *c, struct claim *out)
{
	size_t n = 0;
	for (uint32_t i = 0; i < c->n; i++) {
		const struct map_topology *t = c->sources[i].topology;
		for (uint32_t k = 0; k < t->n_interconnects; k++) {
			const struct map_interconnect *x = &t->interconnects[k];
			for (size_t j = 0; out != NULL && j < x->n_exporters; j++)
				out[n + j] = (struct claim){
					.address = x->exporters[j].address,
					.provider = i,
					.ifindex = x->exporters[j].ifindex,
					.interconnect = c->s->providers[i].first_interconnect + k,
				};
			n += x->n_exporters;
		}
	}
	return n;
}

static void fill(struct map_snapshot *s, const struct claim *claims, size_t n)
{
	struct exporter *e = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct claim *c = &claims[i];
		if (e == NULL || !ip_equal(&e->address, &c->address)) {
			e = &s->exporters[s->n_exporters++];
			*e = (struct exporter){ .address = c->address,
				                .provider = c->provider,
				                .ports = &s->ports[s->n_ports] };
		} else if (e->ports[e->n - 1].ifindex == c->ifindex) {
			continue;
		}
		if (c->provider < e->provider)
			e->provider = c->provider;
		s->ports[s->n_ports++] =
			(struct map_port){ .ifindex = c->ifindex, .interconnect = c->interconnect };
		e->n++;
		s->interconnects[c->interconnect].metered = true;
	}
}

enum err compile_ports(struct compiler *c)
{
	struct map_snapshot *s = c->s;
	const size_t n = list_claims(c, NULL);
	struct claim *claims = malloc((n + 1) * sizeof(*claims));
	s->exporters = compiling_take(c, n, sizeof(*s->exporters));
	s->ports = compiling_take(c, n, sizeof(*s->ports));
	if (claims == NULL || s->exporters == NULL || s->ports == NULL) {
		free(claims);
		return ERR_NOMEM;
	}
	(void)list_claims(c, claims);
	qsort(claims, n, sizeof(*claims), compare_claims);
	fill(s, claims, n);
	free(claims);
	return ERR_OK;
}

uint32_t snapshot_exporter(const struct map_snapshot *s, const struct ip_addr *a)
{
	size_t low = 0, high = s == NULL ? 0 : s->n_exporters;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int c = compare_addresses(&s->exporters[middle].address, a);
		if (c == 0)
			return (uint32_t)middle;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_EXPORTER;
}

struct map_exporter_info snapshot_exporter_info(const struct map_snapshot *s, uint32_t exporter)
{
	must(exporter < s->n_exporters);
	const struct exporter *e = &s->exporters[exporter];
	return (struct map_exporter_info){
		.address = e->address, .provider = e->provider, .ports = e->ports, .n = e->n
	};
}

uint32_t snapshot_port(const struct map_snapshot *s, uint32_t exporter, uint32_t ifindex)
{
	must(exporter < s->n_exporters);
	const struct exporter *e = &s->exporters[exporter];
	size_t low = 0, high = e->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (e->ports[middle].ifindex == ifindex)
			return e->ports[middle].interconnect;
		if (e->ports[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_INTERCONNECT;
}
