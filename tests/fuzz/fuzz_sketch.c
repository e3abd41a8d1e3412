/* SPDX-License-Identifier: Apache-2.0 */
/* Files to import, in every format: what is written passes the server's own checks, which
 * sketch_finish() runs; and read again and written again, it is the same. */
#include "tools/sketch/format.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const formats[] = { "alto", "asrel", "csv",       "geofeed", "graphml",
	                               "ietf", "mrt",   "peeringdb", "pfx2as",  "sndlib" };

static void again(const struct text *topology)
{
	struct sketch s;
	struct text twice, costs;
	struct map_topology *t = NULL;
	struct arena *arena = arena_new(4096);
	must(arena != NULL && sketch_init(&s, NULL, 0) == ERR_OK);
	must(map_topology_parse(topology->bytes, topology->size, arena, &t, s.faults) == ERR_OK);
	sketch_take(&s, t);
	must(sketch_finish(&s, &(struct sketch_rules){ .lab = true }, &twice, &costs) == ERR_OK);
	must(twice.size == topology->size && memcmp(twice.bytes, topology->bytes, twice.size) == 0);
	text_done(&twice);
	text_done(&costs);
	sketch_done(&s);
	arena_free(arena);
}

static void read_as(const char *format, const uint8_t *data, size_t size, bool minimize)
{
	struct sketch s;
	struct text topology, costs;
	const uint32_t neighbors[] = { 64501 };
	const struct sketch_ask ask = { .neighbors = neighbors, .n_neighbors = minimize };
	char *text = malloc(size + 1); /* exactly its size, for a sanitizer */
	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	struct sketch_source source = { "f", text, size };
	must(sketch_init(&s, &source, 1) == ERR_OK);
	s.provider = "isp";
	sketch_asn(&s, 64500);
	if (strcmp(format, "mrt") == 0) {
		sketch_pid(&s, "core");
		struct map_interconnect *x =
			sketch_interconnect(&s, "x", (struct sketch_origin){ 0 });
		x->pid = "core";
		x->neighbor_asn = 64501;
	}
	sketch_format(format)(&s, &source, 1, &ask);
	const struct sketch_rules rules = { .minimize = minimize, .lab = true };
	const enum err e = sketch_finish(&s, &rules, &topology, &costs);
	must((e == ERR_OK) == (s.faults->count == 0));
	if (e == ERR_OK && !minimize)
		again(&topology);
	text_done(&topology);
	text_done(&costs);
	sketch_done(&s);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		read_as(formats[i], data, size, false);
		read_as(formats[i], data, size, true);
	}
	return 0;
}
