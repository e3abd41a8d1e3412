/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sees to bins that are stored already: packs days and months that are over, makes partitions ahead,
 * drops what was kept long enough.
 *
 * Threading: one thread, which may wait for the store.
 */

#include "server/store/store.h"

struct keeper {
	struct store *store;
	struct store_keep keep;
	int64_t retain_at, pack_at; /* when it is next of use, unix seconds; 0 at the start */
};

/*
 * Does what is due at `now` (unix seconds), for a second or two at most; call it every second. The store's
 * errors are logged there; it tries again in a minute.
 */
enum err keeper_work(struct keeper *k, int64_t now) must_check;
