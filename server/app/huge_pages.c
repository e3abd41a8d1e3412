/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/huge_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* A range is what a huge page holds; numbered, as pages are, by its address. */
enum { PAGE_SHIFT = 12, RANGE_SHIFT = 21, RANGE_PAGES = 1 << (RANGE_SHIFT - PAGE_SHIFT) };

/* Of a budget for each tick: about a millisecond of looking, or some of taking together. */
enum { BUDGET = 64, LOOK = 1, TAKE = 4 };

/* Asked of no memory at all: of some, what says no may be that alone. */
static bool kernel_can(void)
{
	return madvise(NULL, 0, MADV_COLLAPSE) == 0 && sysconf(_SC_PAGESIZE) == 1 << PAGE_SHIFT;
}

static bool are_wanted(void)
{
	char line[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	if (f == NULL)
		return false;
	const bool said = fgets(line, sizeof(line), f) != NULL;
	(void)fclose(f);
	return said && strstr(line, "[never]") == NULL;
}

/* Is every page of the range there, and none the kernel's page of zeros? See proc_pid_pagemap(5). */
static bool is_full(int pagemap, uint64_t range)
{
	static const uint64_t present = 1ULL << 63, exclusive = 1ULL << 56;
	uint64_t pages[RANGE_PAGES];
	if (pread(pagemap, pages, sizeof(pages), (off_t)(range * sizeof(pages))) != sizeof(pages))
		return false;
	for (unsigned i = 0; i < RANGE_PAGES; i++)
		if ((pages[i] & present) == 0 || (pages[i] & exclusive) == 0)
			return false;
	return true;
}

/* False: ask again, for there is no memory just now, or the range has gone. */
static bool take_together(uint64_t range)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): it was read as a number */
	void *at = (void *)(uintptr_t)(range << RANGE_SHIFT);
	/* EINVAL: this range cannot be one, or was given back and is empty; others can. */
	return madvise(at, (size_t)1 << RANGE_SHIFT, MADV_COLLAPSE) == 0 || errno == EINVAL;
}

/* The ranges of one mapping; false: that is enough for now. */
static bool walk(struct huge_pages *h, int pagemap, uint64_t first, uint64_t end, int *budget)
{
	for (uint64_t range = first > h->next ? first : h->next; range < end; range++) {
		uint8_t *done = &h->done[range % HUGE_PAGES_KNOWN / 8];
		const uint8_t bit = (uint8_t)(1U << range % 8);
		h->next = range;
		if ((*done & bit) != 0)
			continue;
		if (*budget <= 0)
			return false;
		*budget -= LOOK;
		if (!is_full(pagemap, range))
			continue;
		*budget -= TAKE;
		*done |= take_together(range) ? bit : 0;
	}
	return true;
}

void huge_pages_tick(struct huge_pages *h)
{
	char line[512], rights[5];
	uint64_t first, end, inode;
	int budget = BUDGET;
	if (!h->asked)
		h->off = !kernel_can() || !are_wanted();
	h->asked = true;
	if (h->off)
		return;
	FILE *maps = fopen("/proc/self/maps", "re");
	const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool more = maps != NULL && pagemap >= 0;
	while (more && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*s %" SCNu64, &first, &end,
		           rights, &inode) == 4 &&
		    strcmp(rights, "rw-p") == 0 && inode == 0)
			more = walk(h, pagemap, (first + (1 << RANGE_SHIFT) - 1) >> RANGE_SHIFT,
			            end >> RANGE_SHIFT, &budget);
	if (more)
		h->next = 0;
	if (maps != NULL)
		(void)fclose(maps);
	if (pagemap >= 0)
		(void)close(pagemap);
}
