/* SPDX-License-Identifier: Apache-2.0 */
/* Where libfixbuf is not installed. */
#include "tests/bench/bench_flow.h"

struct fixbuf *fixbuf_new(void)
{
	return NULL;
}

void fixbuf_decode(void *f, uint8_t *bytes, size_t size)
{
	(void)f;
	(void)bytes;
	(void)size;
}

uint64_t fixbuf_records(const struct fixbuf *f)
{
	(void)f;
	return 0;
}

uint64_t fixbuf_bytes(const struct fixbuf *f)
{
	(void)f;
	return 0;
}

void fixbuf_free(struct fixbuf *f)
{
	(void)f;
}
