/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/connection.h"

#include <sodium.h>
#include <string.h>

_Static_assert(HASH_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash's key");

/* IPv4 needs a third less: SipHash takes eight bytes at a time, and its length tells families apart. */
static uint32_t mac(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                    uint32_t time)
{
	uint8_t message[sizeof(time) + sizeof(from->bytes)], hash[crypto_shorthash_BYTES];
	const size_t size = sizeof(time) + (from->family == IP_V4 ? 4 : sizeof(from->bytes));
	uint32_t tag;
	memcpy(message, &time, sizeof(time));
	memcpy(message + sizeof(time), from->bytes, sizeof(from->bytes));
	(void)crypto_shorthash(hash, message, size, key);
	memcpy(&tag, hash, sizeof(tag));
	return tag;
}

uint64_t connection_id(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                       uint32_t now)
{
	return (uint64_t)now << 32 | mac(key, from, now);
}

bool connection_check(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                      uint32_t now, uint32_t lifetime, uint64_t id)
{
	const uint32_t issued = (uint32_t)(id >> 32);
	const uint32_t age = now + CONNECTION_SKEW - issued; /* wraps for one from the future */
	const bool fresh = age <= lifetime + CONNECTION_SKEW;
	/* Both at once: one branch, which goes the same way for every honest client. */
	return fresh & (mac(key, from, issued) == (uint32_t)id);
}
