/* SPDX-License-Identifier: Apache-2.0 */
/* Samples and readings as CSV (RFC 4180). */
#include "common/base/csv.h"
#include "server/api/samples_parsing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which field each column of the header row is. */
static enum err read_header(struct csv *c, enum field columns[static CSV_FIELDS_MAX], size_t *n,
                            struct faults *faults)
{
	uint32_t there = 0, seen = 0;
	if (c->at == c->end || !csv_row(c))
		return faults_add(faults, ERR_MALFORMED, "malformed", "line 1",
		                  "no header row: nothing, an open quote, or more than %d columns",
		                  CSV_FIELDS_MAX);
	for (size_t i = 0; i < c->n; i++) {
		columns[i] = field_of(c->field[i]);
		there |= columns[i] != UNKNOWN ? FIELD(columns[i]) : 0;
	}
	const enum shape shape = shape_of(there);
	for (size_t i = 0; i < c->n; i++)
		if (columns[i] == UNKNOWN || (seen & FIELD(columns[i])) != 0)
			(void)faults_add(faults, ERR_MALFORMED, "unknown-column", "line 1",
			                 "\"%.64s\" is no column, or is there twice; %s",
			                 c->field[i], shape_members(shape));
		else
			seen |= FIELD(columns[i]);
	for (unsigned f = 0; f < FIELDS; f++)
		if ((shape_needs(shape) & ~there & FIELD(f)) != 0)
			(void)faults_add(faults, ERR_MALFORMED, "missing", "line 1",
			                 "the header row has no column \"%s\"", field_name(f));
	*n = c->n;
	return faults->count > 0 ? ERR_MALFORMED : ERR_OK;
}

static void read_line(struct parser *p, struct csv *c, const enum field *columns, size_t n_columns)
{
	struct raw r = { .place = { .n = c->line } };
	char place[48];
	samples_print_place(&r.place, place);
	if (!csv_row(c)) {
		(void)faults_add(p->faults, ERR_MALFORMED, "malformed", place,
		                 "a quote is not closed, or there are too many columns");
		c->at = c->end;
		return;
	}
	if (c->n == 1 && c->field[0][0] == '\0')
		return; /* an empty line */
	if (c->n != n_columns) {
		(void)faults_add(p->faults, ERR_MALFORMED, "columns", place,
		                 "%zu columns, but the header row has %zu", c->n, n_columns);
		return;
	}
	for (size_t i = 0; i < n_columns; i++)
		if ((shape_needs(SAMPLE) & FIELD(columns[i])) != 0 || c->field[i][0] != '\0')
			r.value[columns[i]] = c->field[i];
	parser_add(p, &r);
}

static enum err parse_csv(struct parser *p, char *text, size_t size)
{
	struct csv c;
	if (!csv_begin(&c, text, size, ','))
		return faults_add(p->faults, ERR_MALFORMED, "malformed", "line 1",
		                  "there is a NUL byte in it");

	enum field columns[CSV_FIELDS_MAX];
	size_t n_columns = 0;
	enum err e = read_header(&c, columns, &n_columns, p->faults);
	if (e != ERR_OK)
		return e;
	const size_t rows = csv_rows_max(&c);
	if (rows > SAMPLES_MAX + 1)
		return faults_add(p->faults, ERR_RANGE, "too-many", "", "at most %d lines at once",
		                  SAMPLES_MAX);
	e = parser_begin(p, rows);
	while (e == ERR_OK && c.at < c.end)
		read_line(p, &c, columns, n_columns);
	return e;
}

enum err samples_parse_csv(const char *body, size_t size, const struct samples_rules *rules,
                           struct samples *out, struct faults *faults)
{
	struct parser p = { .rules = rules, .faults = faults };
	char *copy = malloc(size + 1);
	if (copy == NULL)
		return ERR_NOMEM;
	memcpy(copy, body, size);
	copy[size] = '\0';
	const enum err e = parser_end(&p, parse_csv(&p, copy, size), out);
	free(copy);
	return e;
}
