/* SPDX-License-Identifier: Apache-2.0 */
#include "common/map/reading.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

enum {
	POINTER_SIZE = sizeof(((struct fault *)0)->where),
	TEXT_SIZE = sizeof(((struct fault *)0)->text),
	SHOWN_SIZE = 56,
	KEY_MAX = 32, /* longer than any key of ours: no hint beyond it */
};

/* ---- places and faults ---- */

/* Appends "/key", escaped; false (and no change) when it does not fit. */
static bool put_token(char *out, size_t *size, const struct value *v)
{
	char number[24];
	const char *key = v->key;
	size_t at = *size;
	if (key == NULL) {
		(void)snprintf(number, sizeof(number), "%zu", v->index);
		key = number;
	}
	if (at + 1 >= POINTER_SIZE)
		return false;
	out[at++] = '/';
	for (; *key != '\0'; key++) {
		const bool escape = *key == '~' || *key == '/';
		if (at + 2 >= POINTER_SIZE) {
			out[*size] = '\0';
			return false;
		}
		out[at++] = (char)(escape ? '~' : *key);
		if (escape)
			out[at++] = *key == '~' ? '0' : '1';
	}
	out[at] = '\0';
	*size = at;
	return true;
}

/* A pointer that would not fit names the nearest place above that does. */
static void print_pointer(const struct value *v, char out[static POINTER_SIZE])
{
	const struct value *chain[MAP_DEPTH_MAX];
	size_t depth = 0, size = 0;
	for (; v->up != NULL && depth < MAP_DEPTH_MAX; v = v->up)
		chain[depth++] = v;
	out[0] = '\0';
	while (depth > 0 && put_token(out, &size, chain[depth - 1]))
		depth--;
}

/* What others wrote, fit for a terminal: no control characters, and not too long. */
static const char *show(const char *s, char out[static SHOWN_SIZE])
{
	size_t n = 0;
	for (; s[n] != '\0' && n < SHOWN_SIZE - 4; n++)
		out[n] = iscntrl((unsigned char)s[n]) ? '?' : s[n];
	if (s[n] != '\0') {
		while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80) /* whole UTF-8 only */
			n--;
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n] = '\0';
	return out;
}

void reading_fault(struct reading *r, const struct value *v, enum err code, const char *kind,
                   const char *fmt, ...)
{
	char where[POINTER_SIZE], text[TEXT_SIZE];
	r->bad = true;
	if (r->faults->count == FAULTS_MAX) { /* a million faults must stay cheap */
		r->faults->more++;
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_pointer(v, where);
	(void)faults_add(r->faults, code, kind, where, "%s", text);
}

enum err reading_verdict(const struct reading *r)
{
	return r->full ? ERR_NOMEM : r->bad ? ERR_MALFORMED : ERR_OK;
}

void *reading_take(struct reading *r, size_t n, size_t size)
{
	if (n == 0)
		return NULL;
	must(n <= SIZE_MAX / size);
	void *p = arena_take(r->arena, n * size);
	r->full = r->full || p == NULL;
	return p;
}

/* ---- text to JSON ---- */

/*
 * jansson recurses once per level, so the depth is looked at before it is. Brackets inside strings
 * do not count; whether the text is JSON at all is jansson's business.
 */
static bool is_shallow(const char *json, size_t size, struct faults *faults)
{
	size_t depth = 0, line = 1, line_start = 0;
	bool in_string = false;
	for (size_t i = 0; i < size; i++) {
		const char c = json[i];
		if (c == '\n') {
			line++;
			line_start = i + 1;
		} else if (in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '[' || c == '{')) {
			if (++depth <= MAP_DEPTH_MAX)
				continue;
			(void)faults_add(faults, ERR_RANGE, "depth", "",
			                 "line %zu, column %zu: must not nest deeper than %d "
			                 "levels",
			                 line, i - line_start + 1, MAP_DEPTH_MAX);
			return false;
		} else if (!in_string && (c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return true;
}

/* jansson passes over a NUL behind a number, and shows a byte order mark as nothing. */
static bool is_text(const char *json, size_t size, struct faults *faults)
{
	const char *nul = memchr(json, '\0', size), *line = json;
	size_t number = 1;
	if (size >= 3 && memcmp(json, "\xef\xbb\xbf", 3) == 0) {
		(void)faults_add(
			faults, ERR_MALFORMED, "syntax", "",
			"line 1, column 1: a byte order mark; save it as UTF-8 without one");
		return false;
	}
	if (nul == NULL)
		return true;
	for (const char *c = json; c < nul; c++)
		if (*c == '\n') {
			number++;
			line = c + 1;
		}
	(void)faults_add(faults, ERR_MALFORMED, "syntax", "", "line %zu, column %zu: a NUL byte",
	                 number, (size_t)(nul - line) + 1);
	return false;
}

static enum err note_syntax(const json_error_t *e, struct faults *faults)
{
	char text[JSON_ERROR_TEXT_LENGTH];
	const enum json_error_code code = json_error_code(e);
	if (code == json_error_out_of_memory)
		return ERR_NOMEM;
	(void)snprintf(text, sizeof(text), "%s", e->text);
	for (char *p = text; *p != '\0'; p++)
		*p = (char)(iscntrl((unsigned char)*p) ? '?' : *p);
	return faults_add(faults, ERR_MALFORMED,
	                  code == json_error_duplicate_key      ? "duplicate-key"
	                  : code == json_error_numeric_overflow ? "range"
	                                                        : "syntax",
	                  "", "line %d, column %d: %s%s", e->line, e->column, text,
	                  code == json_error_invalid_utf8 ? "; save it as UTF-8" : "");
}

enum err reading_load(const char *json, size_t size, struct faults *faults, struct json_t **out)
{
	/* Every number as a double: exact for all we accept, and a huge one has a place, too. */
	const size_t flags = JSON_DECODE_INT_AS_REAL;
	json_error_t e;

	*out = NULL;
	if (size == 0)
		return faults_add(faults, ERR_MALFORMED, "syntax", "", "the document is empty");
	if (size > MAP_BYTES_MAX)
		return faults_add(faults, ERR_MALFORMED, "size", "",
		                  "the document must not have more than %d bytes, not %zu",
		                  MAP_BYTES_MAX, size);
	if (!is_text(json, size, faults) || !is_shallow(json, size, faults))
		return ERR_MALFORMED;
	*out = json_loadb(json, size, flags | JSON_REJECT_DUPLICATES, &e);
	if (*out != NULL)
		return ERR_OK;
	const enum err err = note_syntax(&e, faults);
	if (err == ERR_MALFORMED && json_error_code(&e) == json_error_duplicate_key)
		*out = json_loadb(json, size, flags, &e); /* for the other faults */
	return err;
}

void reading_drop(struct json_t *json)
{
	json_decref(json);
}

/* ---- structure ---- */

static const char *type_name(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		break;
	}
	return "null";
}

static void fault_type(struct reading *r, const struct value *v, const char *right)
{
	reading_fault(r, v, ERR_MALFORMED, "type", "must be %s, not %s", right, type_name(v->json));
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Levenshtein's distance; letter case does not count. Both are at most KEY_MAX long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[KEY_MAX + 1];
	const size_t n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			const size_t replaced = diagonal + !same_letter(a[i - 1], b[j - 1]);
			const size_t shifted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			diagonal = row[j];
			row[j] = replaced < shifted ? replaced : shifted;
		}
	}
	return row[n];
}

/* The known key that was probably meant, or `n`. "capacity" is near "capacity_mbps", too. */
static size_t nearest(const char *key, const struct member *table, size_t n)
{
	size_t best = n;
	const size_t size = strlen(key);
	size_t best_distance = 2 + size / 4;
	if (size > KEY_MAX)
		return n;
	for (size_t i = 0; i < n; i++) {
		const bool begins = size >= 3 && strncasecmp(key, table[i].name, size) == 0;
		const size_t d = begins ? 1 : distance(key, table[i].name);
		if (d < best_distance) {
			best = i;
			best_distance = d;
		}
	}
	return best;
}

/* The member that was probably meant is lost. */
static void fault_unknown_key(struct reading *r, const struct value *v, const struct member *table,
                              size_t n, struct value *out)
{
	char key[SHOWN_SIZE], known[TEXT_SIZE];
	const size_t near = nearest(v->key, table, n);
	show(v->key, key);
	if (near < n) {
		reading_fault(r, v, ERR_MALFORMED, "unknown-key",
		              "unknown key '%s'; did you mean '%s'?", key, table[near].name);
		out[near].lost = true;
		return;
	}
	int size = 0;
	for (size_t i = 0; i < n && (size_t)size < sizeof(known); i++)
		size += snprintf(known + size, sizeof(known) - (size_t)size, "%s'%s'",
		                 i == 0       ? ""
		                 : i + 1 == n ? " and "
		                              : ", ",
		                 table[i].name);
	reading_fault(r, v, ERR_MALFORMED, "unknown-key", "unknown key '%s'; known here: %s", key,
	              known);
}

static size_t find_member(const char *key, const struct member *table, size_t n)
{
	size_t i = 0;
	while (i < n && strcmp(table[i].name, key) != 0)
		i++;
	return i;
}

bool value_next(const struct value *object, void **iterator, struct value *entry)
{
	*iterator = *iterator == NULL ? json_object_iter(object->json)
	                              : json_object_iter_next(object->json, *iterator);
	if (*iterator == NULL)
		return false;
	*entry = (struct value){ .up = object,
		                 .key = json_object_iter_key(*iterator),
		                 .json = json_object_iter_value(*iterator) };
	return true;
}

static void want_rules(struct reading *r, const struct value *object, const struct member *rule,
                       struct value *v)
{
	if ((rule->rules & REQUIRED) && v->json == NULL) {
		reading_fault(r, object, ERR_MALFORMED, "missing", "'%s' is missing", rule->name);
		v->lost = true;
	}
	if ((rule->rules & NOT_EMPTY) && json_is_array(v->json) && value_size(v) == 0) {
		reading_fault(r, v, ERR_RANGE, "count", "must have at least one entry");
		v->json = NULL;
		v->lost = true;
	}
}

bool read_object(struct reading *r, const struct value *v, const struct member *table, size_t n,
                 struct value *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (struct value){ .up = v, .key = table[i].name };
	if (v->json != NULL && !json_is_object(v->json))
		fault_type(r, v, "an object");
	if (!json_is_object(v->json))
		return false;
	struct value member;
	for (void *it = NULL; value_next(v, &it, &member);) {
		const size_t i = find_member(member.key, table, n);
		if (i == n)
			fault_unknown_key(r, &member, table, n, out);
		else if (!json_is_null(member.json) || !(table[i].rules & NULLABLE))
			out[i].json = member.json;
	}
	for (size_t i = 0; i < n; i++)
		want_rules(r, v, &table[i], &out[i]);
	return true;
}

size_t read_array(struct reading *r, struct value *v, size_t max)
{
	const size_t n = value_size(v);
	if (v->json == NULL)
		return v->lost ? 1 : 0;
	if (json_is_array(v->json) && n <= max)
		return n;
	if (json_is_array(v->json))
		reading_fault(r, v, ERR_RANGE, "count",
		              "must not have more than %zu entries, not %zu", max, n);
	else
		fault_type(r, v, "an array");
	v->json = NULL;
	return 1;
}

struct value value_item(const struct value *array, size_t index)
{
	return (struct value){ .up = array,
		               .index = index,
		               .json = json_array_get(array->json, index) };
}

size_t read_entries(struct reading *r, const struct value *v)
{
	if (v->json != NULL && !json_is_object(v->json))
		fault_type(r, v, "an object");
	return json_object_size(v->json);
}

bool value_is_object(const struct value *v)
{
	return json_is_object(v->json);
}

size_t value_size(const struct value *v)
{
	return json_array_size(v->json);
}

const char *value_string(const struct value *v)
{
	return json_string_value(v->json);
}

/* ---- strings ---- */

/* The string, or NULL (not there, or a fault). */
static const char *want_string(struct reading *r, const struct value *v, const char *right)
{
	if (v->json != NULL && !json_is_string(v->json))
		fault_type(r, v, right);
	return value_string(v);
}

static void keep(struct reading *r, const char *s, const char **out)
{
	const size_t size = strlen(s) + 1;
	char *copy = reading_take(r, size, 1);
	if (copy != NULL)
		*out = memcpy(copy, s, size);
}

bool read_format(struct reading *r, const struct value *top, const char *format, const char *other)
{
	char right[SHOWN_SIZE], shown[SHOWN_SIZE];
	const struct value v = { .up = top,
		                 .key = "format",
		                 .json = json_object_get(top->json, "format") };
	(void)snprintf(right, sizeof(right), "\"%s\"", format);
	const char *s = want_string(r, &v, right);
	if (s == NULL || strcmp(s, format) == 0)
		return true;
	const bool mixed_up = strcmp(s, other) == 0;
	reading_fault(r, &v, ERR_MALFORMED, "format", "must be %s, not \"%s\"%s", right,
	              show(s, shown), mixed_up ? ", which has a place of its own" : "");
	return !mixed_up;
}

/* RFC 7285 section 10.1, which keeps '.' for later. */
static bool is_name(const char *s)
{
	static const char marks[] = "-:@_";
	size_t n = 0;
	for (; s[n] != '\0' && n <= MAP_NAME_MAX; n++)
		if (!(s[n] >= 'a' && s[n] <= 'z') && !(s[n] >= 'A' && s[n] <= 'Z') &&
		    !(s[n] >= '0' && s[n] <= '9') && strchr(marks, s[n]) == NULL)
			return false;
	return n > 0 && n <= MAP_NAME_MAX;
}

static void take_name(struct reading *r, const struct value *v, const char *s, const char **out)
{
	char shown[SHOWN_SIZE];
	if (is_name(s))
		keep(r, s, out);
	else
		reading_fault(r, v, ERR_MALFORMED, "name",
		              "must be 1 to %d letters, digits, '-', ':', '@' or '_', not \"%s\"",
		              MAP_NAME_MAX, show(s, shown));
}

void read_name(struct reading *r, const struct value *v, const char **out)
{
	const char *s = want_string(r, v, "a name");
	if (s != NULL)
		take_name(r, v, s, out);
}

void read_key(struct reading *r, const struct value *v, const char **out)
{
	take_name(r, v, v->key, out);
}

void read_note(struct reading *r, const struct value *v, const char **out)
{
	char shown[SHOWN_SIZE];
	const char *s = want_string(r, v, "a short text");
	if (s == NULL)
		return;
	bool good = *s != '\0' && strlen(s) <= MAP_NAME_MAX;
	for (const char *p = s; *p != '\0'; p++)
		good = good && !iscntrl((unsigned char)*p);
	if (good)
		keep(r, s, out);
	else
		reading_fault(r, v, ERR_MALFORMED, "text",
		              "must be 1 to %d bytes without control characters, not \"%s\"",
		              MAP_NAME_MAX, show(s, shown));
}

/* "a", "b" or "c" */
static void print_choice(const char *const *words, size_t n, char out[static TEXT_SIZE])
{
	int size = 0;
	for (size_t i = 0; i < n && size < TEXT_SIZE; i++)
		size += snprintf(out + size, (size_t)(TEXT_SIZE - size), "%s\"%s\"",
		                 i == 0       ? ""
		                 : i + 1 == n ? " or "
		                              : ", ",
		                 words[i]);
}

void read_word(struct reading *r, const struct value *v, const char *const *words, size_t n,
               unsigned *out)
{
	char choice[TEXT_SIZE], shown[SHOWN_SIZE];
	print_choice(words, n, choice);
	const char *s = want_string(r, v, choice);
	if (s == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(s, words[i]) == 0) {
			*out = (unsigned)i;
			return;
		}
	}
	reading_fault(r, v, ERR_MALFORMED, "choice", "must be %s, not \"%s\"", choice,
	              show(s, shown));
}

void read_address(struct reading *r, const struct value *v, struct ip_addr *out)
{
	char shown[SHOWN_SIZE];
	const char *s = want_string(r, v, "an IP address");
	if (s != NULL && ip_parse(s, out) != ERR_OK)
		reading_fault(r, v, ERR_MALFORMED, "address",
		              "must be an IP address such as \"192.0.2.1\", not \"%s\"",
		              show(s, shown));
}

void read_prefix(struct reading *r, const struct value *v, struct ip_prefix *out)
{
	char shown[SHOWN_SIZE], meant[IP_PREFIX_TEXT_SIZE];
	struct ip_prefix p = { .addr.family = IP_NONE };
	const char *s = want_string(r, v, "an address prefix");
	if (s == NULL)
		return;
	const enum err err = ip_prefix_parse(s, &p);
	if (err == ERR_OK) {
		*out = p;
		return;
	}
	show(s, shown);
	ip_prefix_print(&p, meant);
	if (err == ERR_MALFORMED)
		reading_fault(r, v, err, "prefix",
		              "must be an address prefix such as \"10.1.0.0/16\", not \"%s\"",
		              shown);
	else if (p.addr.family == IP_NONE)
		reading_fault(r, v, err, "prefix",
		              "the length must be at most 32 (IPv4) or 128 (IPv6), not \"%s\"",
		              shown);
	else
		reading_fault(r, v, err, "host-bits", "\"%s\" has host bits set; did you mean %s?",
		              shown, meant);
}

/* ---- numbers ---- */

/* False: not there, or a fault. */
static bool want_number(struct reading *r, const struct value *v, const char *right, double *out)
{
	if (v->json != NULL && !json_is_number(v->json))
		fault_type(r, v, right);
	*out = json_number_value(v->json);
	return json_is_number(v->json);
}

void read_whole(struct reading *r, const struct value *v, uint64_t min, uint64_t max, uint64_t *out)
{
	char right[80];
	double d;
	if (v->json == NULL)
		return;
	(void)snprintf(right, sizeof(right), "a whole number from %" PRIu64 " to %" PRIu64, min,
	               max);
	if (!want_number(r, v, right, &d))
		return;
	/* The limits first: a double beyond them may not fit an integer at all. */
	if (d >= (double)min && d <= (double)max && (double)(uint64_t)d == d)
		*out = (uint64_t)d;
	else
		reading_fault(r, v, ERR_RANGE, "range", "must be %s, not %.15g", right, d);
}

void read_u32(struct reading *r, const struct value *v, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t wide = *out;
	read_whole(r, v, min, max, &wide);
	*out = (uint32_t)wide;
}

void read_asn(struct reading *r, const struct value *v, uint32_t *out)
{
	read_u32(r, v, 1, UINT32_MAX - 1, out);
}

void read_real(struct reading *r, const struct value *v, double min, double max, double *out)
{
	char right[64];
	double d;
	(void)snprintf(right, sizeof(right), "a number from %.15g to %.15g", min, max);
	if (!want_number(r, v, right, &d))
		return;
	if (d >= min && d <= max)
		*out = d;
	else
		reading_fault(r, v, ERR_RANGE, "range", "must be %s, not %.15g", right, d);
}

void read_kbps(struct reading *r, const struct value *v, uint32_t *out)
{
	static const char right[] = "a number of Mbit/s from 0.001 to 1000000";
	double d;
	if (!want_number(r, v, right, &d))
		return;
	if (d >= 0.001 && d <= 1e6)
		*out = (uint32_t)(d * 1000 + 0.5);
	else
		reading_fault(r, v, ERR_RANGE, "range", "must be %s, not %.15g", right, d);
}
