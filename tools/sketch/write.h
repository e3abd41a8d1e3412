/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The documents as text (document.h): what was not said is left out, lines are short enough for a
 * person and for diff(1).
 *
 * Ownership: text_done() the texts. Pure.
 */

#include "common/base/text.h"
#include "common/map/document.h"

void topology_write(struct text *out, const struct map_topology *t);
void costs_write(struct text *out, const struct map_costs *c);
