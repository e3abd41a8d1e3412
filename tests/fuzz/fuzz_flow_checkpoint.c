/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of a bin of flows; what it takes must come to rows, and be written down the same again. */
#include "server/collector/book.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct desk {
	struct names *edges, *exporters;
	struct book *book;
};

static struct desk open_desk(void)
{
	struct desk d = { .edges = names_new(), .exporters = names_new() };
	d.book = book_new(&(struct book_options){ .bin_seconds = 300,
	                                          .late_seconds = 3600,
	                                          .grace_seconds = 60,
	                                          .edges = d.edges,
	                                          .exporters = d.exporters });
	must(d.edges != NULL && d.exporters != NULL && d.book != NULL);
	return d;
}

static void close_desk(struct desk *d)
{
	book_free(d->book);
	names_free(d->edges);
	names_free(d->exporters);
}

static void look_at(struct desk *d)
{
	const struct book_ports none = { 0 };
	struct book_page page;
	must(book_due(d->book, 0, 0, true, &none, &page) == ERR_OK);
	for (size_t i = 0; i < page.bin.n_rows; i++) {
		must(page.bin.rows[i].provider[0] != '/');
		must(strlen(page.bin.rows[i].interconnect) < sizeof(page.bin.rows[i].interconnect));
	}
	accounting_bin_done(&page.bin);
}

static void write_again(struct desk *d, struct text *out)
{
	const struct book_ports none = { 0 };
	struct book_page page;
	int64_t start;
	must(book_due(d->book, 0, 0, true, &none, &page) == ERR_OK);
	book_unsaved(d->book, page.bin.start);
	accounting_bin_done(&page.bin);
	must(book_save(d->book, 0, out, &start) && !out->bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desk a = open_desk();
	if (book_load(a.book, data, size) == ERR_OK) {
		struct desk b = open_desk();
		struct text once = { 0 }, twice = { 0 };
		look_at(&a);
		write_again(&a, &once);
		must(book_load(b.book, once.bytes, once.size) == ERR_OK);
		write_again(&b, &twice);
		must(once.size == twice.size && memcmp(once.bytes, twice.bytes, once.size) == 0);
		text_done(&once);
		text_done(&twice);
		close_desk(&b);
	}
	close_desk(&a);
	return 0;
}
