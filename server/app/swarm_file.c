/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/swarm_file.h"

#include "server/disk/disk.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = { 'P', '4', 'P', 'S', 'W', 'R', 'M', '2' };

enum { CHECKSUM_SIZE = 32, HEAD_SIZE = 8 + 8 + 4 };

static void checksum(const void *bytes, size_t size, uint8_t out[static CHECKSUM_SIZE])
{
	(void)crypto_generichash(out, CHECKSUM_SIZE, bytes, size, NULL, 0);
}

static void add_u32(struct text *t, uint32_t v)
{
	v = htobe32(v);
	text_add(t, &v, sizeof(v));
}

enum err swarm_file_save(struct swarm_store *s, unsigned shards, const char *dir, uint32_t now,
                         int64_t unix_now, struct fault *fault)
{
	struct text file = { 0 };
	uint8_t sum[CHECKSUM_SIZE];
	const uint64_t written = htobe64((uint64_t)unix_now);

	text_add(&file, magic, sizeof(magic));
	text_add(&file, &written, sizeof(written));
	add_u32(&file, shards);
	for (unsigned i = 0; i < shards; i++) {
		const size_t at = file.size;
		add_u32(&file, 0);
		swarm_export(s, i, now, &file);
		if (file.bad || file.size - at - 4 > UINT32_MAX)
			break;
		const uint32_t size = htobe32((uint32_t)(file.size - at - 4));
		memcpy(file.bytes + at, &size, sizeof(size));
	}
	if (!file.bad) {
		checksum(file.bytes, file.size, sum);
		text_add(&file, sum, sizeof(sum));
	}
	const enum err e =
		file.bad ? fault_set(fault, ERR_NOMEM, "swarms", "out of memory")
			 : disk_replace(dir, "swarms", 0600, file.bytes, file.size, fault);
	text_done(&file);
	return e;
}

/* Lifetimes are relative to the moment of export: the time spent down is over. */
static enum err load(struct swarm_store *s, struct reader *r, uint32_t now, int64_t unix_now)
{
	if (reader_take(r, sizeof(magic)) == NULL)
		return ERR_TRUNCATED;
	const uint64_t written = reader_u64(r);
	const uint32_t shards = reader_u32(r);
	const uint64_t down = (uint64_t)unix_now > written ? (uint64_t)unix_now - written : 0;

	for (uint32_t i = 0; i < shards && !r->bad; i++) {
		const uint32_t size = reader_u32(r);
		const uint8_t *bytes = reader_take(r, size);
		if (bytes == NULL)
			return ERR_TRUNCATED;
		struct reader shard = reader_over(bytes, size);
		const enum err e = swarm_import(s, &shard, now, down);
		if (e != ERR_OK)
			return e;
	}
	return r->bad ? ERR_TRUNCATED : ERR_OK;
}

enum err swarm_file_load(struct swarm_store *s, const char *dir, uint32_t now, int64_t unix_now,
                         struct fault *fault)
{
	uint8_t sum[CHECKSUM_SIZE];
	char *bytes;
	size_t size;
	enum err e = disk_read(dir, "swarms", &bytes, &size, fault);
	if (e != ERR_OK)
		return e;
	if (size < HEAD_SIZE + CHECKSUM_SIZE || memcmp(bytes, magic, sizeof(magic)) != 0) {
		free(bytes);
		return fault_set(fault, ERR_MALFORMED, "swarms", "is no swarm snapshot");
	}
	checksum(bytes, size - CHECKSUM_SIZE, sum);
	if (memcmp(sum, bytes + size - CHECKSUM_SIZE, CHECKSUM_SIZE) != 0)
		e = fault_set(fault, ERR_MALFORMED, "swarms", "is damaged: its checksum is wrong");
	struct reader r = reader_over(bytes, size - CHECKSUM_SIZE);
	if (e == ERR_OK && load(s, &r, now, unix_now) != ERR_OK)
		e = fault_set(fault, ERR_MALFORMED, "swarms", "is of another format");
	free(bytes);
	return e;
}
