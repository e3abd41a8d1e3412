/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/merkle.h"

#include <nettle/sha2.h>
#include <string.h>

unsigned merkle_levels(uint64_t n)
{
	unsigned levels = 0;
	while (n > (uint64_t)1 << levels)
		levels++;
	return levels;
}

static void pair(const uint8_t *left, const uint8_t *right, uint8_t out[static MERKLE_HASH])
{
	struct sha256_ctx hash;
	sha256_init(&hash);
	sha256_update(&hash, MERKLE_HASH, left);
	sha256_update(&hash, MERKLE_HASH, right);
	sha256_digest(&hash, MERKLE_HASH, out);
}

void merkle_root(uint8_t (*hashes)[MERKLE_HASH], size_t n, const uint8_t pad[static MERKLE_HASH],
                 unsigned levels, uint8_t out[static MERKLE_HASH])
{
	uint8_t missing[MERKLE_HASH];
	memcpy(missing, pad, MERKLE_HASH);
	for (; levels > 0; levels--) {
		for (size_t i = 0; i < n; i += 2)
			pair(hashes[i], i + 1 < n ? hashes[i + 1] : missing, hashes[i / 2]);
		n -= n / 2;
		pair(missing, missing, missing);
	}
	memcpy(out, n > 0 ? hashes[0] : missing, MERKLE_HASH);
}
