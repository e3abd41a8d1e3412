/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ratio policies in force beside what was measured. Threading: any thread; blocks on the database. */

#include "server/report/contracts.h"

/*
 * {"at","policies":[...],"definitions":{...}}, one for each policy and what it is about: an interconnect,
 * a metro, or all towards the peer. CSV: "provider,policy,subject,figure,value,unit". What the figures
 * are says server/report/judging.h. On failure nothing was written.
 */
enum err report_policies(struct store *s, const struct report_options *o,
                         const struct report_agreements_query *q, struct text *out) must_check;
