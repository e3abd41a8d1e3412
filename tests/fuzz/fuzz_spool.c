/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of closed bins; once as it is, once with the checksum put right. */
#include "server/accounting/spool.h"
#include "server/accounting/sum.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const uint8_t *data, size_t size)
{
	struct accounting_bin b;
	if (spool_parse(data, size, &b) != ERR_OK)
		return;
	for (size_t i = 0; i < b.n_rows; i++) {
		must(strlen(b.rows[i].provider) < sizeof(b.rows[i].provider));
		must(strlen(b.rows[i].interconnect) < sizeof(b.rows[i].interconnect));
	}
	accounting_bin_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_one(data, size);
	if (size < SUM_SIZE)
		return 0;
	uint8_t *copy = malloc(size);
	must(copy != NULL);
	memcpy(copy, data, size);
	sum_make(copy, size - SUM_SIZE, copy + size - SUM_SIZE);
	read_one(copy, size);
	free(copy);
	return 0;
}
