/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The formats that sketches are made of, each a reader with a name. A new one is a file with its reader,
 * a line in format.c and one in the commands of p4pctl.
 *
 * Readers take untrusted text; each has its turn in tests/fuzz/fuzz_sketch.c.
 */

#include "tools/sketch/sketch.h"

/* What the operator asked for, as p4pctl's options; NULL or 0: not given. Readers name the option in
 * faults. The provider's ASNs are sketch.asns. */
struct sketch_ask {
	const char *by;            /* --by */
	const char *pid;           /* --pid */
	const uint32_t *neighbors; /* --neighbor */
	size_t n_neighbors;
};

/* Adds what `sources` (those of the sketch, writable) say. */
typedef void sketch_read(struct sketch *s, struct sketch_source *sources, size_t n,
                         const struct sketch_ask *ask);

/* NULL: there is none of that name. */
sketch_read *sketch_format(const char *name);

/* RFC 8805: PIDs by city (the default), region or country; --by says which. */
sketch_read sketch_geofeed;

/*
 * Lines, for readers of text: cuts off the next one (its end, LF or CRLF, goes) and returns it, NULL
 * after the last. *at begins as the text, *line as 0.
 */
char *sketch_next_line(char **at, const char *end, uint32_t *line);
