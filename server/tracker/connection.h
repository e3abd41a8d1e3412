/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Connection ids of BEP 15: proof that the sender hears what we send to its address.
 *
 * An id is 32 bits of time and 32 bits of a keyed hash (SipHash-2-4) over time and address, so we
 * remember nothing. The port is left out: clients behind a NAT change it. It holds for as
 * long as the operator says, by default 120 s, twice what BEP 15 lets a client use it; workers read the
 * clock a little apart, hence the tolerance.
 *
 * Pure; share freely.
 */

#include "common/ip/addr.h"

enum { HASH_KEY_SIZE = 16, CONNECTION_SKEW = 2 };

/* `now` in seconds of a steady clock. */
uint64_t connection_id(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                       uint32_t now);
bool connection_check(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                      uint32_t now, uint32_t lifetime, uint64_t id);
