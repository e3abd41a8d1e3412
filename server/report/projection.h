/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a contract's period will probably end, from the six weeks before it and what is over of it
 * (common/balance/forecast.h). A guess with a range: statements have none of it.
 *
 * Threading: any thread; blocks on the database.
 */

#include "server/report/contracts.h"
#include "server/report/sheet.h"

/*
 * "projection": null when the period has ended or is not measured, when too few days are known, or where a
 * change of clocks makes a day of it longer. On failure nothing was added.
 */
enum err projection_put(struct store *s, const struct contract_case *c, int64_t now,
                        struct sheet *out) must_check;
