/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The documents of ratio policies and contracts (schema/policy.schema.json, schema/contract.schema.json):
 * from JSON to the structs of common/balance, with every fault at its JSON pointer.
 *
 * Ownership: all that is read lives in the arena. Threading: free; an arena belongs to one thread.
 */

#include "common/balance/contract.h"
#include "common/balance/policy.h"
#include "common/base/arena.h"
#include "server/store/store.h"

enum { TERMS_NAMES_MAX = 64, TERMS_BYTES_MAX = 65536, TERMS_ARENA = 16384 };

/* Interconnects of the provider. */
struct terms_names {
	const char *name[TERMS_NAMES_MAX];
	size_t n;
};

struct terms_contract {
	const char *provider, *id;
	struct terms_names interconnects;
	unsigned set[TERMS_NAMES_MAX]; /* of each, for COMBINE_SETS */
	struct contract contract;
	bool has_source; /* measured by this and nothing else */
	enum store_source source;
	bool automatic;   /* statements are made by themselves */
	const char *note; /* NULL: none */
};

struct terms_policy {
	const char *provider, *id;
	uint32_t peer_asn;                /* 0: about these: */
	struct terms_names interconnects; /* none: all towards the peer */
	struct policy policy;
	const char *time_zone;
	const char *source, *checked_on, *note; /* of the published policy; NULL: not said */
};

/*
 * ERR_MALFORMED: `faults` says what is wrong, all of it, and *out is untouched. ERR_NOMEM. `size` is at
 * most TERMS_BYTES_MAX, or that is the fault.
 */
enum err terms_contract_parse(const char *json, size_t size, struct arena *arena,
                              struct terms_contract **out, struct faults *faults) must_check;
enum err terms_policy_parse(const char *json, size_t size, struct arena *arena,
                            struct terms_policy **out, struct faults *faults) must_check;
