/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/swarm_list.h"

#include "common/base/random.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

static struct swarm_store *new_store(void)
{
	const struct swarm_options o = { .shards = 8, .max_swarms = 400000, .max_peers = 400000 };
	struct swarm_store *s = swarm_store_new(&o);
	assert_non_null(s);
	return s;
}

/* One peer more in the torrent that begins so. */
static void join(struct swarm_store *s, uint64_t first_bytes, uint64_t peer, enum swarm_role role)
{
	uint8_t hash[INFO_HASH_SIZE] = { 0 };
	struct swarm_visit v;
	struct swarm_change change;
	for (unsigned i = 0; i < 8; i++)
		hash[i] = (uint8_t)(first_bytes >> (56 - 8 * i));
	const struct swarm_peer p = { .client = { .identity = random_mix(peer),
		                                  .keyed = true,
		                                  .addr = ip_v4(0x0a000001),
		                                  .port = (uint16_t)peer },
		                      .role = role,
		                      .expires = 100 };
	assert_int_equal(swarm_enter(s, hash, true, &v), ERR_OK);
	assert_int_equal(swarm_put(&v, &p, role == SWARM_SEED && peer % 2 == 1, &change), ERR_OK);
	swarm_leave(&v);
}

/* The whole stream; no piece may be large. */
static struct text listed(struct swarm_store *s, enum api_swarms format)
{
	struct http_stream stream;
	struct text all = { 0 }, piece = { 0 };
	assert_int_equal(swarm_list_start(s, format, &stream), ERR_OK);
	text_put(&all, "");
	do {
		piece.size = 0;
		stream.more(stream.ctx, &piece);
		assert_false(piece.bad);
		assert_true(piece.size < 65536);
		text_add(&all, piece.size > 0 ? piece.bytes : "", piece.size);
	} while (piece.size > 0);
	stream.done(stream.ctx);
	text_done(&piece);
	assert_false(all.bad);
	return all;
}

#define EXPECT(s, format, literal)                                              \
	do {                                                                    \
		struct text heard = listed(s, format);                          \
		assert_int_equal(heard.size, sizeof(literal) - 1);              \
		assert_memory_equal(heard.bytes, literal, sizeof(literal) - 1); \
		text_done(&heard);                                              \
	} while (0)

#define ZEROS "00000000000000000000000000000000"

static void has_three_forms(void **state)
{
	(void)state;
	struct swarm_store *s = new_store();
	EXPECT(s, API_SWARMS_CSV, "info_hash,seeds,leechers,snatches\n");
	EXPECT(s, API_SWARMS_JSON_LINES, "");
	EXPECT(s, API_SWARMS_BENCODE, "d5:filesdee");
	join(s, UINT64_C(0xff) << 56, 2, SWARM_LEECHER);
	join(s, UINT64_C(0xff) << 56, 4, SWARM_PARTIAL);
	join(s, UINT64_C(0x01) << 56, 1, SWARM_SEED);
	EXPECT(s, API_SWARMS_CSV,
	       "info_hash,seeds,leechers,snatches\n"
	       "01000000" ZEROS ",1,0,1\n"
	       "ff000000" ZEROS ",0,2,0\n");
	EXPECT(s, API_SWARMS_JSON_LINES,
	       "{\"info_hash\":\"01000000" ZEROS "\",\"seeds\":1,\"leechers\":0,\"snatches\":1}\n"
	       "{\"info_hash\":\"ff000000" ZEROS "\",\"seeds\":0,\"leechers\":2,\"snatches\":0}\n");
	EXPECT(s, API_SWARMS_BENCODE,
	       "d5:filesd20:\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	       "d8:completei1e10:downloadedi1e11:downloadersi0e10:incompletei0ee"
	       "20:\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	       "d8:completei0e10:downloadedi0e11:downloadersi1e10:incompletei2eeee");
	swarm_store_free(s);
}

/* More swarms than one pass takes: still sorted, each once. */
static void sorts_any_number_in_passes(void **state)
{
	(void)state;
	enum { SWARMS = 150000, LINE = 47 };
	struct swarm_store *s = new_store();
	for (uint64_t i = 0; i < SWARMS; i++)
		join(s, random_mix(i), 2, SWARM_LEECHER);
	struct text all = listed(s, API_SWARMS_CSV);
	const char *line = all.bytes + strlen("info_hash,seeds,leechers,snatches\n");
	size_t lines = 0;
	for (const char *next; *line != '\0'; line = next, lines++) {
		next = strchr(line, '\n') + 1;
		assert_int_equal(next - line, LINE);
		assert_true(*next == '\0' || memcmp(line, next, 40) < 0);
	}
	assert_int_equal(lines, SWARMS);
	text_done(&all);
	swarm_store_free(s);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(has_three_forms),
	cmocka_unit_test(sorts_any_number_in_passes),
};

RUN_TESTS(tests)
