/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/quality.h"
#include "common/base/cursor.h"
#include "server/accounting/spool.h"
#include "server/accounting/sum.h"
#include "server/disk/disk.h"
#include "tests/unit/accounting/folder.h"

#include <string.h>

static struct accounting_row rows[] = {
	{ .provider = "isp-a",
	  .interconnect = "a-b-1",
	  .out_bytes = UINT64_MAX,
	  .in_bytes = UINT64_C(1) << 53 },
	{ .provider = "isp-a", .interconnect = "a-t-1" },
	{ .provider = "isp-b",
	  .interconnect = "0123456789012345678901234567890123456789012345678901234567890123",
	  .out_bytes = 1,
	  .in_bytes = 2 },
};

static struct accounting_trial_row trial[] = {
	{ "isp-a",
	  true,
	  false,
	  15,
	  { 1, 2, 3, 4, 5, UINT64_MAX },
	  UINT64_C(1) << 40,
	  1000000,
	  3,
	  1,
	  { 1, 0, 2, [HISTOGRAM_BUCKETS - 1] = UINT32_MAX } },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	  false,
	  true,
	  0,
	  { 7 },
	  0,
	  0,
	  0,
	  0,
	  { 0 } },
};

static struct accounting_cell cells[] = {
	{ .provider = "isp-a",
	  .interconnect = "a-b-1",
	  .direction = ACCOUNTING_IN,
	  .tier = TIER_TRANSIT,
	  .from = "pid:isp-b/b",
	  .to = "pid:isp-a/a-east",
	  .bytes = UINT64_MAX,
	  .sure_bytes = 1,
	  .unmet_bytes = 2,
	  .spread = 0.1,
	  .cost = 1e300 },
	{ .provider = "isp-a", .from = ACCOUNTING_OTHERS, .to = ACCOUNTING_OTHERS },
};

static struct accounting_swarm swarms[] = {
	{ .provider = "isp-a",
	  .swarm = UINT64_MAX,
	  .bytes = { 1, 2, 3, 4, 5, UINT64_MAX },
	  .out_bytes = 6,
	  .in_bytes = 7,
	  .up = 8,
	  .down = 9,
	  .clients = UINT64_MAX,
	  .swarms = 1,
	  .flagged = true,
	  .cost = 2.5 },
	{ .provider = "isp-b", .swarms = 1000 },
};

static void assert_matrix(const struct accounting_bin *b)
{
	assert_int_equal(b->n_cells, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct accounting_cell *c = &b->cells[i];
		assert_string_equal(c->provider, cells[i].provider);
		assert_string_equal(c->interconnect, cells[i].interconnect);
		assert_string_equal(c->from, cells[i].from);
		assert_string_equal(c->to, cells[i].to);
		assert_int_equal(c->direction, cells[i].direction);
		assert_int_equal(c->tier, cells[i].tier);
		assert_int_equal(c->bytes, cells[i].bytes);
		assert_int_equal(c->sure_bytes, cells[i].sure_bytes);
		assert_int_equal(c->unmet_bytes, cells[i].unmet_bytes);
		assert_true(c->spread == cells[i].spread && c->cost == cells[i].cost);
	}
	assert_int_equal(b->n_swarms, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct accounting_swarm *s = &b->swarms[i];
		assert_string_equal(s->provider, swarms[i].provider);
		assert_memory_equal(s->bytes, swarms[i].bytes, sizeof(s->bytes));
		assert_int_equal(s->swarm, swarms[i].swarm);
		assert_int_equal(s->out_bytes, swarms[i].out_bytes);
		assert_int_equal(s->in_bytes, swarms[i].in_bytes);
		assert_int_equal(s->up, swarms[i].up);
		assert_int_equal(s->down, swarms[i].down);
		assert_int_equal(s->clients, swarms[i].clients);
		assert_int_equal(s->swarms, swarms[i].swarms);
		assert_int_equal(s->flagged, swarms[i].flagged);
		assert_true(s->cost == swarms[i].cost);
	}
}

static struct accounting_bin bin(int64_t start)
{
	return (struct accounting_bin){ .start = start,
		                        .seconds = 300,
		                        .observed_seconds = 299,
		                        .rows = rows,
		                        .n_rows = 3,
		                        .policy = "p4p 70/80",
		                        .trial = trial,
		                        .n_trial = 2,
		                        .cells = cells,
		                        .n_cells = 2,
		                        .swarms = swarms,
		                        .n_swarms = 2 };
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
		assert_matrix(&b);
		assert_string_equal(b.policy, "p4p 70/80");
		assert_int_equal(b.n_trial, 2);
		for (size_t k = 0; k < 2; k++) {
			assert_string_equal(b.trial[k].provider, trial[k].provider);
			assert_int_equal(b.trial[k].control, trial[k].control);
			assert_int_equal(b.trial[k].flagged, trial[k].flagged);
			assert_int_equal(b.trial[k].group, trial[k].group);
			assert_memory_equal(b.trial[k].bytes, trial[k].bytes,
			                    sizeof(trial[k].bytes));
			assert_int_equal(b.trial[k].copies, trial[k].copies);
			assert_int_equal(b.trial[k].imported, trial[k].imported);
			assert_int_equal(b.trial[k].swarms, trial[k].swarms);
			assert_int_equal(b.trial[k].unsized, trial[k].unsized);
			assert_memory_equal(b.trial[k].times, trial[k].times,
			                    sizeof(trial[k].times));
		}
		spool_remove(&s, &b);
		accounting_bin_done(&b);
	}
	assert_int_equal(spool_first(&s, &b, NULL), ERR_NOT_FOUND);
	assert_int_equal(s.count, 0);
	spool_done(&s);
}

/* Field by field, for a struct has holes. */
static void assert_same_row(const struct accounting_row *a, const struct accounting_row *b)
{
	assert_string_equal(a->provider, b->provider);
	assert_string_equal(a->interconnect, b->interconnect);
	assert_int_equal(a->out_bytes, b->out_bytes);
	assert_int_equal(a->in_bytes, b->in_bytes);
	assert_int_equal(a->observed_seconds, b->observed_seconds);
	assert_int_equal(a->measured_packets, b->measured_packets);
	assert_int_equal(a->measured_p2p, b->measured_p2p);
	assert_int_equal(a->out_packets, b->out_packets);
	assert_int_equal(a->in_packets, b->in_packets);
	assert_int_equal(a->out_p2p_bytes, b->out_p2p_bytes);
	assert_int_equal(a->in_p2p_bytes, b->in_p2p_bytes);
	assert_int_equal(a->quality, b->quality);
}

static struct accounting_row flows[] = {
	{ .provider = "isp-a",
	  .interconnect = "a-b-1",
	  .out_bytes = UINT64_MAX,
	  .in_bytes = 1,
	  .observed_seconds = 300,
	  .measured_packets = true,
	  .out_packets = UINT64_MAX,
	  .in_packets = 3,
	  .out_p2p_bytes = 4,
	  .quality = BIN_SAMPLED | BIN_GAPS },
	{ .provider = "isp-a",
	  .interconnect = "0123456789012345678901234567890123456789012345678901234567890123",
	  .measured_p2p = true,
	  .in_p2p_bytes = UINT64_MAX },
};

static void bins_of_flows_say_more(void **state)
{
	(void)state;
	struct spool s;
	struct accounting_bin b = {
		.source = ACCOUNTING_FLOW, .start = 600, .seconds = 300, .rows = flows, .n_rows = 2
	};
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	assert_int_equal(spool_write(&s, &b, NULL), ERR_OK);
	assert_int_equal(spool_first(&s, &b, NULL), ERR_OK);
	assert_int_equal(b.source, ACCOUNTING_FLOW);
	assert_int_equal(b.n_rows, 2);
	for (size_t i = 0; i < 2; i++)
		assert_same_row(&b.rows[i], &flows[i]);
	accounting_bin_done(&b);
	flows[1].quality = BIN_QUALITY_ALL + 1; /* of a version to come */
	b = (struct accounting_bin){ .source = ACCOUNTING_FLOW, .rows = flows, .n_rows = 2 };
	assert_int_equal(spool_write(&s, &b, NULL), ERR_OK);
	assert_int_equal(spool_first(&s, &b, NULL), ERR_MALFORMED);
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

/* Behind a file that was replaced twice may be the inode of the one that was read. */
static void nor_is_another_file_of_the_same_number(void **state)
{
	(void)state;
	struct spool s;
	struct accounting_bin old, b = bin(600);
	char path[256], *data = NULL;
	size_t size = 0;
	assert_int_equal(spool_init(&s, folder, NULL), ERR_OK);
	b.observed_seconds = 300;
	assert_int_equal(spool_write(&s, &b, NULL), ERR_OK);
	assert_int_equal(disk_read(s.dir, "00000000000000000600.bin", &data, &size, NULL), ERR_OK);
	write_one(&s, 600);
	assert_int_equal(spool_first(&s, &old, NULL), ERR_OK);
	(void)snprintf(path, sizeof(path), "%s/%020d.bin", s.dir, 600);
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	(void)fclose(f);
	spool_remove(&s, &old);
	assert_int_equal(s.count, 1);
	accounting_bin_done(&old);
	assert_int_equal(spool_first(&s, &b, NULL), ERR_OK);
	assert_int_equal(b.observed_seconds, 300);
	accounting_bin_done(&b);
	free(data);
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

/* As the versions before wrote it: 1 without trial rows, 2 without copies and times, 3 without a source,
 * 4 without sections. */
static size_t old_file(uint8_t version, uint8_t out[static 256])
{
	struct writer w = writer_over(out, 256);
	uint8_t sum[SUM_SIZE];
	writer_bytes(&w, "p4pbins", 7);
	writer_u8(&w, version);
	if (version > '3')
		writer_u8(&w, ACCOUNTING_ANNOUNCE);
	writer_u64(&w, 600);
	writer_u32(&w, 300);
	writer_u32(&w, 299);
	writer_u32(&w, 0);
	if (version > '1') {
		writer_bytes(&w, "\006native", 7);
		writer_u32(&w, 1);
		writer_bytes(&w, "\005isp-a", 6);
		writer_u8(&w, 3);
		writer_u8(&w, 9);
		for (unsigned k = 0; k < TIER_COUNT_; k++)
			writer_u64(&w, k);
	}
	if (version > '2') {
		writer_u64(&w, 5);
		writer_u64(&w, 6);
		writer_u32(&w, 7);
		writer_u32(&w, 8);
		writer_u8(&w, 0);
	}
	if (version > '4') {
		writer_bytes(&w, "\377\0\0\0\003???", 8); /* a section of a later version */
		writer_bytes(&w, "\001\0\0\0\010\0\0\0\0\0\0\0", 13);
	}
	sum_make(out, writer_size(&w), sum);
	writer_bytes(&w, sum, sizeof(sum));
	return writer_size(&w);
}

static void reads_what_versions_before_wrote(void **state)
{
	(void)state;
	uint8_t file[256];
	struct accounting_bin b;
	assert_int_equal(spool_parse(file, old_file('1', file), &b), ERR_OK);
	assert_int_equal(b.n_trial, 0);
	accounting_bin_done(&b);
	assert_int_equal(spool_parse(file, old_file('2', file), &b), ERR_OK);
	assert_string_equal(b.policy, "native");
	assert_int_equal(b.n_trial, 1);
	assert_true(b.trial[0].control && b.trial[0].flagged);
	assert_int_equal(b.trial[0].bytes[TIER_COUNT_ - 1], TIER_COUNT_ - 1);
	assert_int_equal(b.trial[0].copies, 0);
	accounting_bin_done(&b);
	assert_int_equal(spool_parse(file, old_file('3', file), &b), ERR_OK);
	assert_int_equal(b.source, ACCOUNTING_ANNOUNCE);
	assert_int_equal(b.trial[0].copies, 5);
	assert_int_equal(b.trial[0].unsized, 8);
	accounting_bin_done(&b);
	for (uint8_t version = '4'; version <= '5'; version++) {
		assert_int_equal(spool_parse(file, old_file(version, file), &b), ERR_OK);
		assert_int_equal(b.trial[0].unsized, 8);
		assert_int_equal(b.n_cells + b.n_swarms, 0);
		accounting_bin_done(&b);
	}
	assert_int_equal(spool_parse(file, old_file('6', file), &b), ERR_MALFORMED);
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
	TEST(bins_of_flows_say_more),
	TEST(the_same_bin_again_replaces_it),
	TEST(what_replaced_a_bin_meanwhile_is_not_removed),
	TEST(nor_is_another_file_of_the_same_number),
	TEST(outlives_the_process),
	TEST(sets_a_damaged_file_aside),
	TEST(reads_what_versions_before_wrote),
	TEST(refuses_every_shorter_or_changed_file),
};

RUN_TESTS(tests)
