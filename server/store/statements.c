/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/statements.h"

#include "server/store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void store_statement_done(struct store_statement *st)
{
	free(st->inputs);
	free(st->json);
	free(st->csv);
	free(st->html);
	*st = (struct store_statement){ 0 };
}

/* The newest of the same contract and period, the provider's row locked; 0: none. */
static uint64_t newest(struct work *w, const struct store_statement *st)
{
	(void)work_run(w, "SELECT 1 FROM providers WHERE provider = $1 FOR NO KEY UPDATE",
	               ARGS(arg_text(st->provider)));
	if (work_run(w,
	             "SELECT max(number) FROM statements "
	             "WHERE provider = $1 AND contract = $2 AND period = $3",
	             ARGS(arg_text(st->provider), arg_text(st->contract), arg_text(st->period))) !=
	    1)
		return 0;
	return work_u64(w, 0, 0);
}

enum err store_statement_add(struct store *s, const struct store_statement *st, bool only_first,
                             uint64_t *id)
{
	struct work w = work_begin(s, "freeze a statement");
	uint64_t number = 0;
	char subject[320];
	const uint64_t before = newest(&w, st);
	if (before > 0 && only_first)
		work_fail(&w, ERR_EXISTS);
	if (work_run(&w,
	             "INSERT INTO statements (provider, contract, contract_version, period, "
	             " period_from, period_to, author, software, inputs, inputs_sha256, "
	             " figures_json, figures_csv, figures_html, supersedes) "
	             "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
	             " nullif($14::bigint, 0)) RETURNING number",
	             ARGS(arg_text(st->provider), arg_text(st->contract),
	                  arg_u64(st->contract_version), arg_text(st->period), arg_i64(st->from),
	                  arg_i64(st->to), arg_text(st->author), arg_text(st->software),
	                  arg_bytes(st->inputs, st->inputs_size), arg_text(st->inputs_sha256),
	                  arg_text(st->json), arg_text(st->csv), arg_text(st->html),
	                  arg_u64(before))) == 1)
		number = work_u64(&w, 0, 0);
	(void)snprintf(subject, sizeof(subject), "%s %s %s number %" PRIu64 " sha256 %s",
	               st->provider, st->contract, st->period, number, st->inputs_sha256);
	work_audit_of(&w, st->provider, st->author, "statement", subject);
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*id = number;
	return e;
}

#define COLUMNS                                                                          \
	"number, provider, contract, contract_version, period, period_from, period_to, " \
	"extract(epoch FROM created)::bigint, author, software, inputs_sha256, "         \
	"coalesce(supersedes, 0), coalesce((SELECT min(l.number) FROM statements l "     \
	" WHERE l.supersedes = t.number), 0) "

static void about_row(const struct work *w, size_t row, void *out)
{
	struct store_statement *st = out;
	st->id = work_u64(w, row, 0);
	work_text(w, row, 1, st->provider, sizeof(st->provider));
	work_text(w, row, 2, st->contract, sizeof(st->contract));
	st->contract_version = work_u64(w, row, 3);
	work_text(w, row, 4, st->period, sizeof(st->period));
	st->from = work_i64(w, row, 5);
	st->to = work_i64(w, row, 6);
	st->created = work_i64(w, row, 7);
	work_text(w, row, 8, st->author, sizeof(st->author));
	work_text(w, row, 9, st->software, sizeof(st->software));
	work_text(w, row, 10, st->inputs_sha256, sizeof(st->inputs_sha256));
	st->supersedes = work_u64(w, row, 11);
	st->superseded_by = work_u64(w, row, 12);
}

enum err store_statement(struct store *s, uint64_t id, struct store_statement *out)
{
	struct work w = work_begin(s, "read a statement");
	struct store_statement st = { 0 };
	size_t size;
	if (work_run(&w,
	             "SELECT " COLUMNS ", inputs, figures_json, figures_csv, figures_html "
	             "FROM statements t WHERE number = $1::numeric",
	             ARGS(arg_u64(id))) == 1) {
		about_row(&w, 0, &st);
		st.inputs = work_blob(&w, 0, 13, &st.inputs_size);
		st.json = work_blob(&w, 0, 14, &size);
		st.csv = work_blob(&w, 0, 15, &size);
		st.html = work_blob(&w, 0, 16, &size);
	} else {
		work_fail(&w, ERR_NOT_FOUND);
	}
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = st;
	else
		store_statement_done(&st);
	return e;
}

enum err store_statements(struct store *s, const char *provider, const char *contract,
                          const char *period, struct store_statement **out, size_t *count)
{
	struct work w = work_begin(s, "list statements");
	(void)work_run(&w,
	               "SELECT " COLUMNS
	               "FROM statements t WHERE ($1::text IS NULL OR provider = $1) "
	               " AND ($2::text IS NULL OR contract = $2) "
	               " AND ($3::text IS NULL OR period = $3) ORDER BY number DESC",
	               ARGS(arg_text(provider), arg_text(contract), arg_text(period)));
	size_t n = 0;
	struct store_statement *list = work_list(&w, sizeof(*list), about_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}
