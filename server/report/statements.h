/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Statements of contracts: a period that has ended, frozen with its figures and all that they were made
 * of (server/report/inputs.h), shown, and verified.
 *
 * Threading: any thread; blocks on the database.
 */

#include "server/report/contracts.h"
#include "server/store/statements.h"

struct statement_order {
	const char *provider, *contract;
	const char *period; /* "2026-11": the one that begins in this month */
	const char *author; /* the token's name */
	int64_t now;
	bool only_first; /* not where there is one of this period */
};

/*
 * ERR_NOT_FOUND: no such contract in force; ERR_MALFORMED: the period is no month, or the contract is
 * none that this version understands; ERR_BUSY: it has not ended; ERR_EXISTS: only_first. All with a fault.
 */
enum err statement_freeze(struct store *s, const struct report_options *o,
                          const struct statement_order *order, uint64_t *id,
                          struct fault *why) must_check;

/* An instant in the period that begins in that month, in any zone; false: it is no "2026-11". */
bool statement_instant(const char *period, int64_t *out);

/* What a statement is, without its figures, as members of a JSON object: "id":7,"provider":... */
void statement_json_about(const struct store_statement *st, struct text *out);
void statement_json(const struct store_statement *st, struct text *out);
void statement_csv(const struct store_statement *st, struct text *out);  /* "figure,value,unit" */
void statement_html(const struct store_statement *st, struct text *out); /* a page to print */
/* What the page begins its figures with: the period by clocks of the contract's zone. */
void statement_html_period(const char *from, const char *to, const char *zone, struct text *out);

/* The first thing that is not as it was, of each kind; empty strings: all is. */
struct statement_finding {
	char format
		[12]; /* of another version, which this one cannot recompute; then only the hash is known */
	bool hash_differs;                               /* the inputs are not what was hashed */
	char figure[128], figure_was[80], figure_is[80]; /* recomputed from the frozen inputs */
	char bin[128], bin_was[160], bin_is[160];        /* in the database today; "": not there */
};

/* ERR_NOT_FOUND: no such statement. ERR_MALFORMED: its inputs cannot be read at all. */
enum err statement_verify(struct store *s, const struct store_statement *st,
                          struct statement_finding *out, struct fault *why) must_check;
bool statement_is_sound(const struct statement_finding *f);

/*
 * Freezes what contracts with automatic statements left behind: every period that ended before the newest
 * 04:00 UTC, in which something was measured (estimates make no money), and has no statement yet; the last
 * one of each contract. *made: how many.
 */
enum err statements_due(struct store *s, const struct report_options *o, int64_t now,
                        size_t *made) must_check;
