/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/huge_pages.h"

#include "tests/unit/test.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { RANGE = 1 << 21, RANGES = 4, FULL = 2, PAGE = 4096 };

/* What smaps(5) says of the mappings from `first` to `end`, in bytes. */
static uint64_t tell(const char *what, uintptr_t first, uintptr_t end)
{
	char line[512];
	uint64_t from = 0, a, b, sum = 0, kb;
	FILE *f = fopen("/proc/self/smaps", "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &a, &b) == 2)
			from = a;
		else if (from >= first && from < end && strncmp(line, what, strlen(what)) == 0 &&
		         sscanf(line + strlen(what), "%" SCNu64, &kb) == 1)
			sum += kb * 1024;
	}
	(void)fclose(f);
	return sum;
}

/*
 * Ranges of a mapping of its own, in small pages wherever the tests run: it grew page by page, as malloc's
 * do. Each page says where it is; but the third range ends with one that was only read, and the last one
 * lacks a page.
 */
struct ground {
	uint8_t *mapped, *at;
};

enum { READ_ONLY = 3 * RANGE - PAGE };

static uint8_t mark_of(size_t i)
{
	return i / PAGE * PAGE == READ_ONLY ? 0 : (uint8_t)(1 + i / PAGE % 251);
}

static struct ground ground_make(void)
{
	struct ground g = { .mapped = mmap(NULL, (RANGES + 1) * RANGE + PAGE, PROT_NONE,
		                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
	assert_true(g.mapped != MAP_FAILED);
	g.at = g.mapped + (RANGE - (uintptr_t)g.mapped % RANGE);
	for (size_t i = 0; i < RANGES * RANGE - PAGE; i += PAGE) {
		assert_int_equal(mprotect(g.at + i, PAGE, PROT_READ | PROT_WRITE), 0);
		if (i == READ_ONLY)
			assert_int_equal(g.at[i], 0);
		else
			memset(g.at + i, mark_of(i), PAGE);
	}
	assert_int_equal(mprotect(g.at, RANGES * RANGE, PROT_READ | PROT_WRITE), 0);
	return g;
}

static void ground_free(struct ground *g)
{
	assert_int_equal(munmap(g->mapped, (RANGES + 1) * RANGE + PAGE), 0);
}

static bool machine_can(void)
{
	struct ground g = ground_make();
	const bool can = madvise(g.at, RANGE, 25) == 0; /* MADV_COLLAPSE, which old headers lack */
	ground_free(&g);
	if (!can)
		print_message("# skipped: this kernel takes no pages together\n");
	return can;
}

static void takes_full_ranges_together_and_nothing_grows(void **state)
{
	(void)state;
	static struct huge_pages h;
	struct ground g = ground_make();
	const uintptr_t first = (uintptr_t)g.at, end = first + RANGES * RANGE;
	const uint64_t before = tell("Rss:", first, end);
	assert_int_equal(before, RANGES * RANGE - 2 * PAGE);
	/* A kernel short of whole ranges says so, and is asked again. */
	for (unsigned i = 0; i < 20 && tell("AnonHugePages:", first, end) < FULL * RANGE; i++) {
		h.next = first / RANGE;
		huge_pages_tick(&h);
	}
	if (!h.off && machine_can())
		assert_int_equal(tell("AnonHugePages:", first, end), FULL * RANGE);
	assert_int_equal(tell("Rss:", first, end), before);
	for (size_t i = 0; i < RANGES * RANGE - PAGE; i++)
		assert_int_equal(g.at[i], mark_of(i));
	ground_free(&g);
}

/* One range that the kernel will not have as one page, and a moment without files. */
static void goes_on_after_a_refusal(void **state)
{
	(void)state;
	static struct huge_pages h;
	huge_pages_tick(&h);
	const bool wanted = !h.off;
	struct ground g = ground_make();
	struct rlimit files, none = { 0, 0 };
	const uintptr_t first = (uintptr_t)g.at, second = first + RANGE, third = second + RANGE;
	assert_int_equal(madvise(g.at, RANGE, MADV_NOHUGEPAGE), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	none.rlim_max = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	huge_pages_tick(&h);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (unsigned i = 0; i < 20 && tell("AnonHugePages:", second, third) < RANGE; i++) {
		h.next = first / RANGE;
		huge_pages_tick(&h);
	}
	if (wanted && machine_can())
		assert_int_equal(tell("AnonHugePages:", second, third), RANGE);
	assert_int_equal(tell("AnonHugePages:", first, second), 0);
	ground_free(&g);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(takes_full_ranges_together_and_nothing_grows),
	cmocka_unit_test(goes_on_after_a_refusal),
};

RUN_TESTS(tests)
