/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The ledger over a restart in order: "ledger" in the state folder.
 *
 *   magic, records (ledger_export), checksum
 *
 * The counters in it are right only as long as nobody announces: met once more after that, it would
 * count the same bytes twice. So whoever reads it removes it first, and a process that dies leaves
 * none behind; then every client that has moved bytes begins with a baseline.
 *
 * Nor may an older one come back, alone or with its folder: its seal, a file beside it, says when it was
 * changed last, and a copy was changed later. A snapshot of the whole file system passes for the original.
 *
 * Clients and swarms are hashes with a key that outlives the process (the state folder's secret);
 * under another key nobody in the file is ever met again.
 *
 * Threading: one thread, and no announce beside it.
 */

#include "server/accounting/ledger.h"

/* ERR_SYSTEM, ERR_NOMEM with a fault. */
enum err ledger_file_save(struct ledger *l, const char *dir, struct fault *fault) must_check;

/*
 * Into an empty ledger. ERR_NOT_FOUND: there is none. With a fault: ERR_MALFORMED: it is damaged, or
 * a copy, and gone now; ERR_SYSTEM: it cannot be read or does not go away; ERR_NOMEM.
 */
enum err ledger_file_take(struct ledger *l, const char *dir, int64_t now,
                          struct fault *fault) must_check;

/* The same from its bytes. ERR_TRUNCATED, ERR_MALFORMED. */
enum err ledger_file_parse(struct ledger *l, const void *data, size_t size, int64_t now) must_check;
