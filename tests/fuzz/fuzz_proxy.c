/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before HTTP, and what stands in its headers, where proxies speak for others. */
#include "common/codec/forwarded.h"
#include "common/codec/proxy.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const uint8_t *data, size_t size)
{
	struct proxy_header h, again;
	const enum err e = proxy_header_parse(data, size, &h);
	must(e == ERR_OK || e == ERR_TRUNCATED || e == ERR_MALFORMED);
	/* A reader that peeks PROXY_HEADER_MAX bytes must get an answer. */
	must(e != ERR_TRUNCATED || size < PROXY_HEADER_MAX);
	if (e != ERR_OK)
		return;
	must(h.size > 0 && h.size <= size && h.size <= PROXY_HEADER_MAX);
	must(proxy_header_parse(data, h.size, &again) == ERR_OK && again.size == h.size);
	must(proxy_header_parse(data, h.size - 1, &again) == ERR_TRUNCATED);
}

static void check_hops(const uint8_t *data, size_t size, void (*add)(struct hops *, const char *))
{
	char line[4096];
	struct hops hops = { 0 };
	const size_t n = size < sizeof(line) ? size : sizeof(line) - 1;
	if (n > 0)
		memcpy(line, data, n);
	line[n] = '\0';
	add(&hops, line);
	must(hops.n > 0 && hops.n <= HOPS_MAX);
	for (size_t i = 0; i < hops.n; i++)
		must(hops.at[i].family == IP_NONE || ip_size(&hops.at[i]) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_header(data, size);
	check_hops(data, size, hops_add_list);
	check_hops(data, size, hops_add_forwarded);
	return 0;
}
