/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/samples.h"

#include "common/base/arena.h"
#include "common/base/table.h"
#include "common/base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field { PROVIDER, INTERCONNECT, BIN, OUT_BYTES, IN_BYTES, OBSERVED, FIELDS, UNKNOWN };

static const char *const names[FIELDS] = { "provider",  "interconnect", "bin",
	                                   "out_bytes", "in_bytes",     "observed_seconds" };

static enum field field_of(const char *name)
{
	/* What pollers and time-series databases call it. */
	static const char *const bins[] = { "start", "time", "timestamp" };
	for (size_t i = 0; i < sizeof(bins) / sizeof(bins[0]); i++)
		if (strcmp(name, bins[i]) == 0)
			return BIN;
	for (unsigned i = 0; i < FIELDS; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum field)i;
	return UNKNOWN;
}

/* One sample before anything is believed: what each field said (NULL: nothing), and where it stood. */
struct raw {
	const char *value[FIELDS];
	char number[FIELDS][24]; /* the digits of a JSON number */
	char place[48];          /* "/samples/3" or "line 4" */
};

struct parser {
	const struct samples_rules *rules;
	struct faults *faults;
	struct arena *arena;  /* the tables' keys */
	struct table *known;  /* provider, interconnect */
	struct table *seen;   /* provider, interconnect, bin */
	struct samples found; /* room for `room` rows */
	size_t room;
	bool no_memory, denied;
};

/* A key of the tables. No name has a control character, so the separator divides in one way only. */
static char *key(struct parser *p, const char *provider, const char *id, int64_t start)
{
	const size_t room = strlen(provider) + strlen(id) + 32;
	char *k = arena_take(p->arena, room);
	if (k != NULL)
		(void)snprintf(k, room, "%s\x1f%s\x1f%" PRId64, provider, id, start);
	return k;
}

static enum err add_known(struct parser *p)
{
	for (size_t i = 0; i < p->rules->n_known; i++) {
		const struct store_interconnect *ic = &p->rules->known[i];
		const char *k = key(p, ic->provider, ic->id, 0);
		if (k == NULL || table_add(p->known, k, (uint32_t)i, NULL) == ERR_NOMEM)
			return ERR_NOMEM;
	}
	return ERR_OK;
}

static enum err begin(struct parser *p, size_t expected)
{
	p->room = expected;
	p->arena = arena_new(1 << 16);
	p->known = table_new(p->rules->n_known);
	p->seen = table_new(expected);
	p->found.rows = calloc(expected > 0 ? expected : 1, sizeof(*p->found.rows));
	if (p->arena == NULL || p->known == NULL || p->seen == NULL || p->found.rows == NULL)
		return ERR_NOMEM;
	return add_known(p);
}

static enum err end(struct parser *p, enum err e, struct samples *out)
{
	if (e == ERR_OK && p->no_memory)
		e = ERR_NOMEM;
	if (e == ERR_OK && p->faults->count > 0)
		e = p->denied ? ERR_DENIED : ERR_MALFORMED;
	if (e == ERR_OK)
		*out = p->found;
	else
		samples_done(&p->found);
	table_free(p->seen);
	table_free(p->known);
	arena_free(p->arena);
	return e;
}

void samples_done(struct samples *s)
{
	free(s->rows);
	*s = (struct samples){ 0 };
}

/* A fault of one field: a pointer names it in JSON; in CSV the line does, and the text the column. */
static void wrong(struct parser *p, const struct raw *r, enum field f, const char *kind,
                  const char *text)
{
	char where[80];
	const bool json = r->place[0] == '/';
	(void)snprintf(where, sizeof(where), "%s%s%s", r->place, json ? "/" : "",
	               json ? names[f] : "");
	(void)faults_add(p->faults, ERR_MALFORMED, kind, where, "%s: %s", names[f], text);
}

static bool name_is_good(struct parser *p, const struct raw *r, enum field f, char out[static 65])
{
	const char *value = r->value[f];
	if (value == NULL) {
		wrong(p, r, f, "missing", "is needed");
		return false;
	}
	if (value[0] == '\0' || strlen(value) > 64) {
		wrong(p, r, f, "out-of-range", "1 to 64 bytes");
		return false;
	}
	(void)snprintf(out, 65, "%s", value);
	return true;
}

static bool provider_is_good(struct parser *p, const struct raw *r, char out[static 65])
{
	if (!name_is_good(p, r, PROVIDER, out))
		return false;
	if (p->rules->provider == NULL || strcmp(p->rules->provider, out) == 0)
		return true;
	wrong(p, r, PROVIDER, "denied", "this token may not post samples of that provider");
	p->denied = true;
	return false;
}

static bool bytes_are_good(struct parser *p, const struct raw *r, enum field f, uint64_t *out)
{
	if (r->value[f] == NULL) {
		wrong(p, r, f, "missing", "is needed");
		return false;
	}
	if (!text_u64(r->value[f], strlen(r->value[f]), out)) {
		wrong(p, r, f, "malformed", "a whole number of bytes below 2^64");
		return false;
	}
	return true;
}

static bool bin_is_good(struct parser *p, const struct raw *r, int64_t *out)
{
	const int64_t earliest = 946684800; /* 2000-01-01: an older one is a unit mixed up */
	const struct samples_rules *rules = p->rules;
	char text[96];
	int64_t t;
	if (r->value[BIN] == NULL) {
		wrong(p, r, BIN, "missing", "is needed: when the bin starts");
		return false;
	}
	if (!text_time(r->value[BIN], &t)) {
		wrong(p, r, BIN, "malformed",
		      "a time such as 2026-11-21T10:05:00Z (UTC), or seconds since 1970");
		return false;
	}
	if (t < earliest || t > rules->now) {
		wrong(p, r, BIN, t > rules->now ? "future" : "out-of-range",
		      t > rules->now ? "has not begun yet" : "is before 2000-01-01");
		return false;
	}
	if (t % rules->bin_seconds != 0) {
		(void)snprintf(text, sizeof(text), "must be a multiple of %" PRIu32 " seconds",
		               rules->bin_seconds);
		wrong(p, r, BIN, "unaligned", text);
		return false;
	}
	*out = t;
	return true;
}

static bool observed_is_good(struct parser *p, const struct raw *r, uint32_t *out)
{
	uint64_t n = p->rules->bin_seconds;
	const char *value = r->value[OBSERVED];
	char text[64];
	if (value != NULL &&
	    (!text_u64(value, strlen(value), &n) || n == 0 || n > p->rules->bin_seconds)) {
		(void)snprintf(text, sizeof(text), "1 to %" PRIu32 ", the length of a bin",
		               p->rules->bin_seconds);
		wrong(p, r, OBSERVED, "out-of-range", text);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

/* Is it one of ours, and the first of its bin? */
static bool place_is_good(struct parser *p, const struct raw *r, const struct store_bin *row)
{
	const char *pair = key(p, row->provider, row->interconnect, 0);
	const char *whole = key(p, row->provider, row->interconnect, row->start);
	uint32_t i;
	if (pair == NULL || whole == NULL) {
		p->no_memory = true;
		return false;
	}
	if (!table_find(p->known, pair, &i)) {
		wrong(p, r, INTERCONNECT, "unknown-interconnect",
		      "the provider has no interconnect of that name");
		return false;
	}
	const enum err e = table_add(p->seen, whole, (uint32_t)p->found.n, NULL);
	p->no_memory |= e == ERR_NOMEM;
	if (e == ERR_EXISTS)
		wrong(p, r, BIN, "duplicate", "this bin of this interconnect is here twice");
	return e == ERR_OK;
}

static void add(struct parser *p, const struct raw *r)
{
	struct store_bin row = { .seconds = p->rules->bin_seconds };
	bool good = provider_is_good(p, r, row.provider);
	good &= name_is_good(p, r, INTERCONNECT, row.interconnect);
	good &= bin_is_good(p, r, &row.start);
	good &= bytes_are_good(p, r, OUT_BYTES, &row.out_bytes);
	good &= bytes_are_good(p, r, IN_BYTES, &row.in_bytes);
	good &= observed_is_good(p, r, &row.observed_seconds);
	if (!good || !place_is_good(p, r, &row))
		return;
	must(p->found.n < p->room);
	p->found.rows[p->found.n++] = row;
}

/* ---- JSON ---- */

/* The digits of a whole number, also of one that a writer gave a fraction of zero (1e9, 300.0). */
static bool number_print(const json_t *value, char out[static 24])
{
	const double exact =
		9007199254740992; /* 2^53: from here on a double may be another number */
	const double d = json_is_real(value) ? json_real_value(value) : 0;
	if (json_is_integer(value))
		(void)snprintf(out, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value) && d >= 0 && d < exact && (double)(uint64_t)d == d)
		(void)snprintf(out, 24, "%" PRIu64, (uint64_t)d);
	else
		return false;
	return true;
}

static void read_member(struct parser *p, struct raw *r, const char *name, const json_t *value)
{
	const enum field f = field_of(name);
	if (f == UNKNOWN) {
		(void)faults_add(p->faults, ERR_MALFORMED, "unknown-key", r->place,
		                 "\"%.64s\" is no member of a sample; there are provider, "
		                 "interconnect, bin, out_bytes, in_bytes, observed_seconds",
		                 name);
		return;
	}
	if (r->value[f] != NULL) {
		wrong(p, r, f, "duplicate", "is said twice, once under another name");
	} else if (json_is_string(value)) {
		r->value[f] = json_string_value(value);
	} else if (f != PROVIDER && f != INTERCONNECT && number_print(value, r->number[f])) {
		r->value[f] = r->number[f];
	} else {
		/* An impossible value: the check of the field then says what it wants. */
		r->value[f] = "";
	}
}

static void read_sample(struct parser *p, const char *array, size_t i, json_t *sample)
{
	struct raw r = { 0 };
	(void)snprintf(r.place, sizeof(r.place), "%s/%zu", array, i);
	if (!json_is_object(sample)) {
		(void)faults_add(p->faults, ERR_MALFORMED, "wrong-type", r.place,
		                 "a sample is an object");
		return;
	}
	const char *name;
	json_t *value;
	json_object_foreach(sample, name, value) read_member(p, &r, name, value);
	add(p, &r);
}

/* The array of samples in the document, and its pointer; NULL when there is none. */
static json_t *array_of(json_t *document, const char **pointer, struct faults *faults)
{
	json_t *array = document;
	*pointer = "";
	if (json_is_object(document)) {
		array = json_object_get(document, "samples");
		*pointer = "/samples";
	}
	if (!json_is_array(array)) {
		(void)faults_add(faults, ERR_MALFORMED, "wrong-type", *pointer,
		                 "an array of samples is needed, alone or as member \"samples\"");
		return NULL;
	}
	if (json_array_size(array) > SAMPLES_MAX) {
		(void)faults_add(faults, ERR_RANGE, "too-many", *pointer,
		                 "at most %d samples at once", SAMPLES_MAX);
		return NULL;
	}
	return array;
}

enum err samples_parse_json(const char *body, size_t size, const struct samples_rules *rules,
                            struct samples *out, struct faults *faults)
{
	json_error_t why;
	json_t *document = json_loadb(body, size, JSON_REJECT_DUPLICATES, &why);
	if (document == NULL) {
		char where[32];
		(void)snprintf(where, sizeof(where), "line %d", why.line);
		return faults_add(faults, ERR_MALFORMED, "malformed", where, "%s%s", why.text,
		                  json_error_code(&why) == json_error_numeric_overflow
		                          ? "; write it as a string"
		                          : "");
	}
	if (json_object_get(document, "provider") != NULL &&
	    json_object_get(document, "samples") == NULL) { /* one sample, alone */
		json_t *list = json_pack("[o]", document);
		if (list == NULL)
			return ERR_NOMEM; /* which took the document */
		document = list;
	}
	struct parser p = { .rules = rules, .faults = faults };
	const char *pointer;
	json_t *array = array_of(document, &pointer, faults);
	enum err e = array == NULL ? ERR_MALFORMED : begin(&p, json_array_size(array));
	for (size_t i = 0; e == ERR_OK && i < json_array_size(array); i++)
		read_sample(&p, pointer, i, json_array_get(array, i));
	e = end(&p, e, out);
	json_decref(document);
	return e;
}

/* ---- CSV (RFC 4180) ---- */

enum { COLUMNS_MAX = 16 };

/* A reader over a copy of the body, whose fields it ends with NULs in place. */
struct csv {
	char *at, *end; /* *end is writable */
	size_t line;    /* of the next row, from 1 */
	char *field[COLUMNS_MAX];
	size_t n;
};

/* The field at `at`, unquoted in place; returns its end in the text. NULL: the quotes do not close. */
static char *read_field(struct csv *c, char *at, char **end)
{
	char *to = at;
	bool quoted = false;
	for (; at < c->end; at++) {
		if (*at == '"' && quoted && at + 1 < c->end && at[1] == '"')
			*to++ = *at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && (*at == ',' || *at == '\n' || *at == '\r'))
			break;
		else
			*to++ = *at;
		c->line += quoted && *at == '\n';
	}
	*end = to;
	return quoted ? NULL : at;
}

/* Splits the next row into c->field; false when it cannot be split. */
static bool read_row(struct csv *c)
{
	c->n = 0;
	for (;;) {
		char *start = c->at, *end;
		char *at = read_field(c, start, &end);
		if (at == NULL || c->n == COLUMNS_MAX)
			return false;
		const char stop = *at; /* at the end: the NUL of the copy */
		c->field[c->n++] = start;
		c->at = at < c->end ? at + 1 : at;
		if (stop == '\r' && c->at < c->end && *c->at == '\n')
			c->at++;
		*end = '\0';
		if (stop != ',')
			return true;
	}
}

/* Which field each column of the header row is. */
static enum err read_header(struct csv *c, enum field columns[static COLUMNS_MAX], size_t *n,
                            struct faults *faults)
{
	bool there[FIELDS] = { false };
	if (c->at == c->end || !read_row(c))
		return faults_add(faults, ERR_MALFORMED, "malformed", "line 1",
		                  "no header row: nothing, an open quote, or more than %d columns",
		                  COLUMNS_MAX);
	for (size_t i = 0; i < c->n; i++) {
		columns[i] = field_of(c->field[i]);
		if (columns[i] == UNKNOWN || there[columns[i]])
			(void)faults_add(faults, ERR_MALFORMED, "unknown-column", "line 1",
			                 "\"%.64s\" is no column, or is there twice; there are "
			                 "provider, interconnect, bin, out_bytes, in_bytes, "
			                 "observed_seconds",
			                 c->field[i]);
		else
			there[columns[i]] = true;
	}
	for (unsigned f = 0; f < OBSERVED; f++)
		if (!there[f])
			(void)faults_add(faults, ERR_MALFORMED, "missing", "line 1",
			                 "the header row has no column \"%s\"", names[f]);
	*n = c->n;
	return faults->count > 0 ? ERR_MALFORMED : ERR_OK;
}

static void read_line(struct parser *p, struct csv *c, const enum field *columns, size_t n_columns)
{
	struct raw r = { 0 };
	(void)snprintf(r.place, sizeof(r.place), "line %zu", c->line);
	if (!read_row(c)) {
		(void)faults_add(p->faults, ERR_MALFORMED, "malformed", r.place,
		                 "a quote is not closed, or there are too many columns");
		c->at = c->end;
		return;
	}
	c->line++;
	if (c->n == 1 && c->field[0][0] == '\0')
		return; /* an empty line */
	if (c->n != n_columns) {
		(void)faults_add(p->faults, ERR_MALFORMED, "columns", r.place,
		                 "%zu columns, but the header row has %zu", c->n, n_columns);
		return;
	}
	for (size_t i = 0; i < n_columns; i++)
		if (columns[i] != OBSERVED || c->field[i][0] != '\0')
			r.value[columns[i]] = c->field[i];
	add(p, &r);
}

static enum err parse_csv(struct parser *p, char *text, size_t size)
{
	static const char mark[] = "\xef\xbb\xbf"; /* spreadsheets put it first */
	struct csv c = { .at = text, .end = text + size, .line = 1 };
	if (size >= 3 && memcmp(text, mark, 3) == 0)
		c.at += 3;
	if (memchr(text, '\0', size) != NULL)
		return faults_add(p->faults, ERR_MALFORMED, "malformed", "line 1",
		                  "there is a NUL byte in it");

	enum field columns[COLUMNS_MAX];
	size_t n_columns = 0, lines = 1;
	enum err e = read_header(&c, columns, &n_columns, p->faults);
	if (e != ERR_OK)
		return e;
	c.line++;
	for (const char *s = c.at; s < c.end; s++) /* never past the NUL at the end */
		lines += *s == '\n' || (*s == '\r' && s[1] != '\n');
	if (lines > SAMPLES_MAX + 1)
		return faults_add(p->faults, ERR_RANGE, "too-many", "", "at most %d lines at once",
		                  SAMPLES_MAX);
	e = begin(p, lines);
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
	const enum err e = end(&p, parse_csv(&p, copy, size), out);
	free(copy);
	return e;
}
