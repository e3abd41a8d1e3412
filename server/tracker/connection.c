/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tracker/connection.h"

#include "common/base/cursor.h"

#include <sodium.h>

_Static_assert(HASH_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash's key");

static uint32_t mac(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                    uint32_t time)
{
	uint8_t message[sizeof(time) + 1 + sizeof(from->bytes)], hash[crypto_shorthash_BYTES];
	struct writer w = writer_over(message, sizeof(message));
	writer_u32(&w, time);
	writer_u8(&w, from->family);
	writer_bytes(&w, from->bytes, sizeof(from->bytes));
	(void)crypto_shorthash(hash, message, sizeof(message), key);
	struct reader r = reader_over(hash, sizeof(hash));
	return reader_u32(&r);
}

uint64_t connection_id(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                       uint32_t now)
{
	return (uint64_t)now << 32 | mac(key, from, now);
}

bool connection_check(const uint8_t key[static HASH_KEY_SIZE], const struct ip_addr *from,
                      uint32_t now, uint64_t id)
{
	const uint32_t issued = (uint32_t)(id >> 32);
	const uint32_t age = now + CONNECTION_SKEW - issued; /* wraps for one from the future */
	return age <= CONNECTION_SECONDS + CONNECTION_SKEW &&
	       mac(key, from, issued) == (uint32_t)id;
}
