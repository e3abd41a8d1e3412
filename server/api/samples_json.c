/* SPDX-License-Identifier: Apache-2.0 */
/* Samples and readings as JSON. */
#include "server/api/samples_parsing.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The digits of a whole number, also of one that a writer gave a fraction of zero (1e9, 300.0). */
static bool number_print(const json_t *value, char out[static 32])
{
	const double exact =
		9007199254740992; /* 2^53: from here on a double may be another number */
	const double d = json_is_real(value) ? json_real_value(value) : 0;
	if (json_is_integer(value))
		(void)snprintf(out, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value) && d >= 0 && d < exact && (double)(uint64_t)d == d)
		(void)snprintf(out, 32, "%" PRIu64, (uint64_t)d);
	else
		return false;
	return true;
}

/* A time may have a fraction; its milliseconds are what counts. */
static bool time_print(const json_t *value, char out[static 32])
{
	const double d = json_is_real(value) ? json_real_value(value) : -1;
	if (!(d >= 0 && d < 1e12))
		return false;
	(void)snprintf(out, 32, "%.3f", d);
	return true;
}

static bool is_time(enum field f)
{
	return f == AT || f == END || f == BIN;
}

static void read_member(struct parser *p, struct raw *r, enum shape shape, const char *name,
                        const json_t *value)
{
	const enum field f = field_of(name);
	if (f == UNKNOWN) {
		char place[48];
		samples_print_place(&r->place, place);
		(void)faults_add(p->faults, ERR_MALFORMED, "unknown-key", place,
		                 "\"%.64s\" is no member; %s", name, shape_members(shape));
		return;
	}
	if (r->value[f] != NULL) {
		wrong(p, r, f, "duplicate", "is said twice, once under another name");
	} else if (json_is_string(value)) {
		r->value[f] = json_string_value(value);
	} else if (f != PROVIDER && f != INTERCONNECT && f != PORT &&
	           (number_print(value, r->number[f]) ||
	            (is_time(f) && time_print(value, r->number[f])))) {
		r->value[f] = r->number[f];
	} else {
		/* An impossible value: the check of the field then says what it wants. */
		r->value[f] = "";
	}
}

/* What it is going to be, for a member that nothing has. */
static enum shape guess(json_t *row)
{
	uint32_t there = 0;
	const char *name;
	json_t *value;
	json_object_foreach(row, name, value)
	{
		const enum field f = field_of(name);
		there |= f != UNKNOWN ? FIELD(f) : 0;
	}
	return shape_of(there);
}

static void read_row(struct parser *p, const char *array, size_t i, json_t *row)
{
	struct raw r = { .place = { .array = array, .n = i } };
	if (!json_is_object(row)) {
		char place[48];
		samples_print_place(&r.place, place);
		(void)faults_add(p->faults, ERR_MALFORMED, "wrong-type", place,
		                 "a sample or reading is an object");
		return;
	}
	const enum shape shape = guess(row);
	const char *name;
	json_t *value;
	json_object_foreach(row, name, value) read_member(p, &r, shape, name, value);
	parser_add(p, &r);
}

/* The arrays of a document: two at most. */
struct arrays {
	json_t *list[2];
	const char *pointer[2];
	size_t n;
};

static bool find_arrays(json_t *document, struct arrays *a, struct faults *faults)
{
	static const char *const pointers[] = { "/samples", "/readings" };
	size_t rows = 0;
	if (json_is_array(document))
		*a = (struct arrays){ .list = { document }, .pointer = { "" }, .n = 1 };
	for (unsigned i = 0; i < 2; i++) {
		json_t *list = json_object_get(document, pointers[i] + 1);
		if (list == NULL)
			continue;
		a->list[a->n] = list;
		a->pointer[a->n++] = pointers[i];
	}
	for (size_t i = 0; i < a->n; i++) {
		rows += json_array_size(a->list[i]);
		if (!json_is_array(a->list[i]))
			(void)faults_add(faults, ERR_MALFORMED, "wrong-type", a->pointer[i],
			                 "is an array of objects");
	}
	if (a->n == 0)
		(void)faults_add(faults, ERR_MALFORMED, "wrong-type",
		                 json_is_object(document) ? "/samples" : "",
		                 "an array is needed, alone or as member \"samples\" or "
		                 "\"readings\"");
	if (rows > SAMPLES_MAX)
		(void)faults_add(faults, ERR_RANGE, "too-many", a->pointer[0],
		                 "at most %d samples and readings at once", SAMPLES_MAX);
	return faults->count == 0;
}

static enum err read_arrays(struct parser *p, const struct arrays *a)
{
	size_t rows = 0;
	for (size_t i = 0; i < a->n; i++)
		rows += json_array_size(a->list[i]);
	const enum err e = parser_begin(p, rows);
	for (size_t i = 0; e == ERR_OK && i < a->n; i++)
		for (size_t k = 0; k < json_array_size(a->list[i]); k++)
			read_row(p, a->pointer[i], k, json_array_get(a->list[i], k));
	return e;
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
	    json_object_get(document, "samples") == NULL &&
	    json_object_get(document, "readings") == NULL) { /* one row, alone */
		json_t *list = json_pack("[o]", document);
		if (list == NULL)
			return ERR_NOMEM; /* which took the document */
		document = list;
	}
	struct parser p = { .rules = rules, .faults = faults };
	struct arrays arrays = { .n = 0 };
	enum err e =
		find_arrays(document, &arrays, faults) ? read_arrays(&p, &arrays) : ERR_MALFORMED;
	e = parser_end(&p, e, out);
	json_decref(document);
	return e;
}
