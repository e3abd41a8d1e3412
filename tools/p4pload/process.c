/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/process.h"

#include "common/base/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum err process_cpu(uint64_t pid, uint64_t *out)
{
	clockid_t clock;
	struct timespec t;
	if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
		return ERR_NOT_FOUND;
	*out = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	return ERR_OK;
}

/* "Rss:   1234 kB" */
static bool read_rss(const char *line, uint64_t *kib)
{
	static const char label[] = "Rss:";
	const size_t size = sizeof(label) - 1;
	if (strncmp(line, label, size) != 0)
		return false;
	line += size + strspn(line + size, " \t");
	return text_u64(line, strspn(line, "0123456789"), kib);
}

/*
 * Not from statm: since Linux 6.2 its counters are kept per processor and may be off by 64 pages for
 * each. smaps_rollup walks the pages, as exactly as one can ask.
 */
enum err process_memory(uint64_t pid, uint64_t *out)
{
	char path[64], line[256];
	uint64_t kib = 0;
	(void)snprintf(path, sizeof(path), "/proc/%" PRIu64 "/smaps_rollup", pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return ERR_NOT_FOUND;
	bool found = false;
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = read_rss(line, &kib);
	(void)fclose(f);
	if (!found)
		return ERR_NOT_FOUND;
	*out = kib * 1024;
	return ERR_OK;
}
