/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's reader and the bin it fills. Frames that lie about their checksum are put right, so
 * that the items behind it are reached too. */
#include "server/accounting/bin.h"
#include "server/accounting/sum.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAGIC = 8, HEAD = MAGIC + 8 + 4, FRAME_HEAD = 4 + SUM_SIZE };

static void mend(uint8_t *data, size_t size)
{
	if (size < HEAD + SUM_SIZE)
		return;
	sum_make(data, HEAD, data + HEAD);
	for (size_t at = HEAD + SUM_SIZE; size - at >= FRAME_HEAD;) {
		struct reader r = reader_over(data + at, 4);
		const uint32_t length = reader_u32(&r);
		if (length > size - at - FRAME_HEAD)
			return;
		sum_make(data + at + FRAME_HEAD, length, data + at + 4);
		at += FRAME_HEAD + length;
	}
}

static void read_all(const uint8_t *data, size_t size)
{
	struct journal_scan scan;
	struct journal_header header;
	struct journal_item item;
	struct bin bin;
	if (journal_open(&scan, data, size, &header) != ERR_OK)
		return;
	const struct bin_room room = { .first = { 16, 16, 16 },
		                       .most = { 1 << 16, 1 << 16, 1 << 16 } };
	must(bin_open(&bin, 0, 300, &room) == ERR_OK);
	while (journal_next(&scan, &item) == ERR_OK)
		if (bin_add(&bin, &item) == ERR_MALFORMED)
			break;
	for (size_t i = 0; i < bin.tally.n_rows; i++)
		must(bin.tally.rows[i].place < names_count(bin.names));
	for (size_t i = 0; i < bin.tally.n_cells; i++)
		must(bin.tally.cells[i].to < names_count(bin.names));
	bin_done(&bin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_all(data, size);
	uint8_t *copy = malloc(size > 0 ? size : 1);
	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	mend(copy, size);
	read_all(copy, size);
	free(copy);
	return 0;
}
