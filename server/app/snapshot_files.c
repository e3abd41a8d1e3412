/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/snapshot_files.h"

#include "server/disk/disk.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKSUM_SIZE = 32, MAGIC_SIZE = 8, HEAD_SIZE = MAGIC_SIZE + 8 + 4 };

/* When the bytes are written, or read. */
struct moment {
	uint32_t now;
	uint64_t elapsed; /* since they were written */
};

/* One of the files. */
struct kind {
	const char *name, *magic;
	void (*put)(const struct snapshot_files *f, unsigned shard, uint32_t now, struct text *out);
	enum err (*take)(const struct snapshot_files *f, unsigned shard, struct reader *r,
	                 struct moment m);
};

static void put_swarms(const struct snapshot_files *f, unsigned shard, uint32_t now,
                       struct text *out)
{
	swarm_export(f->swarms, shard, now, out);
}

/* They find their shards by themselves. */
static enum err take_swarms(const struct snapshot_files *f, unsigned shard, struct reader *r,
                            struct moment m)
{
	(void)shard;
	return swarm_import(f->swarms, r, m.now, m.elapsed);
}

static void put_bridges(const struct snapshot_files *f, unsigned shard, uint32_t now,
                        struct text *out)
{
	swarm_hold(f->swarms, shard);
	bridge_export(f->bridges, shard, now, out);
	swarm_release(f->swarms, shard);
}

static enum err take_bridges(const struct snapshot_files *f, unsigned shard, struct reader *r,
                             struct moment m)
{
	if (shard >= f->shards)
		return ERR_MALFORMED;
	return bridge_import(f->bridges, shard, r, m.now, m.elapsed);
}

static const struct kind swarms = { "swarms", "P4PSWRM2", put_swarms, take_swarms };
static const struct kind bridges = { "bridges", "P4PBRDG1", put_bridges, take_bridges };

static void checksum(const void *bytes, size_t size, uint8_t out[static CHECKSUM_SIZE])
{
	(void)crypto_generichash(out, CHECKSUM_SIZE, bytes, size, NULL, 0);
}

static void add_u32(struct text *t, uint32_t v)
{
	v = htobe32(v);
	text_add(t, &v, sizeof(v));
}

static enum err save(const struct snapshot_files *f, const struct kind *kind, uint32_t now,
                     int64_t unix_now, struct fault *fault)
{
	struct text file = { 0 };
	uint8_t sum[CHECKSUM_SIZE];
	const uint64_t written = htobe64((uint64_t)unix_now);

	text_add(&file, kind->magic, MAGIC_SIZE);
	text_add(&file, &written, sizeof(written));
	add_u32(&file, f->shards);
	for (unsigned i = 0; i < f->shards; i++) {
		const size_t at = file.size;
		add_u32(&file, 0);
		kind->put(f, i, now, &file);
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
		file.bad ? fault_set(fault, ERR_NOMEM, kind->name, "out of memory")
			 : disk_replace(f->dir, kind->name, 0600, file.bytes, file.size, fault);
	text_done(&file);
	return e;
}

enum err snapshot_files_save(const struct snapshot_files *f, uint32_t now, int64_t unix_now,
                             struct fault *fault)
{
	const enum err e = save(f, &swarms, now, unix_now, fault);
	return e == ERR_OK ? save(f, &bridges, now, unix_now, fault) : e;
}

/* Lifetimes are relative to the moment of export: the time spent down is over. */
static enum err take(const struct snapshot_files *f, const struct kind *kind, struct reader *r,
                     uint32_t now, int64_t unix_now)
{
	if (reader_take(r, MAGIC_SIZE) == NULL)
		return ERR_TRUNCATED;
	const uint64_t written = reader_u64(r);
	const uint32_t shards = reader_u32(r);
	const struct moment m = { .now = now,
		                  .elapsed = (uint64_t)unix_now > written
		                                     ? (uint64_t)unix_now - written
		                                     : 0 };
	for (uint32_t i = 0; i < shards && !r->bad; i++) {
		const uint32_t size = reader_u32(r);
		const uint8_t *bytes = reader_take(r, size);
		if (bytes == NULL)
			return ERR_TRUNCATED;
		struct reader shard = reader_over(bytes, size);
		const enum err e = kind->take(f, i, &shard, m);
		if (e != ERR_OK)
			return e;
	}
	return r->bad ? ERR_TRUNCATED : ERR_OK;
}

static enum err load(const struct snapshot_files *f, const struct kind *kind, uint32_t now,
                     int64_t unix_now, struct fault *fault)
{
	uint8_t sum[CHECKSUM_SIZE];
	char *bytes;
	size_t size;
	enum err e = disk_read(f->dir, kind->name, &bytes, &size, fault);
	if (e != ERR_OK)
		return e;
	if (size < HEAD_SIZE + CHECKSUM_SIZE || memcmp(bytes, kind->magic, MAGIC_SIZE) != 0) {
		free(bytes);
		return fault_set(fault, ERR_MALFORMED, kind->name, "is no snapshot of that");
	}
	checksum(bytes, size - CHECKSUM_SIZE, sum);
	if (memcmp(sum, bytes + size - CHECKSUM_SIZE, CHECKSUM_SIZE) != 0)
		e = fault_set(fault, ERR_MALFORMED, kind->name,
		              "is damaged: its checksum is wrong");
	struct reader r = reader_over(bytes, size - CHECKSUM_SIZE);
	if (e == ERR_OK && take(f, kind, &r, now, unix_now) != ERR_OK)
		e = fault_set(fault, ERR_MALFORMED, kind->name, "is of another format");
	free(bytes);
	return e;
}

/* Without swarms nobody is there who could have met. */
enum err snapshot_files_load(const struct snapshot_files *f, uint32_t now, int64_t unix_now,
                             struct fault *fault)
{
	enum err e = load(f, &swarms, now, unix_now, fault);
	if (e != ERR_OK)
		return e;
	e = load(f, &bridges, now, unix_now, fault);
	return e == ERR_NOT_FOUND ? ERR_OK : e; /* an older daemon's */
}
