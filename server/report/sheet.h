/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A sheet of figures: written down once, shown as JSON, CSV or HTML, so that no two of them can
 * differ.
 *
 *	sheet_open(&s, "out");                                   "out":{
 *	sheet_u64(&s, "bytes", "B", total);                      "bytes":12}
 *	sheet_close(&s);
 *
 * Every figure may carry a unit: JSON has it in the key's name, CSV and HTML in a column. Numbers are
 * decimal digits, of any size. A figure's path joins the keys above it: "directions.out.bytes".
 *
 * Ownership: keys are literals; units and values are copied. sheet_done() frees. A sheet that could
 * not grow turns bad and stays bad. Threading: one thread at a time.
 */

#include "common/base/text.h"

enum sheet_kind {
	SHEET_OBJECT, /* opens */
	SHEET_ARRAY,  /* opens; what is inside has no keys */
	SHEET_CLOSE,
	SHEET_NUMBER,
	SHEET_STRING,
	SHEET_WORD /* null, true, false */
};

struct sheet_row {
	enum sheet_kind kind;
	const char *key; /* NULL inside an array */
	size_t value;    /* where it begins in `values`, */
	size_t unit;     /* and its unit, "" for none */
};

struct sheet {
	struct sheet_row *rows;
	size_t n, room;
	struct text values; /* each with its NUL */
	bool bad;
};

void sheet_open(struct sheet *s, const char *key);
void sheet_array(struct sheet *s, const char *key);
void sheet_close(struct sheet *s);
void sheet_u64(struct sheet *s, const char *key, const char *unit, uint64_t n);
void sheet_number(struct sheet *s, const char *key, const char *unit, const char *digits);
void sheet_string(struct sheet *s, const char *key, const char *value);
/* Text with a unit: an exact decimal, which JSON has as a string. */
void sheet_money(struct sheet *s, const char *key, const char *unit, const char *value);
void sheet_null(struct sheet *s, const char *key, const char *unit);
void sheet_bool(struct sheet *s, const char *key, bool value);
void sheet_time(struct sheet *s, const char *key, int64_t unix_seconds);
void sheet_done(struct sheet *s);

bool sheet_is_bad(const struct sheet *s);
const char *sheet_value(const struct sheet *s, size_t row);

/* The members of one object, without its braces: the caller may add its own before or behind. */
void sheet_json(const struct sheet *s, struct text *out);

/* Lines of "PREFIX,path,value,unit" (RFC 4180); a value that is null is empty. `prefix` is CSV. */
void sheet_csv(const struct sheet *s, const char *prefix, struct text *out);

/* A table for each group of the outermost level, the ungrouped figures first; text is escaped. */
void sheet_html(const struct sheet *s, struct text *out);
void sheet_html_text(struct text *out, const char *s); /* & < > " */
