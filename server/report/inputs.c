/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/inputs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_NAME "p4p-statement-inputs/"
static const char format[] = FORMAT_NAME INPUTS_FORMAT;

/* ---- writing ---- */

static void write_bin(const struct store_metered *row, struct text *out)
{
	text_printf(out, "bin %" PRIu32 " %" PRId64 " %" PRIu64 " %" PRIu64, row->which, row->start,
	            row->out_bytes, row->in_bytes);
	if (row->measured_p2p)
		text_printf(out, " %" PRIu64 " %" PRIu64, row->out_p2p_bytes, row->in_p2p_bytes);
	else
		text_put(out, " - -");
	text_printf(out, " %" PRIu32 " %u\n", row->observed_seconds, row->quality);
}

enum err inputs_write(const struct contract_case *c, const struct store_agreement *about,
                      struct text *out)
{
	const struct metering *m = &c->metering;
	text_printf(out, "%s\nprovider %s\ncontract %s %" PRIu64 " %s\n", format,
	            c->terms->provider, c->terms->id, about->version, about->sha256);
	text_printf(out, "period %" PRId64 " %" PRId64 " %" PRIu32 "\n", m->from, m->to,
	            m->bin_seconds);
	text_printf(out, "source %s\n", m->has_source ? metering_source(m->source) : "none");
	for (size_t i = 0; i < m->n; i++)
		text_printf(out, "interconnect %s %u %" PRIu64 "\n",
		            c->terms->interconnects.name[i], m->series[i].set,
		            m->series[i].capacity_bytes);
	for (size_t i = 0; i < m->n_rows; i++)
		write_bin(&m->rows[i], out);
	text_printf(out, "document %zu\n", about->size);
	text_add(out, about->document, about->size);
	return out->bad ? ERR_NOMEM : ERR_OK;
}

/* ---- reading ---- */

enum { WORDS_MAX = 9, WORD_SIZE = 80 };

struct reader {
	const char *at, *end;
	size_t line;
	char word[WORDS_MAX][WORD_SIZE];
	size_t n; /* words */
	struct fault *fault;
};

static enum err malformed(const struct reader *r, const char *what)
{
	char where[32];
	(void)snprintf(where, sizeof(where), "line %zu", r->line);
	return fault_set(r->fault, ERR_MALFORMED, where, "%s", what);
}

/* The next line in words. False: there is none that could be one of ours. */
static bool next_line(struct reader *r)
{
	const char *stop = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
	r->line++;
	r->n = 0;
	if (stop == NULL)
		return false;
	const char *p = r->at;
	for (; p <= stop && r->n < WORDS_MAX; r->n++) {
		const char *blank = memchr(p, ' ', (size_t)(stop - p));
		const size_t size = (size_t)((blank != NULL ? blank : stop) - p);
		if (size == 0 || size >= WORD_SIZE)
			return false;
		memcpy(r->word[r->n], p, size);
		r->word[r->n][size] = '\0';
		p += size + 1;
	}
	r->at = stop + 1;
	return p > stop; /* no more words than any line of ours has */
}

static bool is_line(const struct reader *r, const char *first, size_t words)
{
	return r->n == words && strcmp(r->word[0], first) == 0;
}

static bool number(const struct reader *r, size_t word, uint64_t max, uint64_t *out)
{
	return text_u64(r->word[word], strlen(r->word[word]), out) && *out <= max;
}

static bool read_head(struct reader *r, struct metering *m, uint64_t *version, char sha256[65])
{
	uint64_t from, to, seconds;
	if (!next_line(r) || !is_line(r, format, 1) || !next_line(r) || !is_line(r, "provider", 2))
		return false;
	(void)snprintf(m->provider, sizeof(m->provider), "%.64s", r->word[1]);
	if (!next_line(r) || !is_line(r, "contract", 4) || !number(r, 2, UINT64_MAX, version) ||
	    strlen(r->word[3]) != 64)
		return false;
	memcpy(sha256, r->word[3], 65);
	if (!next_line(r) || !is_line(r, "period", 4) || !number(r, 1, INT64_MAX, &from) ||
	    !number(r, 2, INT64_MAX, &to) || !number(r, 3, 86400, &seconds) || seconds == 0 ||
	    to <= from || (to - from) % seconds != 0 || to - from > 40U * 86400U)
		return false;
	m->from = (int64_t)from;
	m->to = (int64_t)to;
	m->bin_seconds = (uint32_t)seconds;
	m->bins = m->closed = (size_t)((to - from) / seconds);
	return true;
}

static bool read_source(struct reader *r, struct metering *m)
{
	if (!next_line(r) || !is_line(r, "source", 2))
		return false;
	for (enum store_source k = STORE_ANNOUNCE; k <= STORE_COUNTER; k++) {
		if (strcmp(r->word[1], metering_source(k)) != 0)
			continue;
		m->has_source = true;
		m->source = k;
	}
	return m->has_source || strcmp(r->word[1], "none") == 0;
}

/* What the lines of interconnects say: applied once the series are there. */
struct lines {
	uint64_t set[TERMS_NAMES_MAX], capacity[TERMS_NAMES_MAX];
	size_t n;
};

/* Stops at the first line that is something else, which is then the current one. */
static bool read_interconnects(struct reader *r, struct lines *l)
{
	while (next_line(r)) {
		if (strcmp(r->word[0], "interconnect") != 0)
			return l->n > 0;
		if (r->n != 4 || l->n == TERMS_NAMES_MAX ||
		    !number(r, 2, TERMS_NAMES_MAX, &l->set[l->n]) ||
		    !number(r, 3, UINT64_MAX, &l->capacity[l->n]))
			return false;
		l->n++;
	}
	return false;
}

static bool parse_bin(const struct reader *r, struct store_metered *row)
{
	uint64_t which, start, seconds, quality;
	if (!is_line(r, "bin", 9) || !number(r, 1, TERMS_NAMES_MAX, &which) ||
	    !number(r, 2, INT64_MAX, &start) || !number(r, 3, UINT64_MAX, &row->out_bytes) ||
	    !number(r, 4, UINT64_MAX, &row->in_bytes) || !number(r, 7, UINT32_MAX, &seconds) ||
	    !number(r, 8, UINT16_MAX, &quality))
		return false;
	row->which = (uint32_t)which;
	row->start = (int64_t)start;
	row->observed_seconds = (uint32_t)seconds;
	row->quality = (unsigned)quality;
	row->measured_p2p = strcmp(r->word[5], "-") != 0;
	if (!row->measured_p2p)
		return strcmp(r->word[6], "-") == 0;
	return number(r, 5, UINT64_MAX, &row->out_p2p_bytes) &&
	       number(r, 6, UINT64_MAX, &row->in_p2p_bytes);
}

/* From the current line on, up to that of the document. */
static enum err read_bins(struct reader *r, struct metering *m)
{
	size_t room = 0;
	while (strcmp(r->word[0], "bin") == 0) {
		if (m->n_rows == room) {
			room = room == 0 ? 8192 : 2 * room;
			struct store_metered *more = realloc(m->rows, room * sizeof(*more));
			if (more == NULL)
				return ERR_NOMEM;
			m->rows = more;
		}
		struct store_metered *row = &m->rows[m->n_rows];
		*row = (struct store_metered){ 0 };
		if (!parse_bin(r, row) || row->which >= m->n)
			return malformed(r, "is no line of a bin");
		m->n_rows++;
		if (!next_line(r))
			return malformed(r, "the document is missing");
	}
	return ERR_OK;
}

static enum err read_document(struct reader *r, struct contract_case *c)
{
	uint64_t size;
	if (!is_line(r, "document", 2) || !number(r, 1, TERMS_BYTES_MAX, &size) ||
	    size != (uint64_t)(r->end - r->at))
		return malformed(r, "is no line of the document, or not of this length");
	struct faults *faults = faults_new();
	const enum err e = faults == NULL ? ERR_NOMEM
	                                  : terms_contract_parse(r->at, (size_t)size, c->arena,
	                                                         &c->terms, faults);
	if (e == ERR_MALFORMED)
		*r->fault = faults->list[0];
	faults_free(faults);
	return e;
}

static enum err read_all(struct reader *r, struct contract_case *c, uint64_t *version,
                         char sha256[65])
{
	struct metering *m = &c->metering;
	struct lines l = { .n = 0 };
	if (!read_head(r, m, version, sha256) || !read_source(r, m) || !read_interconnects(r, &l))
		return malformed(r, "is not what stands here in the inputs of a statement");
	m->n = l.n;
	enum err e = read_bins(r, m);
	if (e == ERR_OK)
		e = read_document(r, c);
	if (e == ERR_OK && c->terms->interconnects.n != m->n)
		e = malformed(r, "the document has other interconnects");
	if (e == ERR_OK)
		e = metering_arrange(m);
	if (e == ERR_RANGE)
		e = malformed(r, "a bin is outside the period");
	for (size_t i = 0; e == ERR_OK && i < m->n; i++) {
		m->series[i].set = (unsigned)l.set[i];
		m->series[i].capacity_bytes = l.capacity[i];
	}
	return e;
}

bool inputs_of_other_format(const char *bytes, size_t size, char number[static INPUTS_FORMAT_SIZE])
{
	struct fault none;
	struct reader r = { .at = bytes, .end = bytes + size, .fault = &none };
	const size_t n = sizeof(FORMAT_NAME) - 1;
	if (!next_line(&r) || r.n != 1 || strncmp(r.word[0], FORMAT_NAME, n) != 0)
		return false;
	const char *said = r.word[0] + n;
	const size_t digits = strlen(said);
	if (strcmp(said, INPUTS_FORMAT) == 0 || digits == 0 || digits >= INPUTS_FORMAT_SIZE ||
	    strspn(said, "0123456789") != digits)
		return false;
	memcpy(number, said, digits + 1);
	return true;
}

enum err inputs_read(const char *bytes, size_t size, struct contract_case *out, uint64_t *version,
                     char sha256[static 65], struct fault *fault)
{
	struct contract_case c = { .arena = arena_new(TERMS_ARENA) };
	struct reader r = { .at = bytes, .end = bytes + size, .fault = fault };
	const enum err e = c.arena == NULL ? ERR_NOMEM : read_all(&r, &c, version, sha256);
	if (e != ERR_OK) {
		contract_case_done(&c);
		return e;
	}
	c.period = (struct store_period){ c.metering.from, c.metering.to };
	*out = c;
	return ERR_OK;
}
