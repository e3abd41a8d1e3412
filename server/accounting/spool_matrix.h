/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The section of a spooled bin (spool.h) that has its matrix: number of cells, those; number of swarms,
 * those. Private to the spool.
 */

#include "common/base/cursor.h"
#include "server/accounting/accounting.h"

size_t spool_matrix_room(const struct accounting_bin *bin); /* at most so many bytes */
void spool_matrix_put(struct writer *w, const struct accounting_bin *bin);

/* Into a bin without any. ERR_MALFORMED, ERR_NOMEM; accounting_bin_done() the bin either way. */
enum err spool_matrix_take(struct reader *r, struct accounting_bin *bin) must_check;

/* Texts of one byte's length, as everywhere in a spooled bin. */
void spool_put_text(struct writer *w, const char *s);
bool spool_take_text(struct reader *r, char *out, size_t room);
