/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/disk/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void replaces_and_reads_whole_files(void **state)
{
	(void)state;
	char dir[] = "/tmp/p4pd-disk-XXXXXX", path[64];
	struct fault f;
	struct stat st;
	char *bytes;
	size_t size;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(disk_read(dir, "x", &bytes, &size, &f), ERR_NOT_FOUND);
	assert_int_equal(disk_replace(dir, "x", 0600, "one", 3, &f), ERR_OK);
	assert_int_equal(disk_replace(dir, "x", 0600, "other", 5, &f), ERR_OK);
	assert_int_equal(disk_read(dir, "x", &bytes, &size, &f), ERR_OK);
	assert_int_equal(size, 5);
	assert_string_equal(bytes, "other");
	free(bytes);

	(void)snprintf(path, sizeof(path), "%s/x", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(disk_remove(dir, "x", &f), ERR_OK);
	assert_int_equal(disk_remove(dir, "x", &f), ERR_SYSTEM);
	assert_string_equal(f.where, path);
	assert_int_equal(rmdir(dir), 0); /* nothing temporary is left */
}

static void says_why_it_cannot(void **state)
{
	(void)state;
	struct fault f;
	char *bytes;
	size_t size;
	assert_int_equal(disk_replace("/nonexistent", "x", 0600, "", 0, &f), ERR_SYSTEM);
	assert_string_equal(f.where, "/nonexistent/.x.new");
	assert_string_equal(f.text, "No such file or directory");
	assert_int_equal(disk_read("/", "tmp", &bytes, &size, &f), ERR_SYSTEM);
	assert_int_equal(disk_folder("/nonexistent/below", 0755, &f), ERR_SYSTEM);
	assert_int_equal(disk_folder("/tmp", 0755, &f), ERR_OK);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(replaces_and_reads_whole_files),
	cmocka_unit_test(says_why_it_cannot),
};

RUN_TESTS(tests)
