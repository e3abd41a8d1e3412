/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What writing and reading bins share.
 */

#include "server/store/store.h"

const char *bins_source(enum store_source source); /* "announce", as the schema spells it */
