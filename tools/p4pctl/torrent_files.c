/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a torrent: v1's list, v2's tree and the hashes of its pieces. */
#include "tools/p4pctl/merkle.h"
#include "tools/p4pctl/torrent_reading.h"

#include <stdlib.h>

static const uint64_t SIZE_OF_ALL_MAX = (uint64_t)1 << 60;

void reading_component(struct reading *r, const struct bdecode_item *i, const uint8_t *name,
                       size_t size)
{
	const bool dots =
		(size == 1 && name[0] == '.') || (size == 2 && memcmp(name, "..", 2) == 0);
	if (size == 0 || dots || memchr(name, '/', size) != NULL ||
	    memchr(name, '\0', size) != NULL)
		reading_wrong(r, ERR_MALFORMED, i->depth, i->from,
		              "must be one name: not empty, no \"..\", no slash");
}

void reading_length(struct reading *r, const struct bdecode_item *i, uint64_t *out, uint64_t *sum)
{
	*out = 0;
	if (!reading_want(r, i, BDECODE_NUMBER))
		return;
	if (i->number < 0 || (uint64_t)i->number > SIZE_OF_ALL_MAX - *sum) {
		reading_wrong(r, ERR_RANGE, i->depth, i->from,
		              "must not be negative, nor make more than 2^60 bytes in all");
		return;
	}
	*out = (uint64_t)i->number;
	*sum += *out;
}

/* ---- v1 ---- */

static void read_path(struct reading *r, const struct bdecode_item *list)
{
	struct bdecode_item part;
	size_t n = 0;
	if (!reading_want(r, list, BDECODE_LIST))
		return;
	for (;
	     bdecode_child(&r->d, list->depth + 1, &part) && reading_want(r, &part, BDECODE_STRING);
	     n++)
		reading_component(r, &part, part.bytes, part.size);
	if (n == 0)
		reading_wrong(r, ERR_MALFORMED, list->depth, list->from, "must have a name");
}

static void read_v1_file(struct reading *r, const struct bdecode_item *file)
{
	struct bdecode_item i;
	bool path = false, length = false, pads = false, links = false; /* BEP 47 */
	uint64_t size = 0;
	while (bdecode_child(&r->d, file->depth + 1, &i)) {
		if (reading_is(&i, "length")) {
			reading_length(r, &i, &size, &r->v1_size);
			length = true;
		} else if (reading_is(&i, "path")) {
			read_path(r, &i);
			path = true;
		} else if (reading_is(&i, "attr") && i.kind == BDECODE_STRING) {
			pads = memchr(i.bytes, 'p', i.size) != NULL;
			links = memchr(i.bytes, 'l', i.size) != NULL;
		}
	}
	if ((!length && !links) || (!path && !pads))
		reading_wrong(r, ERR_MALFORMED, file->depth, file->from,
		              "must have \"length\" and \"path\"");
	r->n_v1_files += !pads;
	r->v1_plain += pads ? 0 : size;
}

void read_v1_files(struct reading *r, const struct bdecode_item *list)
{
	struct bdecode_item file;
	if (!reading_want(r, list, BDECODE_LIST))
		return;
	r->files = true;
	while (bdecode_child(&r->d, list->depth + 1, &file) && reading_want(r, &file, BDECODE_DICT))
		read_v1_file(r, &file);
}

/* ---- v2 ---- */

static void add_large(struct reading *r, const struct bdecode_item *file, struct v2_file f)
{
	if (r->n_large == r->room) {
		const size_t room = r->room > 0 ? 2 * r->room : 16;
		struct v2_file *large = realloc(r->large, room * sizeof(*large));
		if (large == NULL) {
			reading_wrong(r, ERR_NOMEM, file->depth, file->from, "out of memory");
			return;
		}
		r->large = large;
		r->room = room;
	}
	r->large[r->n_large++] = f;
}

/* The dictionary under the empty key, which makes what is above it a file. */
static void read_v2_file(struct reading *r, const struct bdecode_item *file)
{
	static const uint8_t zero[MERKLE_HASH];
	struct v2_file f = { 0 };
	struct bdecode_item i;
	bool length = false;
	while (bdecode_child(&r->d, file->depth + 1, &i)) {
		if (reading_is(&i, "length")) {
			reading_length(r, &i, &f.size, &r->v2_size);
			length = true;
		} else if (reading_is(&i, "pieces root") && reading_want(r, &i, BDECODE_STRING)) {
			if (i.size != MERKLE_HASH || memcmp(i.bytes, zero, MERKLE_HASH) == 0)
				reading_wrong(r, ERR_MALFORMED, i.depth, i.from,
				              "must have 32 bytes, not all zero");
			f.root = i.bytes;
		} else if (reading_is(&i, "attr") && i.kind == BDECODE_STRING &&
		           memchr(i.bytes, 'p', i.size) != NULL) {
			reading_wrong(r, ERR_MALFORMED, i.depth, i.from,
			              "must not have \"p\": nothing pads in v2");
		}
	}
	if (!length || (f.size > 0) != (f.root != NULL))
		reading_wrong(r, ERR_MALFORMED, file->depth, file->from,
		              "must have a \"length\", and a \"pieces root\" unless that is 0");
	if (f.size > MERKLE_BLOCK)
		add_large(r, file, f);
	r->n_small += f.size > 0 && f.size <= MERKLE_BLOCK;
	r->n_v2_files++;
}

void read_file_tree(struct reading *r, const struct bdecode_item *dict)
{
	struct bdecode_item i;
	unsigned file = 0; /* the depth at which only a file may stand, alone */
	if (!reading_want(r, dict, BDECODE_DICT))
		return;
	r->tree = true;
	while (bdecode_within(&r->d, dict->depth + 1, &i) && reading_want(r, &i, BDECODE_DICT)) {
		if (i.depth == file || (i.key_size == 0 && i.depth == dict->depth + 1))
			reading_wrong(
				r, ERR_MALFORMED, i.depth, i.from,
				"must not stand beside the empty key: this is a file or a folder");
		file = i.key_size == 0 ? i.depth : 0;
		if (file > 0)
			read_v2_file(r, &i);
		else
			reading_component(r, &i, i.key, i.key_size);
	}
}

static int by_root(const void *a, const void *b)
{
	const struct v2_file *x = a, *y = b;
	return memcmp(x->root, y->root, MERKLE_HASH);
}

/* The first of the files with that root; files alike share one. */
static struct v2_file *find_large(struct reading *r, const uint8_t *root)
{
	const struct v2_file key = { .root = root };
	struct v2_file *f =
		r->n_large > 0 ? bsearch(&key, r->large, r->n_large, sizeof(key), by_root) : NULL;
	while (f != NULL && f > r->large && by_root(f - 1, &key) == 0)
		f--;
	return f;
}

/* Whether the hashes of a file's pieces make its root. */
static bool has_root(const struct reading *r, const struct bdecode_item *i, const uint8_t *root)
{
	static const uint8_t zero[MERKLE_HASH];
	uint8_t pad[MERKLE_HASH], made[MERKLE_HASH];
	uint8_t(*hashes)[MERKLE_HASH] = malloc(i->size);
	if (hashes == NULL)
		return false;
	memcpy(hashes, i->bytes, i->size);
	merkle_root(NULL, 0, zero, merkle_levels(r->t->piece_length / MERKLE_BLOCK), pad);
	const size_t n = i->size / MERKLE_HASH;
	merkle_root(hashes, n, pad, merkle_levels(n), made);
	free(hashes);
	return memcmp(made, root, MERKLE_HASH) == 0;
}

static void read_layer(struct reading *r, const struct bdecode_item *i)
{
	const uint64_t piece = r->t->piece_length, n = i->size / MERKLE_HASH;
	struct v2_file *f = i->key_size == MERKLE_HASH ? find_large(r, i->key) : NULL;
	if (f == NULL || f->size <= piece) {
		reading_wrong(r, ERR_MALFORMED, 2, i->from,
		              "must stand under the \"pieces root\" of a file larger than a piece");
		return;
	}
	if (i->size % MERKLE_HASH != 0 || n != (f->size - 1) / piece + 1 ||
	    !has_root(r, i, i->key)) {
		reading_wrong(r, ERR_MALFORMED, 2, i->from,
		              "must be the hashes of the file's pieces, which make its root");
		return;
	}
	for (; f < r->large + r->n_large && memcmp(f->root, i->key, MERKLE_HASH) == 0; f++)
		f->seen = (f->size - 1) / piece + 1 == n;
}

void read_piece_layers(struct reading *r, const struct bdecode_item *dict)
{
	struct bdecode_item i;
	if (!reading_want(r, dict, BDECODE_DICT))
		return;
	if (r->n_large > 0)
		qsort(r->large, r->n_large, sizeof(*r->large), by_root);
	while (bdecode_child(&r->d, 2, &i) && reading_want(r, &i, BDECODE_STRING))
		read_layer(r, &i);
}
