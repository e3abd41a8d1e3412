/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/random.h"
#include "server/accounting/sum.h"
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

static struct text as_bytes(void)
{
	struct text t = { 0 };
	struct peer_set *s = peer_set_new(48, SECRET);
	for (uint32_t i = 0; i < 40; i++) {
		const struct ip_addr a = address(i, i & 1);
		peer_set_add(s, &a, (uint16_t)i);
	}
	peer_set_export(s, 1800000000, &t);
	peer_set_free(s);
	assert_false(t.bad);
	return t;
}

static void goes_to_another_process_and_back(void **state)
{
	(void)state;
	struct text t = as_bytes();
	struct peer_set *s;
	int64_t made;
	assert_int_equal(peer_set_import(t.bytes, t.size, &s, &made), ERR_OK);
	assert_int_equal(made, 1800000000);
	assert_int_equal(peer_set_count(s), 40);
	for (uint32_t i = 0; i < 80; i++) {
		const struct ip_addr a = address(i, i & 1);
		assert_int_equal(peer_set_has(s, &a, (uint16_t)i), i < 40);
	}
	peer_set_free(s);
	text_done(&t);
}

/* Also a right checksum over wrong bytes: without a free slot a question would never end. */
static void refuses_what_is_short_damaged_or_full(void **state)
{
	(void)state;
	struct text t = as_bytes();
	uint8_t *bytes = (uint8_t *)t.bytes;
	struct peer_set *s;
	int64_t made;
	for (size_t n = 0; n < t.size; n++)
		assert_int_not_equal(peer_set_import(bytes, n, &s, &made), ERR_OK);
	for (size_t at = 0; at < t.size; at++) {
		bytes[at] ^= 1;
		assert_int_equal(peer_set_import(bytes, t.size, &s, &made), ERR_MALFORMED);
		bytes[at] ^= 1;
	}
	memset(bytes + 40, 1, t.size - SUM_SIZE - 40);
	bytes[39] = 64; /* peers */
	sum_make(bytes, t.size - SUM_SIZE, bytes + t.size - SUM_SIZE);
	assert_int_equal(peer_set_import(bytes, t.size, &s, &made), ERR_MALFORMED);
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_who_was_added_and_nobody_else),
		cmocka_unit_test(leaves_out_whom_it_has_no_room_for),
		cmocka_unit_test(an_empty_one_knows_nobody),
		cmocka_unit_test(goes_to_another_process_and_back),
		cmocka_unit_test(refuses_what_is_short_damaged_or_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
