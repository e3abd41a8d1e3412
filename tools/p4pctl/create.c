/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/create.h"

#include "common/codec/bencode.h"
#include "tools/p4pctl/creating.h"
#include "tools/p4pctl/tracker_url.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t zeros[MERKLE_BLOCK];

uint64_t create_piece_length(uint64_t size)
{
	uint64_t n = PIECE_LENGTH_MIN;
	while (n < 16 << 20 && size / 2000 >= n)
		n *= 2;
	return n;
}

/* ---- hashing ---- */

static void end_v1_piece(struct making *m)
{
	uint8_t hash[SHA1_DIGEST_SIZE];
	sha1_digest(&m->sha1, sizeof(hash), hash); /* and begins anew */
	text_add(&m->pieces, hash, sizeof(hash));
	m->filled = 0;
}

static void take_v1(struct making *m, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		const uint64_t room = m->piece - m->filled;
		const size_t n = size < room ? size : (size_t)room;
		sha1_update(&m->sha1, n, bytes);
		m->filled += n;
		if (m->filled == m->piece)
			end_v1_piece(m);
		bytes += n;
		size -= n;
	}
}

/* The root of the blocks of a piece; `levels` above them. */
static void end_v2_piece(struct making *m, struct made_file *f)
{
	uint8_t root[MERKLE_HASH];
	merkle_root(m->blocks, m->n_blocks, zeros, merkle_levels(m->piece / MERKLE_BLOCK), root);
	text_add(&f->layer, root, sizeof(root));
	m->n_blocks = 0;
}

static void take_block(struct making *m, struct made_file *f, const uint8_t *bytes, size_t size)
{
	struct sha256_ctx hash;
	take_v1(m, bytes, size);
	if (!m->c->hybrid)
		return;
	sha256_init(&hash);
	sha256_update(&hash, size, bytes);
	sha256_digest(&hash, MERKLE_HASH, m->blocks[m->n_blocks++]);
	if (f->size > m->piece && m->n_blocks == m->piece / MERKLE_BLOCK)
		end_v2_piece(m, f);
}

static void end_v2_file(struct making *m, struct made_file *f)
{
	if (f->size <= m->piece) {
		merkle_root(m->blocks, m->n_blocks, zeros, merkle_levels(m->n_blocks), f->root);
		m->n_blocks = 0;
		return;
	}
	if (m->n_blocks > 0)
		end_v2_piece(m, f);
	const size_t n = f->layer.size / MERKLE_HASH;
	uint8_t pad[MERKLE_HASH];
	uint8_t(*hashes)[MERKLE_HASH] = malloc(f->layer.size + 1);
	if (hashes == NULL || f->layer.bad) {
		f->layer.bad = true;
		free(hashes);
		return;
	}
	memcpy(hashes, f->layer.bytes, f->layer.size);
	merkle_root(NULL, 0, zeros, merkle_levels(m->piece / MERKLE_BLOCK), pad);
	merkle_root(hashes, n, pad, merkle_levels(n), f->root);
	free(hashes);
}

/* What v1 must have after a file, so that the next begins with a piece as in v2. */
static uint64_t padding(const struct making *m, size_t i)
{
	const uint64_t over = m->files[i].size % m->piece;
	return m->c->hybrid && over > 0 && i + 1 < m->n ? m->piece - over : 0;
}

static enum err hash_files(struct making *m)
{
	enum err e = ERR_OK;
	m->blocks = calloc((size_t)(m->piece / MERKLE_BLOCK), MERKLE_HASH);
	if (m->blocks == NULL)
		return making_fault(m, ERR_NOMEM, m->root, "out of memory");
	sha1_init(&m->sha1);
	for (size_t i = 0; i < m->n && e == ERR_OK; i++) {
		struct made_file *f = &m->files[i];
		e = making_read(m, f, take_block);
		if (m->c->hybrid && f->size > 0 && e == ERR_OK)
			end_v2_file(m, f);
		for (uint64_t left = padding(m, i); left > 0;) {
			const size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
			take_v1(m, zeros, n);
			left -= n;
		}
		if (f->layer.bad)
			e = making_fault(m, ERR_NOMEM, f->path, "out of memory");
	}
	if (m->filled > 0)
		end_v1_piece(m);
	return e;
}

/* ---- writing ---- */

/* Calls for each component of a path; returns the last. */
static const char *write_folders(const char *path,
                                 void (*each)(struct bencode *, const char *, size_t),
                                 struct bencode *b)
{
	for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1)
		each(b, path, (size_t)(slash - path));
	return path;
}

static void write_part(struct bencode *b, const char *name, size_t size)
{
	bencode_bytes(b, name, size);
}

static void write_v1_files(struct bencode *b, const struct making *m)
{
	bencode_key(b, "files");
	bencode_list(b);
	for (size_t i = 0; i < m->n; i++) {
		const uint64_t pad = padding(m, i);
		char name[24];
		bencode_dict(b);
		bencode_key(b, "length");
		bencode_int(b, (int64_t)m->files[i].size);
		bencode_key(b, "path");
		bencode_list(b);
		bencode_string(b, write_folders(m->files[i].path, write_part, b));
		bencode_end(b);
		bencode_end(b);
		if (pad == 0)
			continue;
		bencode_dict(b); /* BEP 47 */
		bencode_key(b, "attr");
		bencode_string(b, "p");
		bencode_key(b, "length");
		bencode_int(b, (int64_t)pad);
		bencode_key(b, "path");
		bencode_list(b);
		bencode_string(b, ".pad");
		(void)snprintf(name, sizeof(name), "%llu", (unsigned long long)pad);
		bencode_string(b, name);
		bencode_end(b);
		bencode_end(b);
	}
	bencode_end(b);
}

/* Folders nest deeper than struct bencode counts, so their marks are written by hand. */
static void open_folder(struct bencode *b, const char *name, size_t size)
{
	bencode_bytes(b, name, size);
	text_put(b->out, "d");
}

static void write_file_tree(struct bencode *b, const struct making *m)
{
	const char *before = "";
	bencode_key(b, "file tree");
	text_put(b->out, "d");
	for (size_t i = 0; i <= m->n; i++) {
		const char *path = i < m->n ? m->files[i].path : "";
		size_t same = 0; /* bytes of the folders that both are in */
		for (size_t k = 0; path[k] != '\0' && path[k] == before[k]; k++)
			same = path[k] == '/' ? k + 1 : same;
		for (const char *s = before + same; (s = strchr(s, '/')) != NULL; s++)
			text_put(b->out, "e");
		if (i == m->n)
			break;
		bencode_string(b, write_folders(path + same, open_folder, b));
		text_put(b->out, "d0:d6:length");
		bencode_int(b, (int64_t)m->files[i].size);
		if (m->files[i].size > 0) {
			text_put(b->out, "11:pieces root");
			bencode_bytes(b, m->files[i].root, MERKLE_HASH);
		}
		text_put(b->out, "ee");
		before = path;
	}
	text_put(b->out, "e");
}

static void write_info(struct bencode *b, const struct making *m)
{
	const char *name = strrchr(m->root, '/') + 1;
	bencode_key(b, "info");
	bencode_dict(b);
	if (m->c->hybrid)
		write_file_tree(b, m);
	if (m->folder)
		write_v1_files(b, m);
	else {
		bencode_key(b, "length");
		bencode_int(b, (int64_t)m->size);
	}
	if (m->c->hybrid) {
		bencode_key(b, "meta version");
		bencode_int(b, 2);
	}
	bencode_key(b, "name");
	bencode_string(b, name);
	bencode_key(b, "piece length");
	bencode_int(b, (int64_t)m->piece);
	bencode_key(b, "pieces");
	bencode_bytes(b, m->pieces.bytes, m->pieces.size);
	if (!m->c->public) {
		bencode_key(b, "private");
		bencode_int(b, 1);
	}
	bencode_end(b);
}

static int by_root(const void *a, const void *b)
{
	const struct made_file *x = a, *y = b;
	return memcmp(x->root, y->root, MERKLE_HASH);
}

/* Sorts the files: the last use of them. */
static void write_piece_layers(struct bencode *b, struct making *m)
{
	const struct made_file *last = NULL;
	qsort(m->files, m->n, sizeof(*m->files), by_root);
	bencode_key(b, "piece layers");
	bencode_dict(b);
	for (size_t i = 0; i < m->n; i++) {
		const struct made_file *f = &m->files[i];
		if (f->layer.size == 0 || (last != NULL && by_root(last, f) == 0))
			continue;
		bencode_raw_key(b, f->root, MERKLE_HASH);
		bencode_bytes(b, f->layer.bytes, f->layer.size);
		last = f;
	}
	bencode_end(b);
}

static void write_announce(struct bencode *b, const struct create *c)
{
	bencode_key(b, "announce");
	bencode_string(b, c->trackers[0]);
	if (c->n_trackers == 1)
		return;
	bencode_key(b, "announce-list");
	bencode_list(b);
	for (size_t i = 0; i < c->n_trackers; i++) {
		bencode_list(b);
		bencode_string(b, c->trackers[i]);
		bencode_end(b);
	}
	bencode_end(b);
}

static void write_torrent(struct making *m, struct text *out)
{
	const struct create *c = m->c;
	struct bencode b = { .out = out };
	bencode_dict(&b);
	write_announce(&b, c);
	if (c->comment != NULL) {
		bencode_key(&b, "comment");
		bencode_string(&b, c->comment);
	}
	if (c->date >= 0) {
		bencode_key(&b, "creation date");
		bencode_int(&b, c->date);
	}
	write_info(&b, m);
	if (c->hybrid)
		write_piece_layers(&b, m);
	if (c->n_web_seeds > 0) {
		bencode_key(&b, "url-list");
		bencode_list(&b);
		for (size_t i = 0; i < c->n_web_seeds; i++)
			bencode_string(&b, c->web_seeds[i]);
		bencode_end(&b);
	}
	bencode_end(&b);
}

/* ---- the whole ---- */

static enum err check_urls(struct making *m)
{
	const struct create *c = m->c;
	struct tracker_url url;
	if (c->n_trackers == 0)
		return making_fault(m, ERR_MALFORMED, "--tracker",
		                    "at least one announce URL is needed");
	for (size_t i = 0; i < c->n_trackers; i++)
		if (!tracker_url_parse(c->trackers[i], strlen(c->trackers[i]), &url) ||
		    url.scheme == SCHEME_OTHER || (url.scheme == SCHEME_UDP && url.port == 0))
			return making_fault(
				m, ERR_MALFORMED, c->trackers[i],
				"must be an announce URL, as http://HOST:PORT/announce or "
				"udp://HOST:PORT/announce");
	for (size_t i = 0; i < c->n_web_seeds; i++) {
		const size_t size = strlen(c->web_seeds[i]);
		if (!tracker_url_parse(c->web_seeds[i], size, &url) || url.scheme > SCHEME_HTTPS)
			return making_fault(m, ERR_MALFORMED, c->web_seeds[i],
			                    "must be an http or https URL");
		if (m->folder && c->web_seeds[i][size - 1] != '/')
			return making_fault(m, ERR_MALFORMED, c->web_seeds[i],
			                    "must end with a slash: it is of a folder (BEP 19)");
	}
	return ERR_OK;
}

static enum err make(struct making *m, struct text *name, struct text *out)
{
	const uint64_t given = m->c->piece_length;
	if (given != 0 &&
	    (given < PIECE_LENGTH_MIN || given > PIECE_LENGTH_MAX || (given & (given - 1)) != 0))
		return making_fault(m, ERR_RANGE, "--piece-length",
		                    "must be a power of two between %d and %d", PIECE_LENGTH_MIN,
		                    PIECE_LENGTH_MAX);
	enum err e = making_list(m);
	if (e == ERR_OK)
		e = check_urls(m);
	if (e != ERR_OK)
		return e;
	m->piece = given != 0 ? given : create_piece_length(m->size);
	e = hash_files(m);
	if (e != ERR_OK)
		return e;
	text_put(name, strrchr(m->root, '/') + 1);
	write_torrent(m, out);
	if (name->bad || out->bad || m->pieces.bad)
		return making_fault(m, ERR_NOMEM, m->root, "out of memory");
	return ERR_OK;
}

enum err create_torrent(const struct create *c, struct text *name, struct text *out,
                        struct fault *fault)
{
	struct making m = { .c = c, .fault = fault };
	const enum err e = make(&m, name, out);
	for (size_t i = 0; i < m.n; i++) {
		free(m.files[i].path);
		text_done(&m.files[i].layer);
	}
	free(m.files);
	free(m.blocks);
	free(m.root);
	text_done(&m.pieces);
	return e;
}
