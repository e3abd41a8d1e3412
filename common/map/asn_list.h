/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ASNs in order, each with its place in the document: a private tool of the checks.
 *
 * Ownership: asn_list_done(). Threading: immutable once made.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct asn_ref {
	uint32_t asn;
	uint32_t index;
};

struct asn_list {
	struct asn_ref *refs;
	size_t n;
};

/* ERR_NOMEM. */
enum err asn_list_make(const uint32_t *asns, size_t n, struct asn_list *out) must_check;
void asn_list_done(struct asn_list *list);
bool asn_list_is_whole(const struct asn_list *list); /* none is 0, which could not be read */
bool asn_list_find(const struct asn_list *list, uint32_t asn, uint32_t *index);

/* An ASN that a network can have: 0 and the last of 16 and 32 bits are reserved (RFC 7607, 7300),
 * 23456 stands for those that do not fit 16 bits (RFC 6793). */
bool asn_is_usable(uint32_t asn);
