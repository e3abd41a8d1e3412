/* SPDX-License-Identifier: Apache-2.0 */
/* The same bytes as a tracker's HTTP response to p4pload, head and body, and as a body alone. */
#include "tools/p4pload/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body(enum udp_action kind, const uint8_t *data, size_t size)
{
	const struct request r = { .kind = kind, .count = 1 };
	const struct answer a = http_parse_body(&r, 200, data, size);
	must(a.shape <= REPLY_MALFORMED);
	must(a.n_rows <= r.count);
	for (size_t f = 0; f < 2; f++) { /* lists lie inside, and hold whole peers */
		must(a.sizes[f] % (f == 0 ? 6 : 18) == 0 && a.sizes[f] <= size);
		must(a.sizes[f] == 0 ||
		     (a.lists[f] >= data && a.lists[f] + a.sizes[f] <= data + size));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head h = { 0 };
	if (http_parse_head((const char *)data, size, &h) == ERR_OK) {
		must(h.body <= size && h.status <= 999);
		must(h.length == SIZE_MAX || h.body + h.length <= HTTP_RESPONSE_MAX);
		body(UDP_ANNOUNCE, data + h.body, size - h.body);
		body(UDP_SCRAPE, data + h.body, size - h.body);
	}
	body(UDP_ANNOUNCE, data, size);
	return 0;
}
