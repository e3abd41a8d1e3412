/* SPDX-License-Identifier: Apache-2.0 */
/* A file of VRPs, read whole and in small pieces: both ways it says the same. */
#include "common/rights/vrp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	const uint8_t *at;
	size_t left, each;
};

static size_t next_piece(void *ctx, void *out, size_t room)
{
	struct pieces *p = ctx;
	size_t n = p->left < p->each ? p->left : p->each;
	n = n < room ? n : room;
	if (n > 0)
		memcpy(out, p->at, n);
	p->at += n;
	p->left -= n;
	return n;
}

static enum err read_by(const uint8_t *data, size_t size, size_t each, struct vrp_table **out,
                        struct faults *faults)
{
	struct pieces p = { data, size, each };
	return vrp_read(next_piece, &p, 1700000000, out, faults);
}

static void look_at(const struct vrp_table *t)
{
	struct vrp v;
	uint32_t n = 0;
	for (; vrp_at(t, n, &v); n++) {
		must(v.prefix.length <= v.max_length && v.max_length <= 128);
		const uint32_t i = vrp_find(t, &v.prefix);
		struct vrp near;
		must(vrp_at(t, i, &near) && near.prefix.length == v.prefix.length);
		must(vrp_behind(t, &v.prefix) > i);
	}
	must(n == vrp_table_about(t).count && n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vrp_table *t = NULL, *same = NULL;
	struct faults *faults = faults_new(), *again = faults_new();
	must(faults != NULL && again != NULL);
	const enum err e = read_by(data, size, SIZE_MAX, &t, faults);
	must(e == read_by(data, size, 3, &same, again));
	must(faults->count == again->count && faults->more == again->more);
	must((e == ERR_OK) == (faults->count == 0));
	for (size_t i = 0; i < faults->count; i++)
		must(strcmp(faults->list[i].where, again->list[i].where) == 0);
	if (e == ERR_OK)
		look_at(t);
	vrp_table_free(t);
	vrp_table_free(same);
	faults_free(faults);
	faults_free(again);
	return 0;
}
