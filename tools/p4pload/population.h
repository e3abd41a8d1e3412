/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who announces what: clients, their addresses and ports, and the swarm each is in.
 *
 * A client is known by its number. Its address and port are computed from the number and back, so
 * that every peer in a reply can be told to be ours or a stranger.
 *
 * Ownership: population_done() frees it. Threading: read-only but for `clients`.
 */

#include "common/codec/announce.h"
#include "tools/p4pload/options.h"

struct client {
	uint64_t connection; /* id; valid while `connected` is not 0 */
	uint64_t connected;  /* when, in nanoseconds; 0: it has none */
	uint32_t swarm;      /* index of its info-hash */
	uint32_t announces;  /* sent so far */
	uint32_t seen;       /* number of the reply that named it last */
	bool seeder;
};

struct population {
	const struct options *options;
	uint8_t (*hashes)[INFO_HASH_SIZE];
	uint32_t n_hashes, n_clients;
	struct client *clients;
	uint32_t replies; /* checked so far */
};

/* The info-hash of an index: the same in every run, whatever the seed. */
void population_hash(uint32_t index, uint8_t out[static INFO_HASH_SIZE]);

/* ERR_NOMEM, or a fault of the hash file. */
enum err population_init(struct population *p, const struct options *options,
                         struct fault *fault) must_check;
void population_done(struct population *p);

uint32_t population_address(const struct population *p, uint32_t client); /* host order */
uint16_t population_port(const struct population *p, uint32_t client);

#define STRANGER UINT32_MAX
/* The client at an address and port, or STRANGER. */
uint32_t population_find(const struct population *p, uint32_t address, uint16_t port);
