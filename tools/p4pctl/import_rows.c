/* SPDX-License-Identifier: Apache-2.0 */
/* Formats with a row for each reading: LibreNMS, Kentik, our own CSV. */
#include "common/base/csv.h"
#include "tools/p4pctl/import_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

__extension__ typedef unsigned __int128 wide;

enum column {
	C_PORT,
	C_DEVICE,
	C_AT,
	C_START,
	C_SECONDS,
	C_OUT,
	C_IN,
	C_OUT_PACKETS,
	C_IN_PACKETS,
	C_BITS,
	C_UPTIME,
	C_JUMP,
	C_SPEED,
	COLUMNS
};

struct reader {
	enum import_format format;
	struct csv csv;
	struct import_file *file;
	struct faults *faults;
	int at[COLUMNS]; /* which column of the file; -1: none */
	const char *name[COLUMNS];
	uint64_t scale[COLUMNS]; /* bits in a second of a rate's unit */
	bool counters;           /* octets, not deltas */
	uint32_t line;           /* of the row that is read */
	bool said_zone;
};

/* ---- which column is what ---- */

struct known {
	const char *name;
	enum column column;
};

static const struct known librenms[] = { { "bill_id", C_PORT },   { "timestamp", C_AT },
	                                 { "period", C_SECONDS }, { "in_delta", C_IN },
	                                 { "out_delta", C_OUT },  { NULL, COLUMNS } };
static const struct known own[] = {
	{ "port", C_PORT },
	{ "at", C_AT },
	{ "end", C_AT },
	{ "start", C_START },
	{ "seconds", C_SECONDS },
	{ "out_octets", C_OUT },
	{ "in_octets", C_IN },
	{ "out_bytes", C_OUT },
	{ "in_bytes", C_IN },
	{ "out_packets", C_OUT_PACKETS },
	{ "in_packets", C_IN_PACKETS },
	{ "counter_bits", C_BITS },
	{ "sys_uptime", C_UPTIME },
	{ "discontinuity_time", C_JUMP },
	{ "speed_bps", C_SPEED },
	{ NULL, COLUMNS },
};

/* The word `word` in `head`, whatever its case and what is around it that is no letter. */
static bool says(const char *head, const char *word)
{
	const size_t size = strlen(word);
	for (const char *s = head; *s != '\0'; s++)
		if (strncasecmp(s, word, size) == 0 &&
		    (s == head || !isalpha((unsigned char)s[-1])) &&
		    !isalpha((unsigned char)s[size]))
			return true;
	return false;
}

static bool says_one(const char *head, const char *const *words)
{
	while (*words != NULL && !says(head, *words))
		words++;
	return *words != NULL;
}

/* Bits in a second of the unit that a header names; 0: none. */
static uint64_t unit_of(const char *head)
{
	static const struct {
		const char *const words[7];
		uint64_t scale;
	} units[] = {
		{ { "gbps", "gbit/s", "gbits/s", "gb/s", NULL }, 1000000000 },
		{ { "mbps", "mbit/s", "mbits/s", "mb/s", NULL }, 1000000 },
		{ { "kbps", "kbit/s", "kbits/s", "kb/s", NULL }, 1000 },
		{ { "bps", "bit/s", "bits/s", "b/s", "bits_per_second", NULL }, 1 },
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (says_one(head, units[i].words))
			return units[i].scale;
	return 0;
}

static enum column kentik_column(const char *head)
{
	static const char *const times[] = { "time", "timestamp", "date", "datetime", NULL };
	static const char *const ins[] = { "in", "inbound", "ingress", NULL };
	static const char *const outs[] = { "out", "outbound", "egress", NULL };
	const bool rate = unit_of(head) > 0;
	if (rate && says_one(head, ins))
		return C_IN;
	if (rate && says_one(head, outs))
		return C_OUT;
	if (!rate && says_one(head, times))
		return C_START;
	return says(head, "device") ? C_DEVICE : says(head, "interface") ? C_PORT : COLUMNS;
}

static enum column column_of(const struct reader *r, const char *head)
{
	if (r->format == IMPORT_KENTIK)
		return kentik_column(head);
	const struct known *k = r->format == IMPORT_LIBRENMS ? librenms : own;
	while (k->name != NULL && strcmp(k->name, head) != 0)
		k++;
	return k->column;
}

static void need(struct reader *r, enum column c, const char *what)
{
	if (r->at[c] < 0)
		(void)faults_add(r->faults, ERR_MALFORMED, "missing", "line 1",
		                 "the header row has no column %s", what);
}

static void check_columns(struct reader *r)
{
	static const char *const rate[COLUMNS] = {
		[C_OUT] =
			"that says \"out\", \"outbound\" or \"egress\" and a unit such as Mbits/s",
		[C_IN] = "that says \"in\", \"inbound\" or \"ingress\" and a unit such as Mbits/s",
	};
	const bool kentik = r->format == IMPORT_KENTIK;
	need(r, C_OUT,
	     kentik                    ? rate[C_OUT]
	     : r->format == IMPORT_CSV ? "out_octets or out_bytes"
	                               : "out_delta");
	need(r, C_IN,
	     kentik                    ? rate[C_IN]
	     : r->format == IMPORT_CSV ? "in_octets or in_bytes"
	                               : "in_delta");
	if (kentik)
		need(r, C_START, "for the time");
	else if (r->at[C_START] < 0)
		need(r, C_AT, r->format == IMPORT_CSV ? "at, start or end" : "timestamp");
	if (!kentik && !r->counters)
		need(r, C_SECONDS, r->format == IMPORT_CSV ? "seconds" : "period");
}

static void read_header(struct reader *r)
{
	for (unsigned c = 0; c < COLUMNS; c++)
		r->at[c] = -1;
	if (r->csv.at == r->csv.end || !csv_row(&r->csv)) {
		(void)faults_add(r->faults, ERR_MALFORMED, "malformed", "line 1",
		                 "no header row: nothing, an open quote, or too many columns");
		return;
	}
	for (size_t i = 0; i < r->csv.n; i++) {
		const enum column c = column_of(r, r->csv.field[i]);
		if (c == COLUMNS)
			continue; /* tables have more columns than concern us */
		if (r->at[c] >= 0)
			(void)faults_add(r->faults, ERR_MALFORMED, "duplicate", "line 1",
			                 "\"%.64s\" and another column say the same",
			                 r->csv.field[i]);
		r->at[c] = (int)i;
		r->scale[c] = unit_of(r->csv.field[i]);
		r->counters |= strcmp(r->csv.field[i], "out_octets") == 0;
	}
	check_columns(r);
}

/* ---- what a row says ---- */

static const char *value_of(const struct reader *r, enum column c)
{
	return r->at[c] < 0 ? "" : r->csv.field[r->at[c]];
}

static bool wrong(struct reader *r, const char *value, const char *want)
{
	char where[32];
	(void)snprintf(where, sizeof(where), "line %" PRIu32, r->line);
	(void)faults_add(r->faults, ERR_MALFORMED, "malformed", where, "\"%.40s\" is not %s", value,
	                 want);
	return false;
}

static void note(struct reader *r, const char *text)
{
	text_printf(&r->file->notes, "line %" PRIu32 ": %s\n", r->line, text);
}

/* As text_time_ms(), and as MySQL writes a DATETIME, which says no zone. */
static bool read_time(struct reader *r, enum column c, int64_t *ms)
{
	const char *value = value_of(r, c);
	struct tm tm = { 0 };
	if (text_time_ms(value, ms))
		return true;
	const char *end = strptime(value, "%Y-%m-%d %H:%M:%S", &tm);
	if (end == NULL || (*end != '\0' && strcmp(end, " UTC") != 0))
		return wrong(r, value,
		             "a time: seconds since 1970, 2026-11-21T10:05:00Z, or 2026-11-21 "
		             "10:05:00 in UTC");
	if (*end == '\0' && !r->said_zone)
		note(r, "times have no zone, and are taken as UTC");
	r->said_zone |= *end == '\0';
	*ms = (int64_t)timegm(&tm) * 1000;
	return true;
}

static bool read_number(struct reader *r, enum column c, uint64_t max, uint64_t *out)
{
	const char *value = value_of(r, c);
	if (text_u64(value, strlen(value), out) && *out <= max)
		return true;
	return wrong(r, value, "a whole number of that size");
}

/* The same where there may be none. */
static bool read_some(struct reader *r, enum column c, uint64_t max, bool *there, uint64_t *out)
{
	*there = value_of(r, c)[0] != '\0';
	*out = 0;
	return !*there || read_number(r, c, max, out);
}

/* Bytes in `seconds` at a rate with up to nine decimal places, rounded half up. */
static bool read_rate(struct reader *r, enum column c, uint64_t seconds, uint64_t *bytes)
{
	const char *value = value_of(r, c);
	const size_t whole = strspn(value, "0123456789");
	const size_t places = value[whole] == '.' ? strspn(value + whole + 1, "0123456789") : 0;
	uint64_t n = 0;
	if (value[whole + (value[whole] == '.' ? 1 + places : 0)] != '\0' || places > 9 ||
	    !text_u64(value, whole, &n) || n > 1000000000000)
		return wrong(r, value, "a rate with up to nine decimal places");
	wide nano = n;
	for (size_t i = 0; i < 9; i++)
		nano = nano * 10 + (i < places ? (unsigned)(value[whole + 1 + i] - '0') : 0);
	const wide per = (wide)8 * 1000000000;
	*bytes = (uint64_t)((nano * r->scale[c] * seconds + per / 2) / per);
	return true;
}

static void print_port(const struct reader *r, char out[static 256])
{
	const char *port = value_of(r, C_PORT), *device = value_of(r, C_DEVICE);
	if (r->format == IMPORT_LIBRENMS && *port != '\0')
		(void)snprintf(out, 256, "bill %s", port);
	else if (*device != '\0' && *port != '\0')
		(void)snprintf(out, 256, "%s/%s", device, port);
	else
		(void)snprintf(out, 256, "%s",
		               *port != '\0'     ? port
		               : *device != '\0' ? device
		                                 : "-");
}

static bool read_extras(struct reader *r, struct counter_reading *c)
{
	uint64_t bits, uptime, jump, out, in;
	bool there, both;
	if (!read_some(r, C_BITS, 64, &there, &bits) ||
	    !read_some(r, C_UPTIME, UINT32_MAX, &c->has_uptime, &uptime) ||
	    !read_some(r, C_JUMP, UINT32_MAX, &c->has_discontinuity, &jump) ||
	    !read_some(r, C_SPEED, UINT64_MAX, &there, &c->speed_bps) ||
	    !read_some(r, C_OUT_PACKETS, UINT64_MAX, &c->has_packets, &out) ||
	    !read_some(r, C_IN_PACKETS, UINT64_MAX, &both, &in))
		return false;
	if (bits != 0 && bits != 32 && bits != 53 && bits != 64)
		return wrong(r, value_of(r, C_BITS), "32, 53 or 64");
	c->bits = (uint8_t)bits;
	c->uptime = (uint32_t)uptime;
	c->discontinuity = (uint32_t)jump;
	c->has_packets &= both;
	c->packets[COUNTER_OUT] = out;
	c->packets[COUNTER_IN] = in;
	return true;
}

static bool read_amounts(struct reader *r, struct counter_reading *c)
{
	enum { KENTIK = 300 };
	uint64_t seconds = KENTIK;
	const enum column when = r->at[C_START] >= 0 ? C_START : C_AT;
	if (!read_time(r, when, &c->at_ms))
		return false;
	if (r->format == IMPORT_KENTIK) {
		if (!read_rate(r, C_OUT, seconds, &c->octets[COUNTER_OUT]) ||
		    !read_rate(r, C_IN, seconds, &c->octets[COUNTER_IN]))
			return false;
	} else if (!read_number(r, C_OUT, UINT64_MAX, &c->octets[COUNTER_OUT]) ||
	           !read_number(r, C_IN, UINT64_MAX, &c->octets[COUNTER_IN]) ||
	           (!r->counters && !read_number(r, C_SECONDS, UINT32_MAX / 1000, &seconds))) {
		return false;
	}
	if (!r->counters)
		c->period_ms = (uint32_t)seconds * 1000;
	if (when == C_START)
		c->at_ms += c->period_ms;
	return read_extras(r, c);
}

static enum err read_line(struct reader *r)
{
	struct counter_reading c = { 0 };
	char port[256];
	if (r->csv.n == 1 && r->csv.field[0][0] == '\0')
		return ERR_OK; /* an empty line */
	for (unsigned i = 0; i < COLUMNS; i++)
		if (r->at[i] >= (int)r->csv.n) {
			(void)wrong(r, r->csv.field[0], "the begin of a row as long as the header");
			return ERR_OK;
		}
	if (!read_amounts(r, &c))
		return ERR_OK;
	if (!r->counters && c.period_ms == 0) {
		note(r, "a period of 0 seconds says nothing; left out");
		return ERR_OK;
	}
	print_port(r, port);
	return import_add(r->file, port, r->line, &c);
}

enum err import_rows(enum import_format format, char *text, size_t size, struct import_file *f,
                     struct faults *faults)
{
	struct reader r = { .format = format, .file = f, .faults = faults };
	const size_t head = strcspn(text, "\r\n");
	const char separator = memchr(text, '\t', head) != NULL ? '\t' : ',';
	if (!csv_begin(&r.csv, text, size, separator))
		return faults_add(faults, ERR_MALFORMED, "malformed", "line 1",
		                  "there is a NUL byte in it");
	read_header(&r);
	enum err e = faults->count > 0 ? ERR_MALFORMED : ERR_OK;
	while (e == ERR_OK && r.csv.at < r.csv.end) {
		r.line = (uint32_t)r.csv.line;
		if (csv_row(&r.csv)) {
			e = read_line(&r);
		} else {
			(void)wrong(&r, r.csv.field[0], "the begin of a row whose quotes close");
			break;
		}
	}
	return e;
}
