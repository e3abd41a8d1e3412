/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 8 };

/* ---- writing it down ---- */

static void add(struct sheet *s, enum sheet_kind kind, const char *key, const char *unit,
                const char *value)
{
	if (s->n == s->room) {
		const size_t room = s->room == 0 ? 64 : 2 * s->room;
		struct sheet_row *rows = realloc(s->rows, room * sizeof(*rows));
		s->bad = s->bad || rows == NULL;
		if (rows == NULL)
			return;
		s->rows = rows;
		s->room = room;
	}
	const char *known_unit = unit != NULL ? unit : "";
	struct sheet_row *row = &s->rows[s->n++];
	*row = (struct sheet_row){ .kind = kind, .key = key, .value = s->values.size };
	text_add(&s->values, value, strlen(value) + 1);
	row->unit = s->values.size;
	text_add(&s->values, known_unit, strlen(known_unit) + 1);
}

void sheet_open(struct sheet *s, const char *key)
{
	add(s, SHEET_OBJECT, key, NULL, "");
}

void sheet_array(struct sheet *s, const char *key)
{
	add(s, SHEET_ARRAY, key, NULL, "");
}

void sheet_close(struct sheet *s)
{
	add(s, SHEET_CLOSE, NULL, NULL, "");
}

void sheet_number(struct sheet *s, const char *key, const char *unit, const char *digits)
{
	add(s, SHEET_NUMBER, key, unit, digits);
}

void sheet_u64(struct sheet *s, const char *key, const char *unit, uint64_t n)
{
	char digits[24];
	(void)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	sheet_number(s, key, unit, digits);
}

void sheet_string(struct sheet *s, const char *key, const char *value)
{
	add(s, SHEET_STRING, key, NULL, value);
}

void sheet_money(struct sheet *s, const char *key, const char *unit, const char *value)
{
	add(s, SHEET_STRING, key, unit, value);
}

void sheet_null(struct sheet *s, const char *key, const char *unit)
{
	add(s, SHEET_WORD, key, unit, "null");
}

void sheet_bool(struct sheet *s, const char *key, bool value)
{
	add(s, SHEET_WORD, key, NULL, value ? "true" : "false");
}

void sheet_time(struct sheet *s, const char *key, int64_t unix_seconds)
{
	char printed[24];
	text_time_print(unix_seconds, printed);
	sheet_string(s, key, printed);
}

void sheet_done(struct sheet *s)
{
	free(s->rows);
	text_done(&s->values);
	*s = (struct sheet){ 0 };
}

bool sheet_is_bad(const struct sheet *s)
{
	return s->bad || s->values.bad;
}

const char *sheet_value(const struct sheet *s, size_t row)
{
	return s->values.bytes != NULL ? s->values.bytes + s->rows[row].value : "";
}

static const char *unit_of(const struct sheet *s, size_t row)
{
	return s->values.bytes != NULL ? s->values.bytes + s->rows[row].unit : "";
}

/* ---- walking it ---- */

/* Where a walk is: the keys above, and how many elements came before in each. */
struct walk {
	const struct sheet *s;
	size_t row; /* the next */
	size_t depth;
	struct {
		const char *key; /* NULL: an array's element */
		size_t before;
	} level[DEPTH_MAX];
};

static bool opens(enum sheet_kind kind)
{
	return kind == SHEET_OBJECT || kind == SHEET_ARRAY;
}

/* The next row; its level's count is not yet raised, and what it opens is not yet entered. */
static const struct sheet_row *look(const struct walk *w)
{
	return w->row < w->s->n ? &w->s->rows[w->row] : NULL;
}

static void step(struct walk *w)
{
	const struct sheet_row *r = &w->s->rows[w->row++];
	if (r->kind == SHEET_CLOSE) {
		must(w->depth > 0);
		w->depth--;
	} else {
		w->level[w->depth].before++;
	}
	if (opens(r->kind)) {
		must(w->depth + 1 < DEPTH_MAX);
		w->level[w->depth].key = r->key;
		w->level[++w->depth].before = 0;
	}
}

/* The keys from level `from` on, then that of the row to come: "directions.out.bytes". */
static void put_path(const struct walk *w, size_t from, const char *between, struct text *out)
{
	const struct sheet_row *r = look(w);
	for (size_t i = from; i <= w->depth; i++) {
		const char *key = i < w->depth ? w->level[i].key : r->key;
		const size_t index = w->level[i].before - (i < w->depth);
		text_put(out, i > from ? between : "");
		if (key != NULL)
			text_put(out, key);
		else
			text_printf(out, "%zu", index);
	}
}

/* ---- JSON ---- */

void sheet_json(const struct sheet *s, struct text *out)
{
	struct walk w = { .s = s };
	bool is_array[DEPTH_MAX] = { false };
	for (const struct sheet_row *r; (r = look(&w)) != NULL; step(&w)) {
		const char *value = sheet_value(s, w.row);
		if (r->kind == SHEET_CLOSE) {
			text_put(out, is_array[w.depth] ? "]" : "}");
			continue;
		}
		text_put(out, w.level[w.depth].before > 0 ? "," : "");
		if (r->key != NULL)
			text_printf(out, "\"%s\":", r->key);
		if (opens(r->kind)) {
			is_array[w.depth + 1] = r->kind == SHEET_ARRAY;
			text_put(out, r->kind == SHEET_ARRAY ? "[" : "{");
		} else if (r->kind == SHEET_STRING) {
			text_json_string(out, value);
		} else {
			text_put(out, value);
		}
	}
}

/* ---- CSV ---- */

static bool is_null(const struct sheet *s, size_t row)
{
	return s->rows[row].kind == SHEET_WORD && strcmp(sheet_value(s, row), "null") == 0;
}

void sheet_csv(const struct sheet *s, const char *prefix, struct text *out)
{
	struct walk w = { .s = s };
	for (const struct sheet_row *r; (r = look(&w)) != NULL; step(&w)) {
		if (opens(r->kind) || r->kind == SHEET_CLOSE)
			continue;
		text_printf(out, "%s%s", prefix, prefix[0] != '\0' ? "," : "");
		put_path(&w, 0, ".", out);
		text_put(out, ",");
		text_csv_field(out, is_null(s, w.row) ? "" : sheet_value(s, w.row));
		text_put(out, ",");
		text_csv_field(out, unit_of(s, w.row));
		text_put(out, "\r\n");
	}
}

/* ---- HTML ---- */

void sheet_html_text(struct text *out, const char *s)
{
	for (; *s != '\0'; s++) {
		const char *name = *s == '&'   ? "&amp;"
		                   : *s == '<' ? "&lt;"
		                   : *s == '>' ? "&gt;"
		                   : *s == '"' ? "&quot;"
		                               : NULL;
		if (name != NULL)
			text_put(out, name);
		else
			text_add(out, s, 1);
	}
}

/* A key as a person writes it. */
static void put_words(struct text *out, const char *key)
{
	for (; *key != '\0'; key++)
		text_add(out, *key == '_' ? " " : key, 1);
}

static void put_html_row(const struct walk *w, size_t from, struct text *out)
{
	const struct sheet_row *r = look(w);
	const char *unit = unit_of(w->s, w->row);
	struct text path = { 0 };
	put_path(w, from, ", ", &path);
	text_put(out, "<tr><th scope=\"row\">");
	put_words(out, path.bytes != NULL ? path.bytes : "");
	text_printf(out, "</th><td%s>",
	            r->kind == SHEET_NUMBER || unit[0] != '\0' ? " class=\"n\"" : "");
	sheet_html_text(out, is_null(w->s, w->row) ? "\xe2\x80\x93" : sheet_value(w->s, w->row));
	text_put(out, "</td><td>");
	sheet_html_text(out, unit);
	text_put(out, "</td></tr>\n");
	out->bad = out->bad || path.bad;
	text_done(&path);
}

static void begin_table(struct text *out, const char *title)
{
	if (title != NULL) {
		text_put(out, "<h2>");
		put_words(out, title);
		text_put(out, "</h2>\n");
	}
	text_put(out, "<table>\n");
}

/* Rows of the outermost level, or (`group`) those of its groups. */
static void put_level(const struct sheet *s, bool group, struct text *out)
{
	struct walk w = { .s = s };
	bool open = false;
	for (const struct sheet_row *r; (r = look(&w)) != NULL; step(&w)) {
		const bool leaf = !opens(r->kind) && r->kind != SHEET_CLOSE;
		if (w.depth == 0 && opens(r->kind) && group)
			begin_table(out, r->key);
		else if (w.depth == 1 && r->kind == SHEET_CLOSE && group)
			text_put(out, "</table>\n");
		else if (leaf && group == (w.depth > 0)) {
			if (!group && !open)
				begin_table(out, NULL);
			open = true;
			put_html_row(&w, group ? 1 : 0, out);
		}
	}
	if (open && !group)
		text_put(out, "</table>\n");
}

void sheet_html(const struct sheet *s, struct text *out)
{
	put_level(s, false, out);
	put_level(s, true, out);
}
