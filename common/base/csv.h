/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads rows of CSV (RFC 4180), or of the same with another separator.
 *
 * Ownership: fields lie in the text, which the reader changes; it must be writable up to and with the byte
 * behind its end. Threading: one thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>

enum { CSV_FIELDS_MAX = 32 };

struct csv {
	char *at, *end; /* *end is a NUL */
	char separator;
	size_t line; /* on which the next row begins, from 1 */
	char *field[CSV_FIELDS_MAX];
	size_t n;
};

/*
 * `text` of `size` bytes, NUL behind. A byte order mark, which spreadsheets put first, is skipped.
 * false: there is a NUL in it, which no field could hold.
 */
bool csv_begin(struct csv *c, char *text, size_t size, char separator);

/* How many rows there can be at most, empty ones and the header counted. */
size_t csv_rows_max(const struct csv *c);

/*
 * Splits the next row into c->field, unquoted and NUL-terminated; an empty line is one empty field.
 * false: a quote does not close or there are more than CSV_FIELDS_MAX fields; read no further.
 * Only while c->at < c->end.
 */
bool csv_row(struct csv *c);
