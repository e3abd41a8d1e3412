/* SPDX-License-Identifier: Apache-2.0 */
/* The same bytes as the query of an announce and of a scrape. */
#include "common/codec/query.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_of_both(enum err e, const struct fault *fault)
{
	if (e == ERR_OK)
		must(fault->where[0] == '\0');
	else
		must(fault->code == e && fault->where[0] != '\0' && fault->text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault fault = { 0 }, other = { 0 };
	struct announce a;
	struct scrape s;

	const enum err e = query_announce_parse((const char *)data, size, &a, &fault);
	one_of_both(e, &fault);
	if (e == ERR_OK) {
		must((unsigned)a.event <= EVENT_PAUSED && a.want >= WANT_DEFAULT);
		must(query_announce_parse((const char *)data, size, &a, NULL) == ERR_OK);
	}

	const enum err f = query_scrape_parse((const char *)data, size, &s, &other);
	one_of_both(f, &other);
	if (f == ERR_OK)
		must(s.count > 0 && s.count <= SCRAPE_MAX);
	if (e == ERR_OK) /* what may be announced may be scraped */
		must(f == ERR_OK && s.count == 1 &&
		     memcmp(s.hashes[0], a.info_hash, INFO_HASH_SIZE) == 0);
	const char *value;
	size_t n;
	if (query_find((const char *)data, size, "passkey", &value, &n))
		must(n > 0 && value >= (const char *)data + 8 &&
		     value + n <= (const char *)data + size && value[-1] == '=');
	return 0;
}
