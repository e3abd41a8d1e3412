/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/accounting/journal.h"
#include "server/accounting/sum.h"
#include "server/disk/disk.h"
#include "tests/unit/accounting/folder.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static const struct journal_header header = { .start = 1200, .seconds = 300 };

/* Item `i` of an endless journal that holds every kind. */
static struct journal_item item(uint32_t i)
{
	struct journal_item it = { .kind = (enum journal_kind)(i % 5), .number = i };
	(void)snprintf(it.key, sizeof(it.key), "pid:isp-a/p%u", i);
	it.row = (struct tally_row){ .swarm = UINT64_MAX - i,
		                     .place = i,
		                     .up = UINT64_C(1) << 60,
		                     .down = i,
		                     .credit = -1.5 * i,
		                     .clients = UINT64_MAX - i,
		                     .size = 1e9F };
	it.cell = (struct tally_cell){ .swarm = i,
		                       .from = i + 1,
		                       .to = i + 2,
		                       .candidates = i + 3,
		                       .first = 0.25F,
		                       .later = 0.5F,
		                       .noted = 0.125F };
	it.time = (struct tally_time){ .swarm = i, .place = i + 1, .bucket = i % 80 };
	return it;
}

static void assert_same(const struct journal_item *a, const struct journal_item *b)
{
	assert_int_equal(a->kind, b->kind);
	if (a->kind == JOURNAL_NAME)
		assert_string_equal(a->key, b->key);
	if (a->kind == JOURNAL_NAME || a->kind == JOURNAL_OBSERVED)
		assert_int_equal(a->number, b->number);
	if (a->kind == JOURNAL_ROW) {
		assert_int_equal(a->row.swarm, b->row.swarm);
		assert_int_equal(a->row.place, b->row.place);
		assert_int_equal(a->row.up, b->row.up);
		assert_int_equal(a->row.down, b->row.down);
		assert_true(a->row.credit == b->row.credit && a->row.size == b->row.size);
		assert_int_equal(a->row.clients, b->row.clients);
	}
	if (a->kind == JOURNAL_TIME) {
		assert_int_equal(a->time.swarm, b->time.swarm);
		assert_int_equal(a->time.place, b->time.place);
		assert_int_equal(a->time.bucket, b->time.bucket);
	}
	if (a->kind == JOURNAL_CELL) {
		assert_int_equal(a->cell.swarm, b->cell.swarm);
		assert_int_equal(a->cell.from, b->cell.from);
		assert_int_equal(a->cell.to, b->cell.to);
		assert_int_equal(a->cell.candidates, b->cell.candidates);
		assert_true(a->cell.first == b->cell.first && a->cell.later == b->cell.later);
		assert_true(a->cell.noted == b->cell.noted);
	}
}

static void put(struct journal *j, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct journal_item it = item(i);
		journal_put(j, &it);
	}
}

/* How many items can be read; they are those that were written. */
static uint32_t count(const char *data, size_t size, enum err *end)
{
	struct journal_scan scan;
	struct journal_header h;
	struct journal_item it;
	uint32_t n = 0;
	*end = journal_open(&scan, data, size, &h);
	if (*end != ERR_OK)
		return 0;
	assert_int_equal(h.start, header.start);
	assert_int_equal(h.seconds, header.seconds);
	while ((*end = journal_next(&scan, &it)) == ERR_OK) {
		const struct journal_item want = item(n++);
		assert_same(&it, &want);
	}
	return n;
}

static uint32_t count_file(enum err *end)
{
	char *data = NULL;
	size_t size = 0;
	assert_int_equal(disk_read(folder, "journal", &data, &size, NULL), ERR_OK);
	const uint32_t n = count(data, size, end);
	free(data);
	return n;
}

static void begin(struct journal *j, uint32_t items)
{
	journal_begin(j, &header);
	put(j, 0, items);
	assert_int_equal(journal_commit(j, NULL), ERR_OK);
}

static void gives_back_what_was_put(void **state)
{
	(void)state;
	enum err end;
	struct journal j;
	journal_init(&j, folder);
	assert_true(j.broken);
	begin(&j, 5000); /* several frames */
	assert_int_equal(count_file(&end), 5000);
	assert_int_equal(end, ERR_NOT_FOUND);
	put(&j, 5000, 5003);
	assert_int_equal(count_file(&end), 5000);
	assert_int_equal(journal_append(&j, NULL), ERR_OK);
	assert_int_equal(journal_append(&j, NULL), ERR_OK); /* nothing: nothing */
	assert_int_equal(count_file(&end), 5003);
	put(&j, 5003, 9000);
	assert_int_equal(journal_append(&j, NULL), ERR_OK);
	journal_done(&j);
	assert_int_equal(count_file(&end), 9000);
	assert_int_equal(end, ERR_NOT_FOUND);
}

static void a_checkpoint_replaces_what_was_before(void **state)
{
	(void)state;
	enum err end;
	struct journal j;
	journal_init(&j, folder);
	begin(&j, 100);
	put(&j, 100, 120); /* never written */
	begin(&j, 10);
	put(&j, 10, 12);
	assert_int_equal(journal_append(&j, NULL), ERR_OK);
	journal_done(&j);
	assert_int_equal(count_file(&end), 12);
}

static void reading_stops_at_the_first_damage(void **state)
{
	(void)state;
	enum err end;
	struct journal j;
	char *data = NULL;
	size_t size = 0, first;
	journal_init(&j, folder);
	begin(&j, 8);
	first = j.size;
	for (uint32_t i = 8; i < 24; i += 4) {
		put(&j, i, i + 4);
		assert_int_equal(journal_append(&j, NULL), ERR_OK);
	}
	journal_done(&j);
	assert_int_equal(disk_read(folder, "journal", &data, &size, NULL), ERR_OK);
	assert_int_equal(count(data, size, &end), 24);
	for (size_t cut = 0; cut < size; cut++) {
		const uint32_t n = count(data, cut, &end);
		assert_true(n < 24 && n % 4 == 0 && (cut < first || n >= 8));
		data[cut] = (char)(data[cut] ^ 0x10);
		const uint32_t m = count(data, size, &end);
		assert_true(m < 24 && m % 4 == 0);
		assert_true(end == ERR_MALFORMED || end == ERR_TRUNCATED);
		data[cut] = (char)(data[cut] ^ 0x10);
	}
	free(data);
}

static void a_full_disk_breaks_it_until_the_next_checkpoint(void **state)
{
	(void)state;
	enum err end;
	struct journal j;
	struct fault fault;
	struct rlimit old, small = { 0 };
	journal_init(&j, folder);
	begin(&j, 40);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	small.rlim_cur = j.size + 30; /* in the middle of what comes */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put(&j, 40, 80);
	const enum err full = journal_append(&j, &fault);
	journal_begin(&j, &header);
	put(&j, 0, 400);
	const enum err again = journal_commit(&j, &fault);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(full, ERR_SYSTEM);
	assert_int_equal(again, ERR_SYSTEM);
	assert_true(j.broken);
	assert_int_equal(fault.code, ERR_SYSTEM);
	assert_int_equal(count_file(&end), 40);
	assert_int_equal(end, ERR_NOT_FOUND); /* nothing half is left behind */
	begin(&j, 60);
	assert_false(j.broken);
	assert_int_equal(count_file(&end), 60);
	journal_done(&j);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

/* As the version before wrote it. */
static void reads_rows_without_a_size(void **state)
{
	(void)state;
	uint8_t file[256] = { 0 }, frame[128], sum[SUM_SIZE];
	struct journal_scan scan;
	struct journal_header h;
	struct journal_item it;
	struct writer w = writer_over(file, sizeof(file)), f = writer_over(frame, sizeof(frame));
	writer_bytes(&w, "p4pjrnl2", 8);
	writer_u64(&w, 1200);
	writer_u32(&w, 300);
	sum_make(file, writer_size(&w), sum);
	writer_bytes(&w, sum, sizeof(sum));
	for (unsigned i = 0; i < 2; i++) {
		writer_u8(&f, JOURNAL_ROW);
		writer_u64(&f, 7);
		writer_u32(&f, i);
		writer_u64(&f, 0);
		writer_u64(&f, 0);
		writer_u64(&f, 0);
	}
	sum_make(frame, writer_size(&f), sum);
	writer_u32(&w, (uint32_t)writer_size(&f));
	writer_bytes(&w, sum, sizeof(sum));
	writer_bytes(&w, frame, writer_size(&f));
	assert_int_equal(journal_open(&scan, file, writer_size(&w), &h), ERR_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(journal_next(&scan, &it), ERR_OK);
		assert_int_equal(it.row.place, i);
		assert_true(it.row.size == 0 && it.row.clients == 0);
	}
	assert_int_equal(journal_next(&scan, &it), ERR_NOT_FOUND);
}

static const struct CMUnitTest tests[] = {
	TEST(gives_back_what_was_put),
	TEST(a_checkpoint_replaces_what_was_before),
	TEST(reading_stops_at_the_first_damage),
	TEST(a_full_disk_breaks_it_until_the_next_checkpoint),
	TEST(reads_rows_without_a_size),
};

RUN_TESTS(tests)
