/* SPDX-License-Identifier: Apache-2.0 */
/* A .torrent file: read, judged, and its announce URLs taken apart. */
#include "tools/p4pctl/verdict.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(const uint8_t *bytes, size_t n, const uint8_t *data, size_t size)
{
	return bytes >= data && n <= size && bytes + n <= data + size;
}

static void check(const struct torrent *t, const uint8_t *data, size_t size)
{
	must(t->v1 || t->v2);
	must(inside(t->name, t->name_size, data, size) && t->name_size > 0);
	must(memchr(t->name, '/', t->name_size) == NULL);
	must(t->piece_length > 0 && t->size > 0 && t->n_files > 0 && t->n_pieces > 0);
	must(!t->private || !t->private_odd);
	for (size_t i = 0; i < t->n_links; i++) {
		const struct torrent_link *l = &t->links[i];
		struct tracker_url u;
		must(inside(l->url, l->size, data, size));
		must(l->kind == LINK_TRACKER || l->tier == 0);
		if (tracker_url_parse(l->url, l->size, &u))
			must(u.host_size > 0 &&
			     inside((const uint8_t *)u.host, u.host_size, l->url, l->size));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct torrent t;
	struct fault fault = { 0 };
	size_t byte = 0;
	struct tracker_url url;
	must(tracker_url_parse("udp://t.example:6969", 20, &url));
	const struct ours ours = { .list = &url, .n = 1 };
	if (torrent_read(data, size, &t, &fault, &byte) != ERR_OK) {
		must(byte <= size && fault.where[0] == '/' && fault.text[0] != '\0');
		return 0;
	}
	check(&t, data, size);
	const struct verdict v = verdict_of(&t, &ours);
	must(v.n <= FINDINGS_MAX && (v.worst == EFFECT_NOTE || v.n > 0));
	must(t.private || v.worst != EFFECT_NOTE);
	torrent_done(&t);
	return 0;
}
