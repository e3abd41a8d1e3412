/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A sketch: a topology (and perhaps costs) that is being made of what other tools wrote.
 *
 * A format's reader (format.h) adds what it finds, straight down; what is wrong with a file becomes a
 * fault, what the reader assumed or left out a warning, both with the file and the line. Out of memory
 * makes a sketch `full`, and it stays so: nobody needs to ask before sketch_finish().
 *
 * Nothing is invented: what a format does not know stays unsaid in the document, and sketch_finish() says
 * so in a warning.
 *
 * Ownership: sketch_done() frees; names that are given are copied. Threading: one thread.
 */

#include "common/base/arena.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/map/document.h"

/* A file to read. The reader may change the text; there is a NUL behind it. */
struct sketch_source {
	const char *name;
	char *text;
	size_t size;
};

/* Where something was said. */
struct sketch_origin {
	uint32_t source; /* of sketch.sources, from 1; 0: in no file */
	uint32_t line;   /* 0: of a file without lines */
};

struct sketch_prefix {
	struct ip_prefix prefix;
	uint32_t pid;
	struct sketch_origin from;
};

struct sketch {
	struct arena *arena;
	struct faults *faults, *warnings;
	bool full;
	bool each_once; /* a prefix that the files give twice is a fault even in one PID */
	const struct sketch_source *sources; /* borrowed; for the names */
	size_t n_sources;

	const char *provider; /* NULL: not known yet */
	uint32_t *asns;
	size_t n_asns, asns_room;
	struct map_pid *pids;              /* without their prefixes, which are all in `prefixes` */
	struct sketch_origin *pid_origins; /* nowhere, but where a reader sets it */
	size_t n_pids, pids_room;
	struct sketch_prefix *prefixes;
	size_t n_prefixes, prefixes_room;
	struct map_link *links;
	struct sketch_origin *link_origins;
	size_t n_links, links_room;
	struct map_interconnect *interconnects;
	struct sketch_origin *interconnect_origins;
	size_t n_interconnects, interconnects_room;
	struct map_pid_cost *pid_costs;
	size_t n_pid_costs, pid_costs_room;
	struct map_interconnect_cost *interconnect_costs;
	size_t n_interconnect_costs, interconnect_costs_room;

	struct table *pid_numbers, *interconnect_numbers;
	struct map_link spare_link; /* handed out when the sketch is full */
	struct map_interconnect spare_interconnect;
};

enum err sketch_init(struct sketch *s, const struct sketch_source *sources,
                     size_t n_sources) must_check; /* ERR_NOMEM; sketch_done() it either way */
void sketch_done(struct sketch *s);

/* All of a topology that was parsed and is right, to add to. Its names must outlive the sketch. */
void sketch_take(struct sketch *s, const struct map_topology *t);

/* A copy that lives as long as the sketch; "" when it is full. */
const char *sketch_string(struct sketch *s, const char *text);

#define SKETCH_NONE UINT32_MAX

void sketch_asn(struct sketch *s, uint32_t asn); /* once, however often it is added */
bool sketch_has_asn(const struct sketch *s, uint32_t asn);
uint32_t sketch_pid(struct sketch *s,
                    const char *name); /* its number; a new PID when there is none */
uint32_t sketch_find_pid(const struct sketch *s, const char *name); /* SKETCH_NONE: there is none */
void sketch_prefix(struct sketch *s, uint32_t pid, const struct ip_prefix *prefix,
                   struct sketch_origin from);

/* Zeroed, with its id and weight 1; the caller fills it. Valid until the next one is added; never NULL. */
struct map_link *sketch_link(struct sketch *s, const char *id, struct sketch_origin from);
/* The same; an id that is taken gets a number ("fra-2"). */
struct map_interconnect *sketch_interconnect(struct sketch *s, const char *id,
                                             struct sketch_origin from);
bool sketch_has_interconnect(const struct sketch *s, const char *id);
void sketch_pid_cost(struct sketch *s, const char *from, const char *to, uint32_t cost);
void sketch_interconnect_cost(struct sketch *s, const char *id, uint32_t out, uint32_t in);

/*
 * A name that a document may have (RFC 7285, 10.1) of any text: letters lose case and accents, what
 * is neither letter nor digit becomes one '-', other scripts their code points ("u6771"), and what is too
 * long ends with a hash of the whole. "x" when nothing is left.
 */
void sketch_name(const char *text, char out[static MAP_NAME_MAX + 1]);

void sketch_fault(struct sketch *s, struct sketch_origin from, const char *kind, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));
void sketch_warn(struct sketch *s, struct sketch_origin from, const char *kind, const char *fmt,
                 ...) __attribute__((format(printf, 4, 5)));

struct sketch_rules {
	bool minimize; /* merge adjacent prefixes, drop covered ones */
	bool settled;  /* no import: what it does not say was not forgotten */
	bool lab;      /* private and loopback prefixes are allowed */
};

/*
 * Makes the documents and runs the server's own parser and checks over them. A fault of theirs is told
 * with the line that the thing came from. *topology and *costs (empty when there are none) are to be
 * text_done(). ERR_MALFORMED: see s->faults; ERR_NOMEM. The sketch is good for nothing but sketch_done()
 * afterwards.
 */
enum err sketch_finish(struct sketch *s, const struct sketch_rules *rules, struct text *topology,
                       struct text *costs) must_check;
