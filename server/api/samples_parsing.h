/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the parts of the samples' parser share: samples.c checks a row whatever it was written as,
 * samples_reading.c those that are readings or periods, samples_json.c and samples_csv.c split what came
 * into rows.
 */

#include "common/base/arena.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "server/api/samples.h"

enum field {
	PROVIDER,
	INTERCONNECT,
	BIN,
	OUT_BYTES,
	IN_BYTES,
	OBSERVED,
	QUALITY,
	OUT_PACKETS,
	IN_PACKETS,
	PORT,
	SPEED,
	SECONDS, /* periods */
	END,
	AT, /* readings */
	OUT_OCTETS,
	IN_OCTETS,
	COUNTER_BITS,
	SYS_UPTIME,
	DISCONTINUITY,
	FIELDS,
	UNKNOWN
};

enum shape { SAMPLE, PERIOD, READING };

#define FIELD(f) (1U << (f))

/* One row before anything is believed: what each field said (NULL: nothing), and where it stood. */
struct raw {
	const char *value[FIELDS];
	char number[FIELDS][32]; /* the digits of a JSON number */
	struct samples_place place;
};

struct parser {
	const struct samples_rules *rules;
	struct faults *faults;
	struct arena *arena;  /* the tables' keys */
	struct table *known;  /* provider, interconnect */
	struct table *seen;   /* provider, interconnect, bin */
	struct samples found; /* room for `room` of each */
	size_t room;
	bool no_memory, denied;
};

const char *field_name(enum field f);
enum field field_of(const char *name); /* UNKNOWN */
/* Bits of the fields, of a row that has `there`. */
enum shape shape_of(uint32_t there);
uint32_t shape_needs(enum shape s);
const char *shape_members(enum shape s); /* "a sample has provider, ..." */

enum err parser_begin(struct parser *p, size_t expected) must_check;
enum err parser_end(struct parser *p, enum err e, struct samples *out) must_check;
void parser_add(struct parser *p, const struct raw *r);

/* samples_reading.c: also a period. */
void add_reading(struct parser *p, const struct raw *r, enum shape shape);

/* A fault of one field: a pointer names it in JSON; in CSV the line does, and the text the column. */
void wrong(struct parser *p, const struct raw *r, enum field f, const char *kind, const char *text);
/* Checks of one field; false: said why. */
bool provider_is_good(struct parser *p, const struct raw *r, char out[static 65]);
bool name_is_good(struct parser *p, const struct raw *r, enum field f, char out[static 65]);
bool count_is_good(struct parser *p, const struct raw *r, enum field f, uint64_t *out);
/* Both or neither. */
bool packets_are_good(struct parser *p, const struct raw *r, bool *there, uint64_t *out,
                      uint64_t *in);
/* Seconds or milliseconds; none before 2000, none more than `ahead` seconds from now. */
bool time_is_good(struct parser *p, const struct raw *r, enum field f, int64_t ahead, int64_t *ms);
bool link_is_good(struct parser *p, const struct raw *r, const char *provider, const char *id);
