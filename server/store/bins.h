/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What writing and reading bins share.
 */

#include "server/store/store.h"

const char *bins_source(enum store_source source); /* "announce", as the schema spells it */

/* A field of COPY's text format, and the tab behind it. */
void copy_field(struct text *t, const char *s);
