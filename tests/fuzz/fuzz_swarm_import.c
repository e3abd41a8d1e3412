/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a snapshot file holds, importing it leaves a store that can be saved and read again. */
#include "common/swarm/swarm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct swarm_options options = {
		.shards = 2, .max_swarms = 64, .max_peers = 500, .secret = 1
	};
	struct swarm_store *a = swarm_store_new(&options), *b = swarm_store_new(&options);
	must(a != NULL && b != NULL);
	struct reader r = reader_over(data, size);
	const enum err e = swarm_import(a, &r, 1000, 5);
	must(e == ERR_OK || e == ERR_TRUNCATED || e == ERR_MALFORMED || e == ERR_BUSY);

	struct text saved = { 0 };
	for (unsigned i = 0; i < options.shards; i++)
		swarm_export(a, i, 1000, &saved);
	must(!saved.bad);
	r = reader_over(saved.bytes, saved.size);
	for (unsigned i = 0; i < options.shards; i++)
		must(swarm_import(b, &r, 1000, 0) == ERR_OK);
	must(reader_left(&r) == 0);
	const struct swarm_totals x = swarm_totals(a), y = swarm_totals(b);
	must(x.swarms == y.swarms && x.seeds == y.seeds && x.leechers == y.leechers &&
	     x.partial == y.partial && x.peers_v4 == y.peers_v4 && x.peers_v6 == y.peers_v6);
	struct swarm_sweep sweep = { 0 };
	while (sweep.shards < options.shards)
		(void)swarm_sweep(a, &sweep, 1000 + SWARM_LIFETIME_MAX + 1);
	const struct swarm_totals z = swarm_totals(a);
	must(z.seeds + z.leechers + z.partial == 0 && z.peers_v4 + z.peers_v6 == 0);
	text_done(&saved);
	swarm_store_free(a);
	swarm_store_free(b);
	return 0;
}
