/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/claims/vrp_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NOW = 1700000000, DAY = 86400 };

static char path[] = "/tmp/p4pd-vrps-XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make_file(void **state)
{
	(void)state;
	const int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static struct fault fault;
static int64_t made;

static enum err read_it(int64_t now, uint64_t max_age)
{
	struct vrp_table *t = NULL;
	const enum err e = vrp_file_read(path, now, max_age, &t, &made, &fault);
	assert_int_equal(e == ERR_OK, t != NULL);
	vrp_table_free(t);
	return e;
}

#define ROA "\"roas\":[{\"asn\":1,\"prefix\":\"1.0.0.0/8\"}]"

static void a_file_is_as_old_as_its_metadata_says(void **state)
{
	(void)state;
	write_file("{\"metadata\":{\"generated\":1700000000}," ROA "}");
	assert_int_equal(read_it(NOW + DAY, DAY), ERR_OK);
	assert_int_equal(made, NOW);
	assert_int_equal(read_it(NOW + DAY + 1, DAY), ERR_RANGE);
	assert_string_equal(fault.text, "is 24 hours old; rpki_max_age_hours is 24");
	assert_int_equal(read_it(NOW + 1000 * (int64_t)DAY, 0), ERR_OK);
}

static void without_metadata_it_is_as_old_as_it_was_written(void **state)
{
	(void)state;
	write_file("{" ROA "}");
	const int64_t now = (int64_t)time(NULL);
	assert_int_equal(read_it(now, DAY), ERR_OK);
	assert_true(made <= now && made > now - 60);
	assert_int_equal(read_it(now + 2 * DAY, DAY), ERR_RANGE);
}

static void what_says_it_has_expired_is_refused(void **state)
{
	(void)state;
	write_file("{\"metadata\":{\"generated\":1700000000,\"valid\":1700003600}," ROA "}");
	assert_int_equal(read_it(NOW + 3599, 0), ERR_OK);
	assert_int_equal(read_it(NOW + 3600, 0), ERR_RANGE);
	assert_string_equal(fault.text, "was valid until 0 hours ago, by its metadata");
}

static void a_bad_file_is_told_with_its_first_fault(void **state)
{
	(void)state;
	write_file("{\"roas\":[{\"asn\":1},{\"asn\":2},{\"asn\":3}]}");
	assert_int_equal(read_it(NOW, 0), ERR_MALFORMED);
	assert_string_equal(fault.where, "/roas/0 (line 1)");
	assert_string_equal(fault.text, "must have \"prefix\" (and 2 more faults)");
	struct vrp_table *t;
	assert_int_equal(vrp_file_read("/nonexistent/vrps", NOW, 0, &t, &made, &fault), ERR_SYSTEM);
	assert_string_equal(fault.text, "cannot be read: No such file or directory");
	assert_int_equal(vrp_file_read("/", NOW, 0, &t, &made, &fault), ERR_SYSTEM);
	assert_string_equal(fault.text, "cannot be read: Is a directory");
}

static void a_changed_file_has_another_mark(void **state)
{
	(void)state;
	write_file("{" ROA "}");
	const struct vrp_mark first = vrp_file_mark(path);
	const struct vrp_mark again = vrp_file_mark(path);
	assert_true(vrp_mark_same(&first, &again));
	write_file("{" ROA " }");
	const struct vrp_mark longer = vrp_file_mark(path);
	assert_false(vrp_mark_same(&first, &longer));
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	const struct vrp_mark touched = vrp_file_mark(path);
	assert_false(vrp_mark_same(&longer, &touched));
	const struct timespec later[2] = { { .tv_sec = 6 }, { .tv_sec = 6 } };
	assert_int_equal(utimensat(AT_FDCWD, path, later, 0), 0);
	const struct vrp_mark again_touched = vrp_file_mark(path);
	assert_false(vrp_mark_same(&touched, &again_touched));
	const struct vrp_mark none = vrp_file_mark("/nonexistent/vrps"), zero = { 0 };
	assert_true(vrp_mark_same(&none, &zero));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_file_is_as_old_as_its_metadata_says),
	cmocka_unit_test(without_metadata_it_is_as_old_as_it_was_written),
	cmocka_unit_test(what_says_it_has_expired_is_refused),
	cmocka_unit_test(a_bad_file_is_told_with_its_first_fault),
	cmocka_unit_test(a_changed_file_has_another_mark),
};

int main(void)
{
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
