/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/create.h"
#include "tools/p4pctl/torrent.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const tracker = "http://t.example:6969/announce";
static char folder[64]; /* each test has one of its own, and is in it */

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-create-XXXXXX");
	return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") == 0 ? nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static void file(const char *path, size_t size)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	for (size_t i = 0; i < size; i++)
		(void)fputc((int)(i % 251), f);
	assert_int_equal(fclose(f), 0);
}

/* "share" with all that is hard: folders that sort around files, nothing in a file, twice the same. */
static void make_share(void)
{
	static const char *const folders[] = { "share", "share/a", "share/a/deep", "share/b",
		                               "share/void" };
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		assert_int_equal(mkdir(folders[i], 0755), 0);
	file("share/zz", 7);
	file("share/a/deep/same", 100000);
	file("share/a/x", 100000);
	file("share/a.txt", 16384);
	file("share/b/empty", 0);
}

static enum err make(struct create *c, struct text *out, struct fault *f)
{
	struct text name = { 0 };
	if (c->trackers == NULL) {
		c->trackers = &tracker;
		c->n_trackers = 1;
	}
	const enum err e = create_torrent(c, &name, out, f);
	if (e == ERR_OK)
		assert_string_equal(name.bytes, "share");
	text_done(&name);
	return e;
}

static void expect_fault(struct create c, const char *where, const char *word)
{
	struct text out = { 0 };
	struct fault f = { 0 };
	assert_int_not_equal(make(&c, &out, &f), ERR_OK);
	if (strstr(f.where, where) == NULL || strstr(f.text, word) == NULL)
		fail_msg("%s: %s", f.where, f.text);
	assert_int_equal(out.size, 0);
	text_done(&out);
}

static void a_file_is_written_as_bep_3_has_it(void **state)
{
	(void)state;
	file("share", 5);
	struct create c = { .path = "share", .date = -1 };
	struct text out = { 0 };
	struct fault f;
	assert_int_equal(make(&c, &out, &f), ERR_OK);
	/* The hash is hashlib's of the bytes 0 to 4. */
	static const char expect[] =
		"d8:announce30:http://t.example:6969/announce"
		"4:infod6:lengthi5e4:name5:share12:piece lengthi16384e6:pieces20:"
		"\x1c\xf2\x51\x47\x2d\x59\xf8\xfa\xde\xb3\xab\x25\x8e\x90\x99\x9d\x84\x91\xbe\x19"
		"7:privatei1eee";
	assert_int_equal(out.size, sizeof(expect) - 1);
	assert_memory_equal(out.bytes, expect, out.size);
	text_done(&out);
}

static void options_are_written_when_given(void **state)
{
	(void)state;
	static const char *const trackers[] = { "udp://t.example:1/a", "http://u.example/b" };
	static const char *const seed = "http://w.example/share";
	struct create c = { .path = "share",
		            .trackers = trackers,
		            .n_trackers = 2,
		            .web_seeds = &seed,
		            .n_web_seeds = 1,
		            .comment = "hello",
		            .date = 7,
		            .public = true };
	struct text out = { 0 };
	struct fault f;
	file("share", 5);
	assert_int_equal(make(&c, &out, &f), ERR_OK);
	static const char head[] =
		"d8:announce19:udp://t.example:1/a13:announce-listll19:udp://t.example:1/ael"
		"18:http://u.example/bee7:comment5:hello13:creation datei7e4:info";
	static const char tail[] = "e8:url-listl22:http://w.example/shareee";
	assert_memory_equal(out.bytes, head, sizeof(head) - 1);
	assert_string_equal(out.bytes + out.size - (sizeof(tail) - 1), tail);
	assert_null(memmem(out.bytes, out.size, "private", 7));
	text_done(&out);
}

/* A sorted walk of the folder, seen by its paths as they stand in the torrent. */
static void folders_are_sorted_by_component(void **state)
{
	(void)state;
	static const char *const order[] = { "pathl1:a4:deep4:samee", "pathl1:a1:xe",
		                             "pathl5:a.txte", "pathl1:b5:emptye", "pathl2:zze" };
	struct create c = { .path = "share/", .date = -1 };
	struct text out = { 0 }, again = { 0 };
	struct fault f;
	make_share();
	assert_int_equal(make(&c, &out, &f), ERR_OK);
	const char *at = out.bytes, *end = out.bytes + out.size;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		at = memmem(at, (size_t)(end - at), order[i], strlen(order[i]));
		assert_non_null(at);
	}
	assert_int_equal(make(&c, &again, &f), ERR_OK);
	assert_int_equal(again.size, out.size);
	assert_memory_equal(again.bytes, out.bytes, out.size);
	text_done(&out);
	text_done(&again);
}

/* The reader checks that hashes of pieces make the root of each file and that both halves agree. */
static void a_hybrid_is_read_back(void **state)
{
	(void)state;
	struct create c = { .path = "share", .date = -1, .hybrid = true };
	make_share();
	for (c.piece_length = 16384; c.piece_length <= 262144; c.piece_length *= 2) {
		struct text out = { 0 };
		struct torrent t;
		struct fault f = { 0 };
		size_t byte;
		assert_int_equal(make(&c, &out, &f), ERR_OK);
		if (torrent_read(out.bytes, out.size, &t, &f, &byte) != ERR_OK)
			fail_msg("%s: %s (%zu)", f.where, f.text, byte);
		assert_true(t.v1 && t.v2 && t.private);
		assert_int_equal(t.size, 216391);
		assert_int_equal(t.n_files, 5);
		assert_int_equal(t.n_pieces, 2 * (100000 / c.piece_length + 1) + 2);
		torrent_done(&t);
		text_done(&out);
	}
}

static void pieces_grow_with_the_size(void **state)
{
	(void)state;
	static const uint64_t rows[][2] = { { 1, 16384 },
		                            { 2000 * 16384 - 1, 16384 },
		                            { 2000 * 16384, 32768 },
		                            { (uint64_t)1 << 30, 1 << 20 },
		                            { (uint64_t)1 << 40, 16 << 20 },
		                            { (uint64_t)1 << 59, 16 << 20 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(create_piece_length(rows[i][0]), rows[i][1]);
}

static void names_what_it_cannot_share(void **state)
{
	(void)state;
	const struct create c = { .path = "share", .date = -1 };
	expect_fault(c, "share", "No such file");
	expect_fault((struct create){ .path = "/", .date = -1 }, "/", "no name");
	assert_int_equal(mkdir("share", 0755), 0);
	expect_fault(c, "share", "no bytes");
	file("share/x", 1);
	assert_int_equal(symlink("/etc/passwd", "share/link"), 0);
	expect_fault(c, "share/link", "symbolic link");
	assert_int_equal(unlink("share/link"), 0);
	assert_int_equal(symlink("nowhere", "share/link"), 0);
	expect_fault(c, "share/link", "symbolic link");
	assert_int_equal(unlink("share/link"), 0);
	assert_int_equal(mkfifo("share/pipe", 0644), 0);
	expect_fault(c, "share/pipe", "neither");
	assert_int_equal(unlink("share/pipe"), 0);
	file("share/\x1b[1m", 1);
	expect_fault(c, "share/\xef\xbf\xbd[1m", "UTF-8");
	assert_int_equal(unlink("share/\x1b[1m"), 0);
	if (geteuid() != 0) { /* root may read all */
		assert_int_equal(chmod("share/x", 0), 0);
		expect_fault(c, "share/x", "Permission denied");
	}
}

static void names_the_option_that_is_wrong(void **state)
{
	(void)state;
	static const char *const bad[] = { "t.example/announce", "ftp://t.example/",
		                           "udp://t.example/a" };
	static const char *const seed = "http://w.example/share";
	static const uint64_t lengths[] = { 1, 8192, 16385, 49152, 128 << 20 };
	file("share", 5);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_fault(
			(struct create){ .path = "share", .trackers = &bad[i], .n_trackers = 1 },
			bad[i], "announce URL");
	expect_fault((struct create){ .path = "share", .trackers = bad }, "--tracker",
	             "at least one");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		expect_fault((struct create){ .path = "share", .piece_length = lengths[i] },
		             "--piece-length", "power of two");
	expect_fault((struct create){ .path = "share", .web_seeds = bad, .n_web_seeds = 1 }, bad[0],
	             "http");
	assert_int_equal(unlink("share"), 0);
	make_share();
	expect_fault((struct create){ .path = "share", .web_seeds = &seed, .n_web_seeds = 1 }, seed,
	             "slash");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(a_file_is_written_as_bep_3_has_it), TEST(options_are_written_when_given),
	TEST(folders_are_sorted_by_component),   TEST(a_hybrid_is_read_back),
	TEST(pieces_grow_with_the_size),         TEST(names_what_it_cannot_share),
	TEST(names_the_option_that_is_wrong),
};

RUN_TESTS(tests)
