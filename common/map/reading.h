/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading JSON so that a person can mend it: a tool of the document parsers, and of p4psim for its
 * scenarios.
 *
 * A `value` is a piece of JSON that knows its place. Readers take a value, and either write what it
 * says to their output or note a fault with its JSON pointer (RFC 6901); a value that is not there
 * (an optional member) is silently left alone. So a parser reads a whole document straight down and
 * asks once, at the end, whether the reading is bad. What could not be read stays as it was: zero.
 *
 * Values live on the stack of the parser: one points up to the value that holds it.
 *
 * Threading: a reading belongs to one thread.
 */

#include "common/map/document.h"

#include <stdbool.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct json_t; /* jansson's; its header stays in .c files */

struct value {
	const struct value *up; /* NULL: the document itself */
	const char *key;        /* NULL: an element of an array */
	size_t index;
	struct json_t *json; /* NULL: not there */
	bool lost;           /* not there, but meant to be */
};

struct reading {
	struct arena *arena;
	struct faults *faults;
	bool bad;  /* at least one fault */
	bool full; /* the arena could give no more */
};

/* Text to JSON. ERR_MALFORMED: see `faults`; *out may be there nevertheless, to look for more. */
enum err reading_load(const char *json, size_t size, struct faults *faults,
                      struct json_t **out) must_check;
void reading_drop(struct json_t *json); /* NULL is fine */

/* What a parser returns at its end. */
enum err reading_verdict(const struct reading *r) must_check;

void reading_fault(struct reading *r, const struct value *v, enum err code, const char *kind,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Zeroed room for `n` things, or NULL: none asked for, or the arena is full. */
void *reading_take(struct reading *r, size_t n, size_t size);

enum { REQUIRED = 1, NULLABLE = 2, NOT_EMPTY = 4 };
struct member {
	const char *name;
	unsigned rules; /* any of the above */
};

/* Members of an object, in the order of the table; false (and no values) when it is none. */
bool read_object(struct reading *r, const struct value *v, const struct member *table, size_t n,
                 struct value *out);

/* Elements of an array. When it is lost, is none or has more than `max`, it is taken for one element
 * that is not there. */
size_t read_array(struct reading *r, struct value *v, size_t max);
struct value value_item(const struct value *array, size_t index);

/* Members of an object whose keys are names of the operator: how many; then one after the other,
 * from a NULL iterator on. */
size_t read_entries(struct reading *r, const struct value *v);
bool value_next(const struct value *object, void **iterator, struct value *entry);

bool value_is_object(const struct value *v);
size_t value_size(const struct value *v);        /* elements; 0 when it is no array */
const char *value_string(const struct value *v); /* NULL when it is none */

/* The "format" of a whole document. False when it is the `other` kind, whose faults here would only
 * be noise. */
bool read_format(struct reading *r, const struct value *top, const char *format, const char *other);
void read_name(struct reading *r, const struct value *v, const char **out); /* RFC 7285, 10.1 */
void read_key(struct reading *r, const struct value *v, const char **out);  /* its key, a name */
void read_note(struct reading *r, const struct value *v, const char **out); /* short free text */
void read_whole(struct reading *r, const struct value *v, uint64_t min, uint64_t max,
                uint64_t *out);
void read_u32(struct reading *r, const struct value *v, uint32_t min, uint32_t max, uint32_t *out);
void read_real(struct reading *r, const struct value *v, double min, double max, double *out);
void read_kbps(struct reading *r, const struct value *v, uint32_t *out); /* given in Mbit/s */
void read_asn(struct reading *r, const struct value *v, uint32_t *out);
void read_word(struct reading *r, const struct value *v, const char *const *words, size_t n,
               unsigned *out);
void read_address(struct reading *r, const struct value *v, struct ip_addr *out);
void read_prefix(struct reading *r, const struct value *v, struct ip_prefix *out);
