/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's reader, once as it is, once with the checksum put right; what it took is written and
 * read again. */
#include "server/accounting/ledger_file.h"
#include "server/accounting/sum.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000, MAGIC = 8, CLIENTS = 100 };

static void read_one(const uint8_t *data, size_t size)
{
	struct ledger *l = ledger_new(CLIENTS, 0), *again = ledger_new(CLIENTS, 0);
	struct text out = { 0 };
	must(l != NULL && again != NULL);
	if (ledger_file_parse(l, data, size, NOW) == ERR_OK) {
		ledger_export(l, &out);
		struct reader r = reader_over(out.bytes, out.size);
		must(out.size == 0 || ledger_import(again, &r, NOW) == ERR_OK);
		must(ledger_count(again) == ledger_count(l));
	}
	text_done(&out);
	ledger_free(again);
	ledger_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_one(data, size);
	if (size < MAGIC + SUM_SIZE)
		return 0;
	uint8_t *copy = malloc(size);
	must(copy != NULL);
	memcpy(copy, data, size);
	sum_make(copy, size - SUM_SIZE, copy + size - SUM_SIZE);
	read_one(copy, size);
	free(copy);
	return 0;
}
