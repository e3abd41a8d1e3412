/* SPDX-License-Identifier: Apache-2.0 */
/* A pointer, a NUL, and a text that may or may not be JSON: the line is one of the text's. */
#include "tools/p4pctl/pointer.h"

#include "common/base/err.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *pointer = (const char *)data;
	const size_t n = strnlen(pointer, size);
	if (n == size)
		return 0;
	const char *text = pointer + n + 1;
	const size_t left = size - n - 1;
	size_t lines = 1;
	for (size_t i = 0; i < left; i++)
		lines += text[i] == '\n';
	const size_t line = pointer_line(text, left, pointer);
	must(line >= 1 && line <= lines);
	return 0;
}
