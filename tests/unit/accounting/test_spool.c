/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/accounting/spool.h"
#include "server/disk/disk.h"
#include "tests/unit/accounting/folder.h"

#include <string.h>

static struct accounting_row rows[] = {
	{ "isp-a", "a-b-1", UINT64_MAX, UINT64_C(1) << 53 },
	{ "isp-a", "a-t-1", 0, 0 },
	{ "isp-b", "0123456789012345678901234567890123456789012345678901234567890123", 1, 2 },
};

static struct accounting_trial_row trial[] = {
	{ "isp-a", true, false, 15, { 1, 2, 3, 4, 5, UINT64_MAX } },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	  false,
	  true,
	  0,
	  { 7 } },
};

static struct accounting_bin bin(int64_t start)
{
	return (struct accounting_bin){ .start = start,
		                        .seconds = 300,
		                        .observed_seconds = 299,
		                        .rows = rows,
		                        .n_rows = 3,
		                        .policy = "p4p 70/80",
		                        .trial = trial,
		                        .n_trial = 2 };
}

static void write_one(struct spool *s, int64_t start)
{
	const struct accounting_bin b = bin(start);
	assert_int_equal(spool_write(s, &b, NULL), ERR_OK);
}

static void gives_bins_back_oldest_first(void **state)
{
	(void)state;
	struct spool s;
	struct accounting_bin b;
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	assert_int_equal(spool_first(&s, &b, NULL), ERR_NOT_FOUND);
	write_one(&s, 1800000000);
	write_one(&s, 900);
	write_one(&s, 12345678900);
	assert_int_equal(s.count, 3);
	static const int64_t order[] = { 900, 1800000000, 12345678900 };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(spool_first(&s, &b, NULL), ERR_OK);
		assert_int_equal(b.start, order[i]);
		assert_int_equal(b.seconds, 300);
		assert_int_equal(b.observed_seconds, 299);
		assert_int_equal(b.n_rows, 3);
		for (size_t k = 0; k < 3; k++) {
			assert_string_equal(b.rows[k].provider, rows[k].provider);
			assert_string_equal(b.rows[k].interconnect, rows[k].interconnect);
			assert_int_equal(b.rows[k].out_bytes, rows[k].out_bytes);
			assert_int_equal(b.rows[k].in_bytes, rows[k].in_bytes);
		}
		assert_string_equal(b.policy, "p4p 70/80");
		assert_int_equal(b.n_trial, 2);
		for (size_t k = 0; k < 2; k++) {
			assert_string_equal(b.trial[k].provider, trial[k].provider);
			assert_int_equal(b.trial[k].control, trial[k].control);
			assert_int_equal(b.trial[k].flagged, trial[k].flagged);
			assert_int_equal(b.trial[k].group, trial[k].group);
			assert_memory_equal(b.trial[k].bytes, trial[k].bytes,
			                    sizeof(trial[k].bytes));
		}
		spool_remove(&s, &b);
		accounting_bin_done(&b);
	}
	assert_int_equal(spool_first(&s, &b, NULL), ERR_NOT_FOUND);
	assert_int_equal(s.count, 0);
	spool_done(&s);
}

static void the_same_bin_again_replaces_it(void **state)
{
	(void)state;
	struct spool s;
	struct accounting_bin b = bin(600);
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	write_one(&s, 600);
	b.observed_seconds = 300;
	assert_int_equal(spool_write(&s, &b, NULL), ERR_OK);
	assert_int_equal(s.count, 1);
	assert_int_equal(spool_first(&s, &b, NULL), ERR_OK);
	assert_int_equal(b.observed_seconds, 300);
	accounting_bin_done(&b);
	spool_done(&s);
}

static void what_replaced_a_bin_meanwhile_is_not_removed(void **state)
{
	(void)state;
	struct spool s;
	struct accounting_bin old, b = bin(600);
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	write_one(&s, 600);
	assert_int_equal(spool_first(&s, &old, NULL), ERR_OK);
	b.observed_seconds = 300;
	assert_int_equal(spool_write(&s, &b, NULL), ERR_OK);
	spool_remove(&s, &old);
	accounting_bin_done(&old);
	assert_int_equal(s.count, 1);
	assert_int_equal(spool_first(&s, &b, NULL), ERR_OK);
	assert_int_equal(b.observed_seconds, 300);
	spool_remove(&s, &b);
	accounting_bin_done(&b);
	assert_int_equal(s.count, 0);
	spool_done(&s);
}

static void outlives_the_process(void **state)
{
	(void)state;
	struct spool s;
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	write_one(&s, 600);
	write_one(&s, 900);
	spool_done(&s);
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	assert_int_equal(s.count, 2);
	spool_done(&s);
}

static void sets_a_damaged_file_aside(void **state)
{
	(void)state;
	struct spool s;
	struct accounting_bin b;
	struct fault fault;
	char path[256], aside[300];
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	write_one(&s, 600);
	write_one(&s, 900);
	(void)snprintf(path, sizeof(path), "%s/%020d.bin", s.dir, 600);
	(void)snprintf(aside, sizeof(aside), "%s.damaged", path);
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	(void)fseek(f, 40, SEEK_SET);
	(void)fputc('!', f);
	(void)fclose(f);
	assert_int_equal(spool_first(&s, &b, &fault), ERR_MALFORMED);
	assert_non_null(strstr(fault.text, "damaged"));
	assert_int_equal(access(aside, F_OK), 0);
	assert_int_equal(spool_first(&s, &b, &fault), ERR_OK);
	assert_int_equal(b.start, 900);
	accounting_bin_done(&b);
	spool_done(&s);
}

static void refuses_every_shorter_or_changed_file(void **state)
{
	(void)state;
	struct spool s;
	struct accounting_bin b;
	char *data = NULL;
	size_t size = 0;
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	write_one(&s, 600);
	assert_int_equal(disk_read(s.dir, "00000000000000000600.bin", &data, &size, NULL), ERR_OK);
	for (size_t i = 0; i < size; i++) {
		assert_int_not_equal(spool_parse(data, i, &b), ERR_OK);
		data[i] = (char)(data[i] ^ 1);
		assert_int_not_equal(spool_parse(data, size, &b), ERR_OK);
		data[i] = (char)(data[i] ^ 1);
	}
	assert_int_equal(spool_parse(data, size, &b), ERR_OK);
	accounting_bin_done(&b);
	free(data);
	spool_done(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

static const struct CMUnitTest tests[] = {
	TEST(gives_bins_back_oldest_first),
	TEST(the_same_bin_again_replaces_it),
	TEST(what_replaced_a_bin_meanwhile_is_not_removed),
	TEST(outlives_the_process),
	TEST(sets_a_damaged_file_aside),
	TEST(refuses_every_shorter_or_changed_file),
};

RUN_TESTS(tests)
