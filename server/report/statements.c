/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/statements.h"

#include "server/report/inputs.h"
#include "server/report/reckoning.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { DAY = 86400, DUE_HOUR = 4 * 3600 };

bool statement_instant(const char *period, int64_t *out)
{
	char instant[32];
	if (strlen(period) != 7 || period[4] != '-')
		return false;
	/* Every cycle day has come by then, east and west of Greenwich. */
	(void)snprintf(instant, sizeof(instant), "%s-28T12:00:00Z", period);
	return text_time(instant, out);
}

/* The month that a period begins in by the clock of its zone: of UTC's two it is the one whose instant lies
 * in the period. */
static void name_period(const struct store_period *period, char out[static 8])
{
	char printed[24];
	int64_t instant;
	for (int64_t late = 0; late <= DAY; late += DAY) {
		text_time_print(period->from + late, printed);
		(void)snprintf(out, 8, "%.7s", printed);
		if (statement_instant(out, &instant) && instant >= period->from &&
		    instant < period->to)
			return;
	}
}

static void hash(const char *bytes, size_t size, char out[static 65])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	(void)crypto_hash_sha256(digest, (const unsigned char *)bytes, size);
	text_hex(digest, sizeof(digest), out);
}

/* ---- freezing ---- */

/* The texts of a statement while it is made. */
struct texts {
	struct text inputs, json, csv, html;
};

static void texts_done(struct texts *t)
{
	text_done(&t->inputs);
	text_done(&t->json);
	text_done(&t->csv);
	text_done(&t->html);
}

static enum err figures_of(const struct contract_case *c, uint64_t version, const char *sha256,
                           struct sheet *sheet)
{
	const struct reckoning_ask ask = {
		.terms = c->terms, .version = version, .sha256 = sha256, .metering = &c->metering
	};
	return reckon(&ask, sheet);
}

static enum err write_period(struct store *s, const struct contract_case *c, struct text *html)
{
	const char *zone = c->terms->contract.time_zone;
	char from[STORE_CLOCK_SIZE], to[STORE_CLOCK_SIZE];
	enum err e = store_clock(s, zone, c->metering.from, from);
	if (e == ERR_OK)
		e = store_clock(s, zone, c->metering.to, to);
	if (e == ERR_OK)
		statement_html_period(from, to, zone, html);
	return e;
}

static enum err write_texts(struct store *s, const struct contract_case *c,
                            const struct store_agreement *about, struct texts *t)
{
	struct sheet sheet = { 0 };
	enum err e = inputs_write(c, about, &t->inputs);
	if (e == ERR_OK)
		e = write_period(s, c, &t->html);
	if (e == ERR_OK)
		e = figures_of(c, about->version, about->sha256, &sheet);
	if (e == ERR_OK) {
		sheet_json(&sheet, &t->json);
		sheet_csv(&sheet, "", &t->csv);
		sheet_html(&sheet, &t->html);
	}
	sheet_done(&sheet);
	return e == ERR_OK && (t->json.bad || t->csv.bad || t->html.bad) ? ERR_NOMEM : e;
}

static enum err keep(struct store *s, const struct report_options *o,
                     const struct statement_order *order, const struct contract_case *c,
                     const struct store_agreement *about, uint64_t *id)
{
	struct texts t = { 0 };
	struct store_statement st = { .contract_version = about->version,
		                      .from = c->metering.from,
		                      .to = c->metering.to };
	enum err e = write_texts(s, c, about, &t);
	if (e == ERR_OK) {
		(void)snprintf(st.provider, sizeof(st.provider), "%s", order->provider);
		(void)snprintf(st.contract, sizeof(st.contract), "%s", order->contract);
		(void)snprintf(st.author, sizeof(st.author), "%s", order->author);
		(void)snprintf(st.software, sizeof(st.software), "%s", o->software);
		name_period(&c->period, st.period);
		hash(t.inputs.bytes, t.inputs.size, st.inputs_sha256);
		st.inputs = t.inputs.bytes;
		st.inputs_size = t.inputs.size;
		st.json = t.json.bytes;
		st.csv = t.csv.bytes;
		st.html = t.html.bytes;
		e = store_statement_add(s, &st, order->only_first, id);
	}
	texts_done(&t);
	return e;
}

/* NOLINTNEXTLINE(readability-function-size): what to freeze, and three answers */
static enum err freeze(struct store *s, const struct report_options *o,
                       const struct statement_order *order, const struct store_agreement *about,
                       int64_t instant, uint64_t *id, struct fault *why)
{
	struct contract_case c;
	char until[24];
	enum err e = contract_case_read(s, o, about, (struct contract_when){ instant, order->now },
	                                &c, why);
	if (e != ERR_OK)
		return e == ERR_RANGE ? fault_set(why, ERR_MALFORMED, "/period",
		                                  "the period holds no whole bin")
		                      : e;
	if (c.metering.closed < c.metering.bins) {
		text_time_print(c.metering.to, until);
		e = fault_set(why, ERR_BUSY, "/period", "%s is not over until %s", order->period,
		              until);
	} else {
		e = keep(s, o, order, &c, about, id);
	}
	if (e == ERR_EXISTS)
		(void)fault_set(why, e, "/period", "there is a statement of %s", order->period);
	else if (e == ERR_RANGE)
		e = fault_set(why, ERR_MALFORMED, "/period", CONTRACT_BEYOND);
	contract_case_done(&c);
	return e;
}

enum err statement_freeze(struct store *s, const struct report_options *o,
                          const struct statement_order *order, uint64_t *id, struct fault *why)
{
	struct store_agreement *about;
	int64_t instant;
	if (!statement_instant(order->period, &instant))
		return fault_set(why, ERR_MALFORMED, "/period", "must be a month such as 2026-11");
	enum err e =
		store_agreement(s, STORE_CONTRACT, order->provider, order->contract, 0, &about);
	if (e != ERR_OK)
		return fault_set(why, e, "/contract", "provider %s has no contract %s in force",
		                 order->provider, order->contract);
	e = freeze(s, o, order, about, instant, id, why);
	store_agreements_free(about, 1);
	return e;
}

/* ---- by themselves ---- */

/* The period before the present one of a contract; false: it makes no statements by itself. */
static enum err last_period(struct store *s, const struct store_agreement *about, int64_t now,
                            struct store_period *out, bool *automatic)
{
	struct terms_contract *t;
	struct fault why;
	struct arena *arena = arena_new(TERMS_ARENA);
	struct faults *faults = faults_new();
	enum err e =
		arena == NULL || faults == NULL
			? ERR_NOMEM
			: terms_contract_parse(about->document, about->size, arena, &t, faults);
	*automatic = e == ERR_OK && t->automatic;
	if (*automatic) {
		const struct store_calendar calendar = { .zone = t->contract.time_zone,
			                                 .kind = STORE_MONTH,
			                                 .cycle_day = t->contract.cycle_day };
		e = store_period(s, &calendar, now, out, &why);
		if (e == ERR_OK)
			e = store_period(s, &calendar, out->from - 1, out, &why);
	}
	faults_free(faults);
	arena_free(arena);
	return e;
}

/* Is it four in the morning, UTC, of a day after the period's last? */
static bool is_due(const struct store_period *period, int64_t now)
{
	return now >=
	       period->to - period->to % DAY + DUE_HOUR + (period->to % DAY > DUE_HOUR) * DAY;
}

static enum err freeze_due(struct store *s, const struct report_options *o,
                           const struct store_agreement *about, int64_t now, size_t *made)
{
	struct store_period period;
	struct contract_case c;
	struct fault why;
	uint64_t id;
	char name[8];
	bool automatic;
	enum err e = last_period(s, about, now, &period, &automatic);
	if (e != ERR_OK || !automatic || !is_due(&period, now))
		return e == ERR_MALFORMED || e == ERR_NOT_FOUND ? ERR_OK : e;
	struct store_statement *there;
	size_t n;
	name_period(&period, name);
	e = store_statements(s, about->provider, about->id, name, &there, &n);
	if (e != ERR_OK)
		return e;
	free(there);
	if (n > 0)
		return ERR_OK;
	e = contract_case_read(s, o, about, (struct contract_when){ period.from, now }, &c, &why);
	if (e != ERR_OK)
		return e == ERR_MALFORMED || e == ERR_RANGE ? ERR_OK : e;
	const struct statement_order order = { .provider = about->provider,
		                               .contract = about->id,
		                               .period = name,
		                               .author = "p4pd",
		                               .now = now,
		                               .only_first = true };
	const bool measured = c.metering.n_rows > 0 && c.metering.source != STORE_ANNOUNCE;
	if (measured)
		e = keep(s, o, &order, &c, about, &id);
	*made += e == ERR_OK && measured;
	contract_case_done(&c);
	/* Another daemon was first; or there are no figures, which the report says. Others have some. */
	return e == ERR_EXISTS || e == ERR_RANGE ? ERR_OK : e;
}

enum err statements_due(struct store *s, const struct report_options *o, int64_t now, size_t *made)
{
	struct store_agreement *all;
	size_t n;
	*made = 0;
	enum err e = store_agreements(s, STORE_CONTRACT, NULL, NULL, &all, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = freeze_due(s, o, &all[i], now, made);
	store_agreements_free(all, n);
	return e;
}

/* ---- verifying ---- */

bool statement_is_sound(const struct statement_finding *f)
{
	return !f->hash_differs && f->format[0] == '\0' && f->figure[0] == '\0' &&
	       f->bin[0] == '\0';
}

static size_t line_size(const char *at)
{
	return strcspn(at, "\r\n");
}

static const char *line_after(const char *at)
{
	at += line_size(at);
	return at + strspn(at, "\r\n");
}

/* Of "path,value,unit": the path, and the rest. */
static void split_line(const char *line, size_t size, char *path, size_t path_room, char *rest,
                       size_t rest_room)
{
	const char *comma = memchr(line, ',', size);
	const size_t n = comma != NULL ? (size_t)(comma - line) : size;
	(void)snprintf(path, path_room, "%.*s", (int)n, line);
	(void)snprintf(rest, rest_room, "%.*s", (int)(size > n ? size - n - 1 : 0),
	               line + n + (size > n));
}

static void compare_figures(const char *was, const char *is, struct statement_finding *f)
{
	char other[128];
	while (*was != '\0' || *is != '\0') {
		const size_t a = line_size(was), b = line_size(is);
		if (a != b || memcmp(was, is, a) != 0) {
			split_line(is, b, other, sizeof(other), f->figure_is, sizeof(f->figure_is));
			split_line(was, a, f->figure, sizeof(f->figure), f->figure_was,
			           sizeof(f->figure_was));
			if (strcmp(f->figure, other) != 0)
				(void)snprintf(f->figure_is, sizeof(f->figure_is), "%s", "");
			if (f->figure[0] == '\0')
				(void)snprintf(f->figure, sizeof(f->figure), "%s", other);
			return;
		}
		was = line_after(was);
		is = line_after(is);
	}
}

static enum err check_figures(const struct store_statement *st, const struct contract_case *c,
                              uint64_t version, const char *sha256, struct statement_finding *f)
{
	struct sheet sheet = { 0 };
	struct text csv = { 0 };
	enum err e = figures_of(c, version, sha256, &sheet);
	if (e == ERR_OK) {
		sheet_csv(&sheet, "", &csv);
		e = csv.bad ? ERR_NOMEM : ERR_OK;
	}
	if (e == ERR_OK)
		compare_figures(st->csv, csv.bytes, f);
	text_done(&csv);
	sheet_done(&sheet);
	return e;
}

static void show_bin(const struct store_metered *row, char *out, size_t room)
{
	int n = snprintf(out, room, "out %" PRIu64 " B, in %" PRIu64 " B", row->out_bytes,
	                 row->in_bytes);
	if (row->measured_p2p && n > 0 && (size_t)n < room)
		n += snprintf(out + n, room - (size_t)n,
		              ", p2p out %" PRIu64 " B, in %" PRIu64 " B", row->out_p2p_bytes,
		              row->in_p2p_bytes);
	if (n > 0 && (size_t)n < room)
		(void)snprintf(out + n, room - (size_t)n, ", watched %" PRIu32 " s, quality %u",
		               row->observed_seconds, row->quality);
}

static bool same_bin(const struct store_metered *a, const struct store_metered *b)
{
	return a->out_bytes == b->out_bytes && a->in_bytes == b->in_bytes &&
	       a->measured_p2p == b->measured_p2p &&
	       (!a->measured_p2p ||
	        (a->out_p2p_bytes == b->out_p2p_bytes && a->in_p2p_bytes == b->in_p2p_bytes)) &&
	       a->observed_seconds == b->observed_seconds && a->quality == b->quality;
}

/* Which of the two comes first; 0: the same bin. */
static int order_of(const struct store_metered *a, const struct store_metered *b)
{
	if (a->which != b->which)
		return a->which < b->which ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

static void name_bin(const struct store_metered_ask *ask, const struct store_metered *row,
                     struct statement_finding *f)
{
	char start[24];
	text_time_print(row->start, start);
	(void)snprintf(f->bin, sizeof(f->bin), "%s %s %s", metering_source(ask->source),
	               ask->names[row->which], start);
}

/* Both lists are in the same order. */
static void compare_bins(const struct metering *m, const struct store_metered_ask *ask,
                         const struct store_metered *now, size_t n, struct statement_finding *f)
{
	const struct store_metered *was = m->rows;
	for (size_t i = 0, k = 0; i < m->n_rows || k < n; i++, k++) {
		const int order = i == m->n_rows ? 1 : k == n ? -1 : order_of(&was[i], &now[k]);
		if (order == 0 && same_bin(&was[i], &now[k]))
			continue;
		name_bin(ask, order <= 0 ? &was[i] : &now[k], f);
		if (order <= 0)
			show_bin(&was[i], f->bin_was, sizeof(f->bin_was));
		if (order >= 0)
			show_bin(&now[k], f->bin_is, sizeof(f->bin_is));
		return;
	}
}

static enum err check_source(struct store *s, const struct metering *m,
                             const struct store_metered_ask *ask, struct statement_finding *f)
{
	struct store_metered *now;
	size_t n;
	const enum err e = store_metered(s, ask, &now, &n);
	if (e != ERR_OK)
		return e;
	compare_bins(m, ask, now, n, f);
	free(now);
	return ERR_OK;
}

/* Frozen when no source had a bin, it is compared with each: what came since is a difference. */
static enum err check_bins(struct store *s, const struct contract_case *c,
                           struct statement_finding *f)
{
	struct store_metered_ask ask = { .provider = c->terms->provider,
		                         .names = c->terms->interconnects.name,
		                         .n_names = c->terms->interconnects.n,
		                         .from = c->metering.from,
		                         .to = c->metering.to,
		                         .bin_seconds = c->metering.bin_seconds,
		                         .source = c->metering.source };
	enum err e = ERR_OK;
	if (c->metering.has_source)
		return check_source(s, &c->metering, &ask, f);
	for (int i = 0; e == ERR_OK && i < STORE_SOURCES && f->bin[0] == '\0'; i++) {
		ask.source = (enum store_source)i;
		e = check_source(s, &c->metering, &ask, f);
	}
	return e;
}

enum err statement_verify(struct store *s, const struct store_statement *st,
                          struct statement_finding *out, struct fault *why)
{
	struct contract_case c;
	uint64_t version;
	char sha256[65];
	*out = (struct statement_finding){ 0 };
	hash(st->inputs, st->inputs_size, sha256);
	out->hash_differs = strcmp(sha256, st->inputs_sha256) != 0;
	if (inputs_of_other_format(st->inputs, st->inputs_size, out->format))
		return ERR_OK;
	enum err e = inputs_read(st->inputs, st->inputs_size, &c, &version, sha256, why);
	if (e != ERR_OK)
		return e;
	e = check_figures(st, &c, version, sha256, out);
	if (e == ERR_OK)
		e = check_bins(s, &c, out);
	contract_case_done(&c);
	return e;
}
