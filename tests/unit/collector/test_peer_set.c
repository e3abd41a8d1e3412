/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/collector/peer_set.h"

#include <stdlib.h>

enum { SECRET = 77 };

static struct ip_addr address(uint32_t n, bool wide)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	for (unsigned i = 0; i < 4; i++)
		bytes[12 + i] = (uint8_t)(n >> (24 - 8 * i));
	return wide ? ip_from_bytes(bytes, 16) : ip_v4(n);
}

static void knows_who_was_added_and_nobody_else(void **state)
{
	(void)state;
	enum { PEERS = 20000 };
	struct peer_set *s = peer_set_new(2 * PEERS, SECRET);
	assert_non_null(s);
	for (uint32_t i = 0; i < PEERS; i++)
		for (unsigned wide = 0; wide < 2; wide++) {
			const struct ip_addr a = address(i, wide);
			peer_set_add(s, &a, (uint16_t)(i * 7));
			peer_set_add(s, &a, (uint16_t)(i * 7));
		}
	assert_int_equal(peer_set_count(s), 2 * PEERS);
	assert_int_equal(peer_set_left_out(s), 0);
	for (uint32_t i = 0; i < PEERS; i++)
		for (unsigned wide = 0; wide < 2; wide++) {
			const struct ip_addr a = address(i, wide), other = address(i + PEERS, wide);
			assert_true(peer_set_has(s, &a, (uint16_t)(i * 7)));
			assert_false(peer_set_has(s, &a, (uint16_t)(i * 7 + 1)));
			assert_false(peer_set_has(s, &other, (uint16_t)(i * 7)));
		}
	peer_set_free(s);
}

static void leaves_out_whom_it_has_no_room_for(void **state)
{
	(void)state;
	struct peer_set *s = peer_set_new(48, SECRET);
	size_t found = 0;
	for (uint32_t i = 0; i < 100; i++) {
		const struct ip_addr a = address(i, false);
		peer_set_add(s, &a, 1);
	}
	for (uint32_t i = 0; i < 100; i++) {
		const struct ip_addr a = address(i, false);
		found += peer_set_has(s, &a, 1);
	}
	assert_int_equal(found, 48);
	assert_int_equal(peer_set_count(s), 48);
	assert_int_equal(peer_set_left_out(s), 52);
	peer_set_free(s);
}

static void an_empty_one_knows_nobody(void **state)
{
	(void)state;
	struct peer_set *s = peer_set_new(0, SECRET);
	const struct ip_addr nobody = { 0 };
	assert_false(peer_set_has(s, &nobody, 0));
	peer_set_free(s);
	peer_set_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_who_was_added_and_nobody_else),
		cmocka_unit_test(leaves_out_whom_it_has_no_room_for),
		cmocka_unit_test(an_empty_one_knows_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
