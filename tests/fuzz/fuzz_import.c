/* SPDX-License-Identifier: Apache-2.0 */
/* Files of other tools, in every format; what was read is in order. */
#include "tools/p4pctl/import_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned format = 0; format < IMPORT_FORMATS; format++) {
		struct faults *faults = faults_new();
		struct import_file f;
		char *text = malloc(size + 1);
		must(faults != NULL && text != NULL);
		if (size > 0)
			memcpy(text, data, size);
		text[size] = '\0';
		const enum err e = import_read((enum import_format)format, text, size, &f, faults);
		must((e == ERR_OK) == (faults->count == 0));
		for (size_t i = 0; e == ERR_OK && i < f.n; i++) {
			must(f.rows[i].port < f.n_ports);
			must(i == 0 || f.rows[i].port > f.rows[i - 1].port ||
			     f.rows[i].reading.at_ms >= f.rows[i - 1].reading.at_ms);
		}
		import_done(&f);
		faults_free(faults);
		free(text);
	}
	return 0;
}
