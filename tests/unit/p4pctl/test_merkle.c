/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/text.h"
#include "tools/p4pctl/merkle.h"

#include <nettle/sha2.h>
#include <string.h>

static void counts_levels(void **state)
{
	(void)state;
	static const unsigned rows[][2] = { { 0, 0 }, { 1, 0 }, { 2, 1 }, { 3, 2 },
		                            { 4, 2 }, { 5, 3 }, { 8, 3 }, { 9, 4 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(merkle_levels(rows[i][0]), rows[i][1]);
	assert_int_equal(merkle_levels(UINT64_MAX / 2), 63);
}

/* Blocks of "A", "B" ...; the roots are those of a tree written out in full in Python. */
static void pads_to_the_level_asked_for(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		unsigned levels;
		const char *root;
	} rows[] = {
		{ 0, 0, "0000000000000000000000000000000000000000000000000000000000000000" },
		{ 0, 3, "c78009fdf07fc56a11f122370658a353aaa542ed63e44c4bc15ff4cd105ab33c" },
		{ 1, 0, "1bd4db450abc8914c2fac721cace2704ff4c16028e6d07293154dad289835694" },
		{ 1, 2, "3308f50d0323a40d4df268224b56d5ad05c15e8c41ab980013dd498cbf21de5f" },
		{ 2, 1, "76ae7596e8219b17ab48a331a08bdebb3bcf83c6312dc0420fa5fed5071d2e82" },
		{ 3, 2, "11fb8587a1bd0b20e283fb5645d3af0d12eb72eacb90ac037c525e24b8bf7a90" },
		{ 5, 3, "e63522b8bb0cce456daa690bc6c1006729c77b9c42d2f64842f9cf9a9c8cfc65" },
		{ 5, 5, "9f3b921b728914f3c3cc1b8b4d211026a71e32cc8e05db914b513c25acbd7152" },
	};
	static const uint8_t pad[MERKLE_HASH];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t hashes[5][MERKLE_HASH], block[MERKLE_BLOCK], root[MERKLE_HASH];
		char hex[2 * MERKLE_HASH + 1];
		for (size_t k = 0; k < rows[i].n; k++) {
			struct sha256_ctx hash;
			memset(block, (int)('A' + k), sizeof(block));
			sha256_init(&hash);
			sha256_update(&hash, sizeof(block), block);
			sha256_digest(&hash, MERKLE_HASH, hashes[k]);
		}
		merkle_root(hashes, rows[i].n, pad, rows[i].levels, root);
		text_hex(root, sizeof(root), hex);
		assert_string_equal(hex, rows[i].root);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(counts_levels),
	cmocka_unit_test(pads_to_the_level_asked_for),
};

RUN_TESTS(tests)
