/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/ledger_file.h"

#include "server/accounting/sum.h"
#include "server/disk/disk.h"

#include <stdlib.h>

static const uint8_t magic[] = { 'p', '4', 'p', 'l', 'e', 'd', 'g', '2' };
static const char name[] = "ledger";

enum err ledger_file_save(struct ledger *l, const char *dir, struct fault *fault)
{
	struct text file = { 0 };
	uint8_t sum[SUM_SIZE];
	text_add(&file, magic, sizeof(magic));
	ledger_export(l, &file);
	if (!file.bad) {
		sum_make(file.bytes, file.size, sum);
		text_add(&file, sum, sizeof(sum));
	}
	const enum err e =
		file.bad ? fault_set(fault, ERR_NOMEM, name, "no memory to write the ledger")
			 : disk_replace(dir, name, 0600, file.bytes, file.size, fault);
	text_done(&file);
	return e;
}

enum err ledger_file_parse(struct ledger *l, const void *data, size_t size, int64_t now)
{
	const uint8_t *bytes = data;
	if (size < sizeof(magic) + SUM_SIZE)
		return ERR_TRUNCATED;
	size -= SUM_SIZE;
	if (memcmp(bytes, magic, sizeof(magic)) != 0 || !sum_holds(bytes, size, bytes + size))
		return ERR_MALFORMED;
	struct reader r = reader_over(bytes + sizeof(magic), size - sizeof(magic));
	return ledger_import(l, &r, now);
}

enum err ledger_file_take(struct ledger *l, const char *dir, int64_t now, struct fault *fault)
{
	char *bytes;
	size_t size;
	enum err e = disk_read(dir, name, &bytes, &size, fault);
	if (e != ERR_OK)
		return e;
	e = disk_remove(dir, name, fault);
	if (e == ERR_OK && ledger_file_parse(l, bytes, size, now) != ERR_OK)
		e = fault_set(fault, ERR_MALFORMED, name,
		              "the ledger is damaged; every client's counters begin anew");
	free(bytes);
	return e;
}
