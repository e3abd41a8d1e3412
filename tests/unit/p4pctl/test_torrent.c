/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/base/text.h"
#include "tools/p4pctl/torrent.h"

#include <string.h>

#define HASH                  "20:aaaaaaaaaaaaaaaaaaaa"
#define ROOT                  "11:pieces root32:rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
#define V2                    "12:meta versioni2e4:name1:a12:piece lengthi16384e"
#define TREE(files)           "9:file treed" files "e"
#define FILE_OF(name, length) name "d0:d6:length" length ROOT "ee"

/* Three hashes of pieces and their root, from a tree written out in Python. */
#define LARGE                                                              \
	"\x5a\x48\x06\xa4\x2e\x89\x37\x8e\x40\x08\xcb\xba\x6b\xa9\x05\xaf" \
	"\x4d\xa8\x2e\x89\x76\x2c\x71\x37\xc6\x9e\xb1\x66\x60\x9e\x4f\xb3"
#define LAYER(last) "96:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" last
#define C32         "cccccccccccccccccccccccccccccccc"
#define LARGE_INFO  "4:infod" TREE("1:ad0:d6:lengthi40000e11:pieces root32:" LARGE "ee") V2 "e"

static enum err read_all(const char *bytes, size_t size, struct torrent *t, struct fault *f,
                         size_t *byte)
{
	/* An exact-size copy, so that a sanitizer sees the first byte past the end. */
	char *copy = malloc(size > 0 ? size : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	const enum err e = torrent_read(copy, size, t, f, byte);
	free(copy);
	return e;
}

static void reads_all_that_matters(void **state)
{
	(void)state;
	static const char bytes[] =
		"d8:announce3:a:113:announce-listll3:a:13:b:1el3:c:1ee7:comment1:x"
		"9:httpseedsl8:http://he4:infod6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces" HASH
		"7:privatei1ee5:nodesll4:hosti6881eee8:url-listl8:http://wee";
	struct torrent t;
	struct fault f = { 0 };
	size_t byte;
	char hex[41], all[200] = "";
	assert_int_equal(torrent_read(bytes, sizeof(bytes) - 1, &t, &f, &byte), ERR_OK);
	assert_true(t.v1 && !t.v2 && t.private && !t.private_odd && !t.private_outside);
	text_hex(t.v1_hash, sizeof(t.v1_hash), hex);
	assert_string_equal(hex, "f20a07274d49a7e7a68bd5aed8e1eb220a300d08"); /* hashlib's */
	assert_int_equal(t.size, 5);
	assert_int_equal(t.n_files, 1);
	assert_int_equal(t.piece_length, 16384);
	assert_int_equal(t.n_pieces, 1);
	assert_memory_equal(t.name, "a", t.name_size);
	for (size_t i = 0; i < t.n_links; i++)
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%d%.*s%u.%u ",
		               (int)t.links[i].kind, (int)t.links[i].size,
		               (const char *)t.links[i].url, t.links[i].tier, t.links[i].port);
	assert_string_equal(all, "0a:11.0 0b:11.0 0c:12.0 2http://h0.0 3host0.6881 1http://w0.0 ");
	torrent_done(&t);
	for (size_t n = 0; n < sizeof(bytes) - 1; n++)
		assert_int_not_equal(read_all(bytes, n, &t, &f, &byte), ERR_OK);
}

static void an_announce_counts_by_the_list(void **state)
{
	(void)state;
	static const struct {
		const char *trackers;
		size_t n;
		unsigned tier; /* of the first */
	} rows[] = {
		{ "8:announce1:a", 1, 1 },
		{ "8:announce1:a13:announce-listle", 1, 1 },
		{ "8:announce1:a13:announce-listllee", 1, 1 },
		{ "8:announce1:a13:announce-listll1:aee", 1, 1 },
		{ "8:announce1:a13:announce-listll1:bee", 2, 0 },
		{ "13:announce-listll1:bee", 1, 1 },
		{ "8:announce0:", 0, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text bytes = { 0 };
		struct torrent t;
		struct fault f;
		size_t byte;
		text_printf(&bytes,
		            "d%s4:infod6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces%see",
		            rows[i].trackers, HASH);
		assert_int_equal(torrent_read(bytes.bytes, bytes.size, &t, &f, &byte), ERR_OK);
		assert_int_equal(t.n_links, rows[i].n);
		if (rows[i].n > 0)
			assert_int_equal(t.links[0].tier, rows[i].tier);
		torrent_done(&t);
		text_done(&bytes);
	}
}

static void reads_files_of_both_versions(void **state)
{
	(void)state;
	static const struct {
		const char *info;
		bool v1, v2;
		uint64_t n, size, pieces;
	} rows[] = {
		{ "5:filesld6:lengthi3e4:pathl1:x1:yeed6:lengthi16383e4:pathl1:zeee4:name1:a"
		  "12:piece lengthi16384e6:pieces40:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  true, false, 2, 16386, 2 },
		{ "5:filesld6:lengthi3e4:pathl1:xeed4:attr1:p6:lengthi9e4:pathl1:peee4:name1:a"
		  "12:piece lengthi16e6:pieces" HASH,
		  true, false, 1, 3, 1 },
		/* Padding needs no path, and a symbolic link no length (BEP 47). */
		{ "5:filesld6:lengthi3e4:pathl1:xeed4:attr1:p6:lengthi9eed4:attr1:l4:pathl1:le"
		  "12:symlink pathl1:xeee4:name1:a12:piece lengthi16e6:pieces" HASH,
		  true, false, 2, 3, 1 },
		{ TREE(FILE_OF("1:a", "i5e") "1:bd" FILE_OF("1:c", "i7e") "1:dd0:d6:lengthi0eeee")
		          V2,
		  false, true, 3, 12, 2 },
		{ TREE(FILE_OF("1:a", "i5e")) "6:lengthi5e" V2 "6:pieces" HASH, true, true, 1, 5,
		  1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text bytes = { 0 };
		struct torrent t;
		struct fault f = { 0 };
		size_t byte;
		text_printf(&bytes, "d4:infod%see", rows[i].info);
		if (torrent_read(bytes.bytes, bytes.size, &t, &f, &byte) != ERR_OK)
			fail_msg("row %zu: %s: %s (%zu)", i, f.where, f.text, byte);
		assert_int_equal(t.v1, rows[i].v1);
		assert_int_equal(t.v2, rows[i].v2);
		assert_int_equal(t.n_files, rows[i].n);
		assert_int_equal(t.size, rows[i].size);
		assert_int_equal(t.n_pieces, rows[i].pieces);
		torrent_done(&t);
		text_done(&bytes);
	}
}

static void hashes_of_pieces_make_the_root(void **state)
{
	(void)state;
	static const char good[] = "d" LARGE_INFO "12:piece layersd32:" LARGE LAYER(C32) "ee";
	static const char lacking[] = "d" LARGE_INFO "e";
	static const char forged[] =
		"d" LARGE_INFO
		"12:piece layersd32:" LARGE LAYER("cccccccccccccccccccccccccccccccd") "ee";
	static const char strange[] = "d" LARGE_INFO "12:piece layersd1:x0:ee";
	static const char brief[] = "d" LARGE_INFO "12:piece layersd32:" LARGE "32:" C32 "ee";
	/* Two files have one root only if they are alike. */
	static const char twins[] =
		"d4:infod" TREE("1:ad0:d6:lengthi40000e11:pieces root32:" LARGE
	                        "ee1:bd0:d6:lengthi60000e11:pieces root32:" LARGE "ee") V2
		"e12:piece layersd32:" LARGE LAYER(C32) "ee";
	static const char zero[] =
		"d4:infod9:file treed1:ad0:d6:lengthi5e11:pieces root32:"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"eee" V2 "ee";
	struct torrent t;
	struct fault f = { 0 };
	size_t byte;
	assert_int_equal(read_all(zero, sizeof(zero) - 1, &t, &f, &byte), ERR_MALFORMED);
	assert_non_null(strstr(f.text, "not all zero"));
	assert_int_equal(read_all(twins, sizeof(twins) - 1, &t, &f, &byte), ERR_MALFORMED);
	assert_int_equal(read_all(good, sizeof(good) - 1, &t, &f, &byte), ERR_OK);
	assert_int_equal(t.n_pieces, 3);
	torrent_done(&t);
	assert_int_equal(read_all(lacking, sizeof(lacking) - 1, &t, &f, &byte), ERR_MALFORMED);
	assert_string_equal(f.where, "/piece layers");
	assert_int_equal(read_all(forged, sizeof(forged) - 1, &t, &f, &byte), ERR_MALFORMED);
	assert_non_null(strstr(f.text, "make its root"));
	assert_int_equal(read_all(brief, sizeof(brief) - 1, &t, &f, &byte), ERR_MALFORMED);
	assert_int_equal(read_all(strange, sizeof(strange) - 1, &t, &f, &byte), ERR_MALFORMED);
	assert_string_equal(f.where, "/piece layers/x");
}

/* What stands around it is good. */
static const struct {
	const char *torrent, *where, *word;
	size_t byte;
} bad[] = {
	{ "le", "/", "a dictionary, not a list", 0 },
	{ "de", "/", "must have an \"info\"", 0 },
	{ "d4:infolee", "/info", "a dictionary", 7 },
	{ "d8:announcei1ee", "/announce", "a string, not an integer", 11 },
	{ "d13:announce-listl1:aee", "/announce-list/0", "a list, not a string", 18 },
	{ "d13:announce-listlli1eeee", "/announce-list/0/0", "a string", 19 },
	{ "d5:nodesll1:xi0eeee", "/nodes/0", "a host and a port", 9 },
	{ "d8:url-listi1ee", "/url-list", "a list", 11 },
	{ "d4:infod6:lengthi-1eee", "/info/length", "negative", 16 },
	{ "d4:infod6:lengthi1152921504606846977eee", "/info/length", "18 digits", 16 },
	{ "d4:infod5:filesld6:lengthi600000000000000000e4:pathl1:aeed6:lengthi600000000000000000e",
	  "/info/files/1/length", "2^60", 66 },
	{ "d4:infod5:filesld4:pathl2:..eeeee", "/info/files/0/path/0", "one name", 24 },
	{ "d4:infod5:filesld4:pathl1:a3:b/ceeeee", "/info/files/0/path/1", "one name", 27 },
	{ "d4:infod5:filesld6:lengthi1e4:pathleeee", "/info/files/0/path", "must have a name", 34 },
	{ "d4:infod5:filesld4:pathl1:aeeeee", "/info/files/0", "\"length\" and \"path\"", 16 },
	{ "d4:infod12:meta versioni3eee", "/info/meta version", "must be 2", 23 },
	{ "d4:infod4:name0:ee", "/info/name", "one name", 14 },
	{ "d4:infod12:piece lengthi0eee", "/info/piece length", "between 1", 23 },
	{ "d4:infod6:pieces3:abcee", "/info/pieces", "20 bytes for each", 16 },
	{ "d4:infodee", "/info", "must have a \"name\"", 7 },
	{ "d4:infod4:name1:aee", "/info", "\"piece length\"", 7 },
	{ "d4:infod6:lengthi5e4:name1:a6:pieces" HASH "ee", "/info", "\"piece length\"", 7 },
	{ "d4:infod4:name1:a12:piece lengthi16384eee", "/info", "\"pieces\" (v1)", 7 },
	{ "d4:infod4:name1:a12:piece lengthi16384e6:pieces" HASH "ee", "/info", "\"length\" or",
	  7 },
	{ "d4:infod6:lengthi0e4:name1:a12:piece lengthi16384e6:pieces" HASH "ee", "/info",
	  "at least one byte", 7 },
	{ "d4:infod6:lengthi16385e4:name1:a12:piece lengthi16384e6:pieces" HASH "ee",
	  "/info/pieces", "has 1 hashes; 16385 bytes in pieces of 16384 need 2", 62 },
	{ "d4:infod" V2 "ee", "/info", "\"file tree\"", 7 },
	{ "d4:infod" TREE(FILE_OF("1:a", "i5e")) "12:meta versioni2e4:name1:a12:piece lengthi3eee",
	  "/info/piece length", "power of two", 132 },
	{ "d4:infod" TREE(FILE_OF("1:a", "i5e")) "6:lengthi6e" V2 "6:pieces" HASH "ee", "/info",
	  "v1 has 1 files of 6 bytes, v2 1 of 5", 7 },
	{ "d4:infod9:file treed0:dee", "/info/file tree/", "empty key", 22 },
	{ "d4:infod9:file treed1:ad0:d6:lengthi0ee1:bdee", "/info/file tree/a/b", "empty key", 42 },
	{ "d4:infod9:file treed1:ad0:d6:lengthi5eeee", "/info/file tree/a/", "\"pieces root\"",
	  26 },
	{ "d4:infod9:file treed1:ad0:d4:attr1:peeeee", "/info/file tree/a//attr", "nothing pads",
	  33 },
	{ "d4:infod9:file treed1:ad0:d11:pieces root3:abceeee", "/info/file tree/a//pieces root",
	  "32 bytes", 41 },
	{ "d4:infod9:file treed2:..dee", "/info/file tree/..", "one name", 24 },
	{ "d4:infod9:file treed1:ai1eee", "/info/file tree/a", "a dictionary", 23 },
	{ "d4:infod6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces" HASH "eex", "/",
	  "nothing follows", 83 },
	{ "d8:announce1:a5:aaaaa1:be", "/aaaaa", "sorted", 14 },
};

static void names_the_place_of_a_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct torrent t;
		struct fault f = { 0 };
		size_t byte = 0;
		const enum err e = read_all(bad[i].torrent, strlen(bad[i].torrent), &t, &f, &byte);
		assert_int_not_equal(e, ERR_OK);
		if (strcmp(f.where, bad[i].where) != 0 || strstr(f.text, bad[i].word) == NULL ||
		    byte != bad[i].byte)
			fail_msg("row %zu: %s: %s (%zu)", i, f.where, f.text, byte);
	}
}

/* A wrong last byte is no early end. */
static void tells_wrong_from_truncated(void **state)
{
	(void)state;
	static const struct {
		const char *torrent;
		enum err e;
	} rows[] = { { "d4:infod6:lengthi1x", ERR_MALFORMED },
		     { "d4:infod6:lengthi1", ERR_TRUNCATED } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct torrent t;
		struct fault f = { 0 };
		size_t byte = 0;
		assert_int_equal(read_all(rows[i].torrent, strlen(rows[i].torrent), &t, &f, &byte),
		                 rows[i].e);
	}
}

static void lists_have_a_limit(void **state)
{
	(void)state;
	struct text bytes = { 0 };
	struct torrent t;
	struct fault f = { 0 };
	size_t byte;
	text_put(&bytes, "d13:announce-listl");
	for (int i = 0; i <= TORRENT_LINKS_MAX; i++)
		text_put(&bytes, "l1:ae");
	text_put(&bytes, "ee");
	assert_int_equal(torrent_read(bytes.bytes, bytes.size, &t, &f, &byte), ERR_RANGE);
	assert_string_equal(f.where, "/announce-list/10000/0");
	text_done(&bytes);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_all_that_matters),
	cmocka_unit_test(an_announce_counts_by_the_list),
	cmocka_unit_test(reads_files_of_both_versions),
	cmocka_unit_test(hashes_of_pieces_make_the_root),
	cmocka_unit_test(names_the_place_of_a_fault),
	cmocka_unit_test(tells_wrong_from_truncated),
	cmocka_unit_test(lists_have_a_limit),
};

RUN_TESTS(tests)
