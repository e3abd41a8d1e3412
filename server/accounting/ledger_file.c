/* SPDX-License-Identifier: Apache-2.0 */
#include "server/accounting/ledger_file.h"

#include "server/accounting/sum.h"
#include "server/disk/disk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t magic[] = { 'p', '4', 'p', 'l', 'e', 'd', 'g', '2' };
static const char name[] = "ledger", seal[] = "ledger.seal";

/* ---- is it the file that was saved, and not a copy? ---- */

enum { SEAL_SIZE = 24 };

static enum err read_place(const char *dir, char out[static SEAL_SIZE], struct fault *fault)
{
	int64_t changed;
	const enum err e = disk_changed(dir, name, &changed, fault);
	if (e == ERR_OK)
		(void)snprintf(out, SEAL_SIZE, "%" PRId64 "\n", changed);
	return e;
}

static enum err put_seal(const char *dir, struct fault *fault)
{
	char place[SEAL_SIZE];
	const enum err e = read_place(dir, place, fault);
	return e == ERR_OK ? disk_replace(dir, seal, 0600, place, strlen(place), fault) : e;
}

static bool seal_holds(const char *dir)
{
	char place[SEAL_SIZE], *said;
	size_t size;
	if (disk_read(dir, seal, &said, &size, NULL) != ERR_OK)
		return false;
	const bool holds = read_place(dir, place, NULL) == ERR_OK && strcmp(place, said) == 0;
	free(said);
	return holds;
}

/* ---- the file ---- */

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
	return e == ERR_OK ? put_seal(dir, fault) : e;
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
	const bool sealed = seal_holds(dir);
	e = disk_remove(dir, name, fault);
	(void)!disk_remove(dir, seal, NULL);
	if (e == ERR_OK && !sealed)
		e = fault_set(fault, ERR_MALFORMED, name,
		              "the ledger was copied or put back since it was saved, and would "
		              "count twice; every client's counters begin anew");
	else if (e == ERR_OK && ledger_file_parse(l, bytes, size, now) != ERR_OK)
		e = fault_set(fault, ERR_MALFORMED, name,
		              "the ledger is damaged; every client's counters begin anew");
	free(bytes);
	return e;
}
