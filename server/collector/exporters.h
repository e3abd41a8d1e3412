/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who exports flows: what was said of each, by address.
 *
 * Bounded: EXPORTERS_MAX that some topology names, of others EXPORTERS_STRANGERS. Beyond that newcomers
 * are refused; nobody who is known is forgotten while the process lives, so that no flood of invented
 * senders displaces a router.
 *
 * Threading: one thread at a time.
 */

#include "common/codec/flow/flow.h"
#include "server/accounting/names.h"

enum { EXPORTERS_MAX = 4096, EXPORTERS_STRANGERS = 256 };

struct exporter {
	struct ip_addr address;
	uint32_t name;    /* names.h */
	uint64_t edition; /* of the map, that the next three are of; 0: not looked up */
	uint32_t number;  /* in the snapshot; NO_EXPORTER: no topology names it */
	uint32_t place;   /* of its address, in the same */
	bool allowed;
	int64_t last_seen;           /* unix; 0: never */
	enum flow_protocol protocol; /* of the last datagram that was understood */
	uint32_t sampling;           /* of the last record; 0: none came yet */
	uint64_t datagrams, malformed, records, lost;
};

struct exporters;

struct exporters *exporters_new(void);      /* NULL: no memory */
void exporters_free(struct exporters *all); /* NULL is fine */

/* NULL: not known. */
struct exporter *exporters_find(struct exporters *all, const struct ip_addr *address);

/* A new one. `named`: by a topology. NULL: no room, or no memory. Others may move. */
struct exporter *exporters_add(struct exporters *all, struct names *names,
                               const struct ip_addr *address, bool named);

size_t exporters_count(const struct exporters *all);
const struct exporter *exporters_at(const struct exporters *all, size_t i); /* as they came */
