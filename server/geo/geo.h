/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where an address is when no provider map knows it: its ASN, from a MaxMind-format file.
 *
 * A missing or broken file is a warning and no ASN, never a failed start.
 *
 * Threading: look-ups from any thread; open and close from one.
 */

#include "common/ip/addr.h"

struct geo;

/* `path` may be "" (none). Logs a warning when the file cannot be used. NULL: no file, no ASN. */
struct geo *geo_open(const char *path);
void geo_close(struct geo *g); /* NULL is fine */

/* 0 when unknown, or when `g` is NULL. */
uint32_t geo_asn(const struct geo *g, const struct ip_addr *a);
