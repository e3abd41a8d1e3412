/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One import from text to text, as p4pctl does it, for the tests of formats. */

#include "tests/unit/test.h"

#include "tools/sketch/format.h"

#include <string.h>

enum { DRAWN_FILES_MAX = 8 };

struct drawing {
	/* in */
	const char *files[DRAWN_FILES_MAX]; /* "f1", "f2", ... */
	struct sketch_ask ask;
	struct sketch_rules rules;
	const char *into; /* a topology; NULL: none */
	bool nameless;    /* neither provider nor ASN */
	/* out */
	enum err err;
	struct text topology, costs, said; /* said: "WARNING|FAULT where: text [kind]" a line */
	struct sketch s;
	char *copies[DRAWN_FILES_MAX];
	struct arena *joined;
};

static inline void drawing_say(struct text *out, const char *what, const struct faults *list)
{
	for (size_t i = 0; i < list->count; i++)
		text_printf(out, "%s %s: %s [%s]\n", what, list->list[i].where, list->list[i].text,
		            list->list[i].kind);
}

static inline void drawing_make(struct drawing *d, const char *format)
{
	static const char *const names[] = { "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8" };
	struct sketch_source sources[DRAWN_FILES_MAX];
	size_t n = 0;
	for (; n < DRAWN_FILES_MAX && d->files[n] != NULL; n++) {
		d->copies[n] = strdup(d->files[n]); /* exactly its size, for a sanitizer */
		assert_non_null(d->copies[n]);
		sources[n] = (struct sketch_source){ names[n], d->copies[n], strlen(d->copies[n]) };
	}
	assert_int_equal(sketch_init(&d->s, sources, n), ERR_OK);
	if (d->into != NULL) {
		struct map_topology *t = NULL;
		d->joined = arena_new(4096);
		assert_int_equal(
			map_topology_parse(d->into, strlen(d->into), d->joined, &t, d->s.faults),
			ERR_OK);
		sketch_take(&d->s, t);
	} else if (!d->nameless) {
		d->s.provider = "isp";
		sketch_asn(&d->s, 64500);
	}
	sketch_format(format)(&d->s, sources, n, &d->ask);
	d->err = sketch_finish(&d->s, &d->rules, &d->topology, &d->costs);
	drawing_say(&d->said, "WARNING", d->s.warnings);
	drawing_say(&d->said, "FAULT", d->s.faults);
	d->s.sources = NULL;
}

static inline void drawing_done(struct drawing *d)
{
	text_done(&d->topology);
	text_done(&d->costs);
	text_done(&d->said);
	sketch_done(&d->s);
	arena_free(d->joined);
	for (size_t i = 0; i < DRAWN_FILES_MAX; i++)
		free(d->copies[i]);
}

/* Prints what was said when it fails, for the one who reads it. */
static inline void drawing_expect(const struct drawing *d, enum err err)
{
	if (d->err != err)
		print_message("%s\n", d->said.bytes != NULL ? d->said.bytes : "(nothing)");
	assert_int_equal(d->err, err);
}

static inline void drawing_says(const struct drawing *d, const char *part)
{
	if (d->said.bytes == NULL || strstr(d->said.bytes, part) == NULL)
		assert_string_equal(d->said.bytes != NULL ? d->said.bytes : "", part);
}

static inline void drawing_has(const struct drawing *d, const char *part)
{
	if (d->topology.bytes == NULL || strstr(d->topology.bytes, part) == NULL)
		assert_string_equal(d->topology.bytes != NULL ? d->topology.bytes : "", part);
}
