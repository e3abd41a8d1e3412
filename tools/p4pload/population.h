/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who announces what: clients, their addresses and ports, and the swarm each is in.
 *
 * A client is known by its number. Its address and port are computed from the number and back, so
 * that every peer in a reply can be told to be ours or a stranger.
 *
 * Swarms are counted as the tracker must see them. While changes are under way its counts may be
 * off by so many: those sent and not yet answered, and those answered while the question was.
 *
 * Ownership: population_done() frees it. Threading: one thread.
 */

#include "common/codec/announce.h"
#include "tools/p4pload/options.h"

struct client {
	uint64_t connection; /* id; valid while `connected` is not 0 */
	uint64_t connected;  /* when, in nanoseconds; 0: it has none */
	uint64_t gone;       /* when its leaving was answered; 0: it is there, or coming */
	uint32_t swarm;      /* index of its info-hash */
	uint32_t announces;  /* answered so far */
	uint32_t seen;       /* number of the reply that named it last */
	bool born_seeder;    /* what it is each time it starts */
	bool seeder;
	bool present; /* the tracker has answered its start */
	bool busy;    /* one request of it is in flight */
};

struct swarm {
	uint32_t seeders, leechers; /* as answered */
	uint32_t sent, answered;    /* starts, completions and stops */
	bool unsure;                /* the tracker may or may not know of a change that got lost */
};

struct population {
	const struct options *options;
	uint8_t (*hashes)[INFO_HASH_SIZE];
	struct swarm *swarms;
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

struct ip_addr population_address(const struct population *p, uint32_t client);
uint16_t population_port(const struct population *p, uint32_t client);

#define STRANGER UINT32_MAX
/* The client at an address (of the target's family, network order) and port, or STRANGER. */
uint32_t population_find(const struct population *p, const uint8_t *address, uint16_t port);
