/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What admins say of providers' claims. Changes are audited.
 *
 * Lists are for free(). Errors and threading: as in store.h.
 */

#include "server/store/store.h"

struct store_asn {
	char provider[65];
	uint32_t asn;
};

/* Binds these ASNs to the provider, and no others; none: nobody has said any more. */
enum err store_asns_set(struct store *s, const char *provider, const uint32_t *asns, size_t n,
                        const char *author) must_check;
/* By provider (NULL: of all), then number. */
enum err store_asns(struct store *s, const char *provider, struct store_asn **out,
                    size_t *count) must_check;

enum { STORE_PREFIX_SIZE = 50 };
struct store_delegation {
	char provider[65], prefix[STORE_PREFIX_SIZE], author[65];
	int64_t added; /* unix seconds */
};

/* `prefix` in its textual form, without host bits. ERR_EXISTS: it is another provider's. */
enum err store_delegation_add(struct store *s, const char *provider, const char *prefix,
                              const char *author) must_check;
enum err store_delegation_remove(struct store *s, const char *provider, const char *prefix,
                                 const char *author) must_check; /* ERR_NOT_FOUND */
/* By prefix; of one provider, or all (NULL). */
enum err store_delegations(struct store *s, const char *provider, struct store_delegation **out,
                           size_t *count) must_check;
