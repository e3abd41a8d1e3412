/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Connections per address, so that nobody can take all of them. Private to server/net.
 *
 * A fixed table of counters that addresses are hashed into: no allocation and no lock. Two
 * addresses may share a counter; with far more counters than connections that is rare, and a hash
 * that only we know lets nobody arrange it. IPv6 counts by /64, which one subscriber has whole.
 *
 * Threading: any thread, at any time.
 */

#include "common/ip/addr.h"

#include <stdatomic.h>

enum { QUOTA_SLOTS = 65536 };

struct quota { /* all zero: nobody has any */
	uint64_t secret;
	atomic_uint slots[QUOTA_SLOTS];
};

uint32_t quota_slot(const struct quota *q, const struct ip_addr *from);
unsigned quota_used(const struct quota *q, uint32_t slot);
void quota_enter(struct quota *q, uint32_t slot);
void quota_leave(struct quota *q, uint32_t slot);
