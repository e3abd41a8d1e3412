/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Aligned tables, and numbers with units, for people.
 *
 * Ownership: columns_print() prints and frees. Threading: one thread.
 */

#include "common/base/text.h"

#include <stdio.h>

enum { COLUMNS_MAX = 16 };

struct columns {
	size_t n;                /* of columns */
	bool right[COLUMNS_MAX]; /* aligned to the right */
	size_t width[COLUMNS_MAX];
	struct text cells; /* each ends with a NUL; row by row */
	size_t count;
};

/* `heads` ends with NULL; one that begins with '>' is of a column of figures. */
void columns_begin(struct columns *c, const char *const *heads);
void columns_add(struct columns *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* false: out of memory, nothing was printed. */
bool columns_print(struct columns *c, FILE *out);

/* "1.25 GB", "-12.3 Mbit/s": three digits, powers of 1000. */
enum { UNITS_SIZE = 24 };
const char *units_print(double value, const char *unit, char out[static UNITS_SIZE]);

/* "2.40:1", "1:1.95"; "-" for a negative one, which means none. */
const char *ratio_cell(double ratio, char out[static UNITS_SIZE]);
