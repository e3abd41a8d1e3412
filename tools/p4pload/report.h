/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A tally for people (text) and for programs (one line of JSON).
 */

#include "tools/p4pload/tally.h"

#include <stdio.h>

void report_json(FILE *out, const struct tally *t, const struct options *o);
void report_text(FILE *out, const struct tally *t, const struct options *o);

uint64_t report_wrong(const struct tally *t); /* answers that --verify complains about */
