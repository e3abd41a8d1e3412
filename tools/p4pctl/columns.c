/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/columns.h"

#include <stdarg.h>
#include <string.h>

static void put(struct columns *c, const char *cell)
{
	const size_t column = c->count++ % c->n, size = strlen(cell);
	if (size > c->width[column])
		c->width[column] = size;
	text_add(&c->cells, cell, size + 1);
}

void columns_begin(struct columns *c, const char *const *heads)
{
	*c = (struct columns){ 0 };
	for (; heads[c->n] != NULL; c->n++)
		must(c->n < COLUMNS_MAX);
	for (size_t i = 0; i < c->n; i++) {
		c->right[i] = heads[i][0] == '>';
		put(c, heads[i] + c->right[i]);
	}
}

void columns_add(struct columns *c, const char *fmt, ...)
{
	char cell[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(cell, sizeof(cell), fmt, ap);
	va_end(ap);
	put(c, cell);
}

bool columns_print(struct columns *c, FILE *out)
{
	const bool good = !c->cells.bad;
	const char *cell = c->cells.bytes;
	size_t owed = 0; /* blanks, printed only before a cell that is not empty */
	for (size_t i = 0; good && i < c->count; i++) {
		const size_t column = i % c->n, size = strlen(cell);
		const size_t blanks = c->width[column] - size;
		if (c->right[column])
			owed += blanks;
		if (size > 0) {
			(void)fprintf(out, "%*s%s", (int)owed, "", cell);
			owed = 0;
		}
		owed += c->right[column] ? 2 : blanks + 2;
		if (column == c->n - 1) {
			(void)fputc('\n', out);
			owed = 0;
		}
		cell += size + 1;
	}
	text_done(&c->cells);
	return good;
}

const char *units_print(double value, const char *unit, char out[static UNITS_SIZE])
{
	static const char prefixes[] = " kMGTPEZY";
	const char *sign = value <= -0.5 ? "-" : "";
	size_t i = 0;
	value = value < 0 ? -value : value;
	while (value >= 999.5 && prefixes[i + 1] != '\0') {
		value /= 1000;
		i++;
	}
	if (i == 0)
		(void)snprintf(out, UNITS_SIZE, "%s%.0f %s", sign, value, unit);
	else
		(void)snprintf(out, UNITS_SIZE, "%s%.*f %c%s", sign,
		               value < 9.995   ? 2
		               : value < 99.95 ? 1
		                               : 0,
		               value, prefixes[i], unit);
	return out;
}

const char *ratio_cell(double ratio, char out[static UNITS_SIZE])
{
	if (ratio < 0)
		(void)snprintf(out, UNITS_SIZE, "-");
	else if (ratio >= 1 || ratio <= 0)
		(void)snprintf(out, UNITS_SIZE, "%.2f:1", ratio);
	else
		(void)snprintf(out, UNITS_SIZE, "1:%.2f", 1 / ratio);
	return out;
}
