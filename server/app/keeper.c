/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/keeper.h"

#include <time.h>

/* Bins wait meanwhile, so a year that is to be packed after an update is packed a little at a time. */
enum { PACK_SECONDS = 2, IDLE_SECONDS = 10, RETRY_SECONDS = 60, RETAIN_SECONDS = 3600 };

static int64_t monotonic_seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static enum err pack(struct keeper *k, int64_t now)
{
	const int64_t until = monotonic_seconds() + PACK_SECONDS;
	enum err e = ERR_OK;
	bool more = true;
	while (e == ERR_OK && more && monotonic_seconds() < until)
		e = store_rollup(k->store, now, &more);
	k->pack_at = now + (e != ERR_OK ? RETRY_SECONDS : more ? 0 : IDLE_SECONDS);
	return e;
}

enum err keeper_work(struct keeper *k, int64_t now)
{
	enum err e = ERR_OK;
	/* A clock that was set back far does not make it sleep for as long. */
	if (now >= k->pack_at || now < k->pack_at - RETRY_SECONDS)
		e = pack(k, now);
	if (now >= k->retain_at || now < k->retain_at - RETAIN_SECONDS) {
		const enum err kept = store_retain(k->store, &k->keep, now);
		k->retain_at = now + (kept != ERR_OK ? RETRY_SECONDS : RETAIN_SECONDS);
		e = e == ERR_OK ? kept : e;
	}
	return e;
}
