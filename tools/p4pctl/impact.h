/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a map would do, for people: the "impact" of a dry run or a plan (schema/openapi.yaml).
 *
 *   addresses that change their PID: 256 of IPv4
 *       a-1 -> a-2: 256 of IPv4 (10.1.1.0/24)
 *   ~ interconnect a-t
 *       capacity_mbps: 10000 -> 5000
 *   live peers: 6 of 7 change their PID (85.7 %); in no PID 0.0 % -> 0.0 %
 *   the last 24 hours under it (announces, an estimate): 240 MB, of which ...
 *       ...
 */

#include <stdbool.h>
#include <stdio.h>

struct json_t;

/* `impact` may be NULL: nothing is printed. `colour`: green for what comes, red for what goes. */
void impact_print(const struct json_t *impact, bool colour, FILE *out);

/* How "it would change" goes on, of the "changes" of an answer: ":", or that there are none. */
const char *impact_of_changes(struct json_t *changes);

/* Does `out` take colours? A terminal does, unless NO_COLOR is set (no-color.org) or it is a dumb one. */
bool impact_wants_colour(FILE *out);
