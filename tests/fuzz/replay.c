/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds every file of a corpus folder to the fuzz target it is linked with. */
#include "common/base/err.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(const char *path)
{
	static uint8_t buf[1 << 16];
	FILE *f = fopen(path, "rb");
	must(f != NULL);
	const size_t size = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);

	/* An exact-size copy, so that a sanitizer sees the first byte past the end. */
	uint8_t *copy = malloc(size > 0 ? size : 1);
	must(copy != NULL);
	for (size_t i = 0; i < size; i++)
		copy[i] = buf[i];
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

int main(int argc, char **argv)
{
	must(argc == 2);
	DIR *dir = opendir(argv[1]);
	must(dir != NULL);
	unsigned fed = 0;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char path[4096];
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		feed(path);
		fed++;
	}
	(void)closedir(dir);
	printf("%u inputs\n", fed);
	return fed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
