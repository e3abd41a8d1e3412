/* SPDX-License-Identifier: Apache-2.0 */

/*
 * mutate_flow COUNT CORPUS [CAPTURE...]
 *
 * Decodes COUNT mutated datagrams of each protocol of flow exports, as a collector gets them from
 * whoever may send to its port: real ones, of which a quarter is cut short and the others have one to six
 * bytes changed, some of them where lengths and counts stand. Debian's collectors of 2022 die of less than
 * 20,000 such datagrams.
 *
 * Seeds are the rows of datagrams in the folder CORPUS (that of the fuzz target) and recordings in
 * the folders CAPTURE, those of a folder being one row, sorted by name with templates first; folders
 * that are not there are left out. What it finds wrong, a sanitizer or a must() tells; the numbers repeat.
 */

#include "tests/fuzz/flow_steps.h"
#include "tests/unit/flow/captures.h"

#include "common/base/random.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

enum { SEEDS_MAX = 4096, MUTATION_MAX = 6, ROUND = 20000 };

struct seeds {
	struct seed {
		uint8_t *bytes;
		size_t size;
	} list[SEEDS_MAX];
	size_t count;
};

static struct seeds seeds[FLOW_PROTOCOLS];

/* By the same bytes the decoder tells them by. */
static enum flow_protocol protocol_of(const uint8_t *bytes, size_t size)
{
	static const uint8_t versions[FLOW_PROTOCOLS][4] = {
		[FLOW_NETFLOW5] = { 0, 5 },
		[FLOW_NETFLOW9] = { 0, 9 },
		[FLOW_IPFIX] = { 0, 10 },
		[FLOW_SFLOW5] = { 0, 0, 0, 5 },
	};
	for (unsigned p = 0; p < FLOW_PROTOCOLS; p++)
		if (size >= 4 && memcmp(bytes, versions[p], p == FLOW_SFLOW5 ? 4 : 2) == 0)
			return p;
	return FLOW_PROTOCOLS;
}

static void add_seed(void *ctx, const uint8_t *bytes, size_t size)
{
	const enum flow_protocol p = protocol_of(bytes, size);
	(void)ctx;
	if (p == FLOW_PROTOCOLS || seeds[p].count == SEEDS_MAX)
		return;
	struct seed *s = &seeds[p].list[seeds[p].count++];
	*s = (struct seed){ .bytes = malloc(size), .size = size };
	must(s->bytes != NULL);
	memcpy(s->bytes, bytes, size);
}

static void add_row(FILE *f)
{
	static uint8_t bytes[1 << 16];
	struct reader r = reader_over(bytes, fread(bytes, 1, sizeof(bytes), f));
	struct flow_step s;
	while (flow_step_next(&r, &s))
		add_seed(NULL, s.bytes, s.size);
}

static bool is_template(const char *name)
{
	return strstr(name, "tpl") != NULL;
}

static int by_use(const struct dirent **a, const struct dirent **b)
{
	const int first = is_template((*b)->d_name) - is_template((*a)->d_name);
	return first != 0 ? first : strcmp((*a)->d_name, (*b)->d_name);
}

static void add_folder(const char *folder, bool rows)
{
	struct dirent **names;
	const int count = scandir(folder, &names, NULL, by_use);
	if (count < 0)
		printf("no %s\n", folder);
	for (int i = 0; i < count; i++) {
		char path[4096];
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		FILE *f = names[i]->d_name[0] != '.' ? fopen(path, "rb") : NULL;
		free(names[i]);
		if (f == NULL)
			continue;
		if (rows)
			add_row(f);
		else
			(void)read_capture(f, add_seed, NULL);
		(void)fclose(f);
	}
	if (count >= 0)
		free(names);
}

/* Small, large and just beyond: what breaks lengths. */
static uint8_t odd_byte(uint64_t *seed)
{
	static const uint8_t odd[] = { 0, 1, 2, 3, 4, 0x7f, 0x80, 0xfe, 0xff };
	return random_below(seed, 2) == 0 ? odd[random_below(seed, sizeof(odd))]
	                                  : (uint8_t)random_next(seed);
}

/* Behind the version, which is all that tells the protocols apart. */
static void mutate(struct flow_step *s, uint8_t *room, const struct seed *from, uint64_t *seed)
{
	memcpy(room, from->bytes, from->size);
	s->bytes = room;
	s->size = from->size;
	if (random_below(seed, 4) == 0)
		s->size = 4 + random_below(seed, (uint32_t)s->size - 3);
	for (uint32_t n = 1 + random_below(seed, MUTATION_MAX); n > 0 && s->size > 4; n--)
		room[4 + random_below(seed, (uint32_t)s->size - 4)] = odd_byte(seed);
}

struct tally {
	uint64_t sent, refused, delivered;
};

static void send_true(struct flow_decoder *d, const struct seed *of, int64_t now_ms,
                      struct tally *t)
{
	const struct flow_step s = { .bytes = of->bytes, .size = of->size };
	(void)flow_try(d, &s, now_ms, &t->delivered);
}

/* What a seed is understood by comes before it in its row, and may have been withdrawn meanwhile. */
static void send_before(struct flow_decoder *d, const struct seeds *of, uint32_t which,
                        int64_t now_ms, struct tally *t)
{
	enum { BEFORE = 3 };
	for (uint32_t i = which < BEFORE ? 0 : which - BEFORE; i < which; i++)
		send_true(d, &of->list[i], now_ms, t);
}

/* A decoder that learns what is true, and then hears what is not. */
static void round_of(enum flow_protocol p, uint64_t count, uint64_t *seed, struct tally *t)
{
	static uint8_t room[CAPTURE_MAX];
	const struct flow_limits limits = { .exporters = 4, .domains = 8, .templates = 400 };
	struct flow_decoder *d = flow_decoder_new(&limits);
	const struct seeds *of = &seeds[p];
	int64_t now_ms = 1800000000000;
	must(d != NULL);
	for (size_t i = 0; i < of->count; i++)
		send_true(d, &of->list[i], now_ms, t);
	for (uint64_t i = 0; i < count; i++, now_ms++) {
		const uint32_t which = random_below(seed, (uint32_t)of->count);
		struct flow_step s = { .exporter = random_below(seed, 16) == 0 };
		if (random_below(seed, 4) == 0)
			send_before(d, of, which, now_ms, t);
		mutate(&s, room, &of->list[which], seed);
		t->refused += flow_try(d, &s, now_ms, &t->delivered) != ERR_OK;
		t->sent++;
	}
	flow_check_stats(d, &limits);
	flow_decoder_free(d);
}

static void try_protocol(enum flow_protocol p, uint64_t count)
{
	struct tally t = { 0 };
	uint64_t seed = p + 1;
	must(seeds[p].count > 0);
	while (t.sent < count)
		round_of(p, count - t.sent < ROUND ? count - t.sent : ROUND, &seed, &t);
	printf("%s: %zu seeds, %" PRIu64 " mutated datagrams, %" PRIu64 " refused, %" PRIu64
	       " records and counters\n",
	       flow_protocol_name(p), seeds[p].count, t.sent, t.refused, t.delivered);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fputs("usage: mutate_flow COUNT CORPUS [CAPTURE...]\n", stderr);
		return 2;
	}
	add_folder(argv[2], true);
	for (int i = 3; i < argc; i++)
		add_folder(argv[i], false);
	for (unsigned p = 0; p < FLOW_PROTOCOLS; p++)
		try_protocol(p, strtoull(argv[1], NULL, 10));
	for (unsigned p = 0; p < FLOW_PROTOCOLS; p++)
		for (size_t i = 0; i < seeds[p].count; i++)
			free(seeds[p].list[i].bytes);
	return EXIT_SUCCESS;
}
