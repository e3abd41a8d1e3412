/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ratio policies in force beside what was measured. Threading: any thread; blocks on the database. */

#include "server/report/contracts.h"
#include "server/report/judging.h"

/*
 * {"at","policies":[...],"definitions":{...}}, one for each policy and what it is about: an interconnect,
 * a metro, or all towards the peer. CSV: "provider,policy,subject,figure,value,unit". What the figures
 * are says server/report/judging.h. On failure nothing was written.
 */
enum err report_policies(struct store *s, const struct report_options *o,
                         const struct report_agreements_query *q, struct text *out) must_check;

/* A policy in force and an interconnect that it is about. */
struct policy_name {
	char provider[65], interconnect[65], policy[65];
};

/* All of a provider (NULL: all); without policies that this version does not understand. free() the list. */
enum err policies_names(struct store *s, const char *provider, struct policy_name **out,
                        size_t *count) must_check;

/* One policy and what it is about. Nothing of it outlives the call. */
typedef void policies_see(void *ctx, const struct judging_ask *found);

/*
 * The same for programs: each is shown as it was judged (the query's csv does not matter). Left out are
 * policies that this version does not understand, and periods without a whole bin; the report names them.
 * The store's errors, and ERR_NOMEM; some may have been shown before.
 */
enum err policies_read(struct store *s, const struct report_options *o,
                       const struct report_agreements_query *q, policies_see *see,
                       void *ctx) must_check;
