/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Contracts in force beside what was measured: the live report, and what a statement is made of.
 *
 * Threading: any thread; blocks on the database.
 */

#include "server/report/metering.h"
#include "server/report/report.h"
#include "server/report/terms.h"
#include "server/store/agreements.h"

struct report_agreements_query {
	const char *provider, *id; /* NULL: all */
	int64_t at;                /* the period that holds it; REPORT_ABSENT: the present one */
	int64_t now;
	bool csv;
};

/*
 * {"at","contracts":[...],"definitions":{...}}, or CSV: "provider,contract,figure,value,unit". What a
 * contract's figures are says server/report/reckoning.h. On failure nothing was written.
 */
enum err report_contracts(struct store *s, const struct report_options *o,
                          const struct report_agreements_query *q, struct text *out) must_check;

/* Why a contract has no figures although it has bins: one was posted that no line carries. */
#define CONTRACT_BEYOND "a bin holds, or bins add up to, more bytes than can be counted (2^64)"

/* One contract in one period, read. contract_case_done() it. */
struct contract_case {
	struct arena *arena;
	struct terms_contract *terms; /* in the arena */
	struct store_period period;
	struct metering metering;
};

/* `at` is in the period; of what comes after `now` nothing is missing yet. */
struct contract_when {
	int64_t at, now;
};

/* ERR_MALFORMED: the document is none that this version understands, or its zone is gone (*why). */
enum err contract_case_read(struct store *s, const struct report_options *o,
                            const struct store_agreement *about, struct contract_when when,
                            struct contract_case *out, struct fault *why) must_check;
void contract_case_done(struct contract_case *c);
