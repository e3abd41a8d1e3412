/* SPDX-License-Identifier: Apache-2.0 */
/* Every request a UDP tracker may get, and the replies it would make of it. */
#include "common/base/err.h"
#include "common/codec/udp_tracker.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void announce(const uint8_t *data, size_t size)
{
	struct announce a;
	char url[300], brief[4];

	must((udp_announce_parse(data, size, &a) == ERR_OK) == (size >= UDP_ANNOUNCE_SIZE));
	const size_t n = udp_announce_url(data, size, url, sizeof(url));
	must(n < sizeof(url) && url[n] == '\0');
	const size_t m = udp_announce_url(data, size, brief, sizeof(brief));
	must(m == (n < 3 ? n : 3) && memcmp(url, brief, m) == 0 && brief[m] == '\0');
	if (size < UDP_ANNOUNCE_SIZE)
		return;
	must((unsigned)a.event <= EVENT_PAUSED && a.want >= WANT_DEFAULT && a.key <= UINT32_MAX);
}

static void scrape(const uint8_t *data, size_t size, uint32_t transaction)
{
	const uint8_t *hashes;
	size_t count;
	static const struct udp_scrape_row rows[SCRAPE_MAX];
	uint8_t out[UDP_REPLY_MAX];

	if (udp_scrape_parse(data, size, &hashes, &count) == ERR_TRUNCATED)
		return;
	must(count > 0 && count <= SCRAPE_MAX);
	must(hashes + count * INFO_HASH_SIZE <= data + size);
	must(udp_scrape_reply(out, sizeof(out), transaction, rows, count) == 8 + 12 * count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct udp_head head = { 0 };
	if (udp_head_parse(data, size, &head) == ERR_OK)
		must(size >= 16);
	announce(data, size);
	scrape(data, size, head.transaction);
	return 0;
}
