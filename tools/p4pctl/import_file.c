/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/import_file.h"

#include <stdlib.h>
#include <string.h>

bool import_format_of(const char *name, enum import_format *out)
{
	static const char *const names[IMPORT_FORMATS] = { "librenms", "kentik", "prometheus",
		                                           "csv" };
	for (unsigned i = 0; i < IMPORT_FORMATS; i++)
		if (strcmp(name, names[i]) == 0) {
			*out = (enum import_format)i;
			return true;
		}
	return false;
}

/* The number of a port, a new one when it was not seen before. */
static enum err number_of(struct import_file *f, const char *port, uint32_t *number)
{
	if (table_find(f->port_numbers, port, number))
		return ERR_OK;
	if (f->n_ports == f->ports_room) {
		const size_t room = f->ports_room > 0 ? 2 * f->ports_room : 16;
		const char **more = realloc(f->ports, room * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		f->ports = more;
		f->ports_room = room;
	}
	const size_t size = strlen(port) + 1;
	char *name = arena_take(f->arena, size);
	if (name == NULL)
		return ERR_NOMEM;
	memcpy(name, port, size);
	*number = (uint32_t)f->n_ports;
	f->ports[f->n_ports++] = name;
	return table_add(f->port_numbers, name, *number, NULL);
}

enum err import_add(struct import_file *f, const char *port, uint32_t line,
                    const struct counter_reading *r)
{
	struct import_row row = { .line = line, .reading = *r };
	const enum err e = number_of(f, port, &row.port);
	if (e != ERR_OK)
		return e;
	if (f->n == f->room) {
		const size_t room = f->room > 0 ? 2 * f->room : 1024;
		struct import_row *more = realloc(f->rows, room * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		f->rows = more;
		f->room = room;
	}
	f->rows[f->n++] = row;
	return ERR_OK;
}

static int by_port_and_time(const void *a, const void *b)
{
	const struct import_row *x = a, *y = b;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->reading.at_ms != y->reading.at_ms)
		return x->reading.at_ms < y->reading.at_ms ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

/* LibreNMS says its last delta again when a counter went down. Two alike by chance are not met. */
static void drop_repeated(struct import_file *f)
{
	struct import_row last = { 0 };
	size_t kept = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct import_row row = f->rows[i];
		const uint64_t *now = row.reading.octets, *before = last.reading.octets;
		const bool repeated = i > 0 && row.port == last.port && now[0] == before[0] &&
		                      now[1] == before[1] && (now[0] | now[1]) != 0;
		last = row;
		if (!repeated)
			f->rows[kept++] = row;
		else
			text_printf(&f->notes,
			            "line %u: both deltas are those of the row before, which "
			            "LibreNMS repeats when a counter goes down; left out\n",
			            row.line);
	}
	f->n = kept;
}

enum err import_read(enum import_format format, char *text, size_t size, struct import_file *out,
                     struct faults *faults)
{
	*out = (struct import_file){ .port_numbers = table_new(16), .arena = arena_new(1 << 12) };
	if (out->port_numbers == NULL || out->arena == NULL)
		return ERR_NOMEM;
	const enum err e = format == IMPORT_PROMETHEUS
	                           ? import_prometheus(text, size, out, faults)
	                           : import_rows(format, text, size, out, faults);
	if (e != ERR_OK)
		return e;
	if (out->n > 0)
		qsort(out->rows, out->n, sizeof(*out->rows), by_port_and_time);
	if (format == IMPORT_LIBRENMS)
		drop_repeated(out);
	return faults->count > 0 ? ERR_MALFORMED : out->notes.bad ? ERR_NOMEM : ERR_OK;
}

void import_done(struct import_file *f)
{
	text_done(&f->notes);
	table_free(f->port_numbers);
	arena_free(f->arena);
	free(f->ports);
	free(f->rows);
	*f = (struct import_file){ 0 };
}
