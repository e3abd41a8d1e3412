/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/quality.h"
#include "server/api/samples_parsing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[FIELDS] = {
	[PROVIDER] = "provider",
	[INTERCONNECT] = "interconnect",
	[BIN] = "bin",
	[OUT_BYTES] = "out_bytes",
	[IN_BYTES] = "in_bytes",
	[OBSERVED] = "observed_seconds",
	[QUALITY] = "quality",
	[OUT_PACKETS] = "out_packets",
	[IN_PACKETS] = "in_packets",
	[PORT] = "port",
	[SPEED] = "speed_bps",
	[SECONDS] = "seconds",
	[END] = "end",
	[AT] = "at",
	[OUT_OCTETS] = "out_octets",
	[IN_OCTETS] = "in_octets",
	[COUNTER_BITS] = "counter_bits",
	[SYS_UPTIME] = "sys_uptime",
	[DISCONTINUITY] = "discontinuity_time",
};

enum {
	WHOSE = FIELD(PROVIDER) | FIELD(INTERCONNECT),
	BYTES = FIELD(OUT_BYTES) | FIELD(IN_BYTES),
	PACKETS = FIELD(OUT_PACKETS) | FIELD(IN_PACKETS),
	OF_READINGS = FIELD(AT) | FIELD(OUT_OCTETS) | FIELD(IN_OCTETS),
	OF_PERIODS = FIELD(SECONDS) | FIELD(END),
};

static const struct {
	const char *members;
	uint32_t needs, knows;
} shapes[] = {
	[SAMPLE] = { "a sample has provider, interconnect, bin, out_bytes, in_bytes, "
	             "observed_seconds, quality, out_packets, in_packets",
	             WHOSE | FIELD(BIN) | BYTES, FIELD(OBSERVED) | FIELD(QUALITY) | PACKETS },
	[PERIOD] = { "a period has provider, interconnect, port, start or end, seconds, out_bytes, "
	             "in_bytes, out_packets, in_packets, speed_bps",
	             WHOSE | FIELD(SECONDS) | BYTES,
	             FIELD(BIN) | FIELD(END) | FIELD(PORT) | FIELD(SPEED) | PACKETS },
	[READING] = { "a reading has provider, interconnect, port, at, out_octets, in_octets, "
	              "out_packets, in_packets, counter_bits, sys_uptime, discontinuity_time, "
	              "speed_bps",
	              WHOSE | OF_READINGS,
	              FIELD(PORT) | PACKETS | FIELD(COUNTER_BITS) | FIELD(SYS_UPTIME) |
	                      FIELD(DISCONTINUITY) | FIELD(SPEED) },
};

const char *field_name(enum field f)
{
	return names[f];
}

enum field field_of(const char *name)
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

enum shape shape_of(uint32_t there)
{
	if ((there & OF_READINGS) != 0)
		return READING;
	return (there & OF_PERIODS) != 0 ? PERIOD : SAMPLE;
}

uint32_t shape_needs(enum shape s)
{
	return shapes[s].needs;
}

const char *shape_members(enum shape s)
{
	return shapes[s].members;
}

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

enum err parser_begin(struct parser *p, size_t expected)
{
	p->room = expected > 0 ? expected : 1;
	p->arena = arena_new(1 << 16);
	p->known = table_new(p->rules->n_known);
	p->seen = table_new(expected);
	if (p->arena == NULL || p->known == NULL || p->seen == NULL)
		return ERR_NOMEM;
	return add_known(p);
}

enum err parser_end(struct parser *p, enum err e, struct samples *out)
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
	free(s->readings);
	free(s->places);
	*s = (struct samples){ 0 };
}

void samples_print_place(const struct samples_place *p, char out[static 48])
{
	if (p->array != NULL)
		(void)snprintf(out, 48, "%s/%zu", p->array, p->n);
	else
		(void)snprintf(out, 48, "line %zu", p->n);
}

void wrong(struct parser *p, const struct raw *r, enum field f, const char *kind, const char *text)
{
	char place[48], where[80];
	const bool json = r->place.array != NULL;
	samples_print_place(&r->place, place);
	(void)snprintf(where, sizeof(where), "%s%s%s", place, json ? "/" : "",
	               json ? names[f] : "");
	(void)faults_add(p->faults, ERR_MALFORMED, kind, where, "%s: %s", names[f], text);
}

bool name_is_good(struct parser *p, const struct raw *r, enum field f, char out[static 65])
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
	if (!text_is_utf8(value)) {
		wrong(p, r, f, "malformed", "must be UTF-8");
		return false;
	}
	(void)snprintf(out, 65, "%s", value);
	return true;
}

bool provider_is_good(struct parser *p, const struct raw *r, char out[static 65])
{
	if (!name_is_good(p, r, PROVIDER, out))
		return false;
	if (p->rules->provider == NULL || strcmp(p->rules->provider, out) == 0)
		return true;
	wrong(p, r, PROVIDER, "denied", "this token may not post samples of that provider");
	p->denied = true;
	return false;
}

bool count_is_good(struct parser *p, const struct raw *r, enum field f, uint64_t *out)
{
	if (r->value[f] == NULL) {
		wrong(p, r, f, "missing", "is needed");
		return false;
	}
	if (!text_u64(r->value[f], strlen(r->value[f]), out)) {
		const bool packets = f == OUT_PACKETS || f == IN_PACKETS;
		wrong(p, r, f, "malformed",
		      packets ? "a whole number of packets below 2^64"
		              : "a whole number of bytes below 2^64");
		return false;
	}
	return true;
}

bool packets_are_good(struct parser *p, const struct raw *r, bool *there, uint64_t *out,
                      uint64_t *in)
{
	*there = r->value[OUT_PACKETS] != NULL || r->value[IN_PACKETS] != NULL;
	if (!*there)
		return true;
	const bool good = count_is_good(p, r, OUT_PACKETS, out);
	return count_is_good(p, r, IN_PACKETS, in) && good;
}

bool time_is_good(struct parser *p, const struct raw *r, enum field f, int64_t ahead, int64_t *ms)
{
	const int64_t earliest =
		INT64_C(946684800000); /* 2000-01-01: an older one is a unit mixed up */
	int64_t t;
	if (r->value[f] == NULL) {
		wrong(p, r, f, "missing",
		      f == BIN ? "is needed: when the bin starts" : "is needed");
		return false;
	}
	if (!text_time_ms(r->value[f], &t)) {
		wrong(p, r, f, "malformed",
		      "a time such as 2026-11-21T10:05:00Z (UTC), or seconds since 1970");
		return false;
	}
	if (t < earliest || t > (p->rules->now + ahead) * 1000) {
		wrong(p, r, f, t < earliest ? "out-of-range" : "future",
		      t < earliest ? "is before 2000-01-01"
		      : f == BIN   ? "has not begun yet"
		                   : "is in the future");
		return false;
	}
	*ms = t;
	return true;
}

static bool bin_is_good(struct parser *p, const struct raw *r, int64_t *out)
{
	const int64_t bin_ms = (int64_t)p->rules->bin_seconds * 1000;
	char text[128];
	int64_t ms;
	if (!time_is_good(p, r, BIN, 0, &ms))
		return false;
	if (ms % bin_ms != 0) {
		(void)snprintf(text, sizeof(text),
		               "must be a multiple of %" PRIu32
		               " seconds; a time that is no bin has \"seconds\", too",
		               p->rules->bin_seconds);
		wrong(p, r, BIN, "unaligned", text);
		return false;
	}
	*out = ms / 1000;
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

/* "estimated discontinuity": words of common/balance/quality.h that a poller may know. */
static bool quality_is_good(struct parser *p, const struct raw *r, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned flag;
	} words[] = { { "partial", BIN_PARTIAL },
		      { "estimated", BIN_ESTIMATED },
		      { "discontinuity", BIN_DISCONTINUITY },
		      { "sampled", BIN_SAMPLED } };
	const size_t n = sizeof(words) / sizeof(words[0]);
	const char *at = r->value[QUALITY] != NULL ? r->value[QUALITY] : "";
	for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
		const size_t size = strcspn(at, " ");
		size_t i = 0;
		while (i < n &&
		       (strlen(words[i].word) != size || memcmp(words[i].word, at, size) != 0))
			i++;
		if (i == n) {
			wrong(p, r, QUALITY, "out-of-range",
			      "words of partial, estimated, discontinuity, sampled");
			return false;
		}
		*out |= words[i].flag;
		at += size;
	}
	return true;
}

bool link_is_good(struct parser *p, const struct raw *r, const char *provider, const char *id)
{
	const char *pair = key(p, provider, id, 0);
	uint32_t i;
	if (pair == NULL) {
		p->no_memory = true;
		return false;
	}
	if (table_find(p->known, pair, &i))
		return true;
	wrong(p, r, INTERCONNECT, "unknown-interconnect",
	      "the provider has no interconnect of that name");
	return false;
}

/* Is it the first of its bin? */
static bool is_first(struct parser *p, const struct raw *r, const struct store_bin *row)
{
	const char *whole = key(p, row->provider, row->interconnect, row->start);
	const enum err e =
		whole == NULL ? ERR_NOMEM : table_add(p->seen, whole, (uint32_t)p->found.n, NULL);
	p->no_memory |= e == ERR_NOMEM;
	if (e == ERR_EXISTS)
		wrong(p, r, BIN, "duplicate", "this bin of this interconnect is here twice");
	return e == ERR_OK;
}

static void add_sample(struct parser *p, const struct raw *r)
{
	struct store_bin row = { .seconds = p->rules->bin_seconds };
	bool good = provider_is_good(p, r, row.provider);
	good &= name_is_good(p, r, INTERCONNECT, row.interconnect);
	good &= bin_is_good(p, r, &row.start);
	good &= count_is_good(p, r, OUT_BYTES, &row.out_bytes);
	good &= count_is_good(p, r, IN_BYTES, &row.in_bytes);
	good &= observed_is_good(p, r, &row.observed_seconds);
	good &= quality_is_good(p, r, &row.quality);
	good &= packets_are_good(p, r, &row.measured_packets, &row.out_packets, &row.in_packets);
	if (!good || !link_is_good(p, r, row.provider, row.interconnect) || !is_first(p, r, &row))
		return;
	if (p->found.rows == NULL)
		p->found.rows = calloc(p->room, sizeof(*p->found.rows));
	p->no_memory |= p->found.rows == NULL;
	must(p->found.n < p->room);
	if (!p->no_memory)
		p->found.rows[p->found.n++] = row;
}

void parser_add(struct parser *p, const struct raw *r)
{
	uint32_t there = 0;
	for (unsigned f = 0; f < FIELDS; f++)
		there |= r->value[f] != NULL ? FIELD(f) : 0;
	const enum shape shape = shape_of(there);
	const uint32_t strange = there & ~(shapes[shape].needs | shapes[shape].knows);
	for (unsigned f = 0; f < FIELDS; f++)
		if ((strange & FIELD(f)) != 0)
			wrong(p, r, f, "unknown-key", shapes[shape].members);
	if (strange == 0 && shape == SAMPLE)
		add_sample(p, r);
	else if (strange == 0)
		add_reading(p, r, shape);
}
