/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a snapshot of who met whom holds, importing it leaves a store that can be saved and read again. */
#include "common/bridge/bridge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bridge_store *a = bridge_store_new(1, 1 << 20), *b = bridge_store_new(1, 1 << 20);
	must(a != NULL && b != NULL);
	struct reader r = reader_over(data, size);
	const enum err e = bridge_import(a, 0, &r, 1000, 5);
	must(e == ERR_OK || e == ERR_TRUNCATED || e == ERR_MALFORMED);

	struct text saved = { 0 };
	bridge_export(a, 0, 1000, &saved);
	must(!saved.bad);
	r = reader_over(saved.bytes, saved.size);
	must(bridge_import(b, 0, &r, 1000, 0) == ERR_OK && reader_left(&r) == 0);
	const struct bridge_totals x = bridge_totals(a), y = bridge_totals(b);
	must(x.books == y.books && x.entries == y.entries);
	text_done(&saved);
	bridge_store_free(a);
	bridge_store_free(b);
	return 0;
}
