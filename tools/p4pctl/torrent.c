/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/torrent.h"

#include "tools/p4pctl/merkle.h"
#include "tools/p4pctl/torrent_reading.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kinds[] = {
	[BDECODE_NUMBER] = "an integer",
	[BDECODE_STRING] = "a string",
	[BDECODE_LIST] = "a list",
	[BDECODE_DICT] = "a dictionary",
};

/* ---- what is wrong ---- */

__attribute__((format(printf, 5, 0))) static void set_wrong(struct reading *r, enum err e,
                                                            const char *where, const uint8_t *at,
                                                            const char *fmt, va_list ap)
{
	char text[sizeof(r->fault->text)];
	if (r->wrong != ERR_OK || r->d.bad != NULL)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	r->wrong = fault_set(r->fault, e, where, "%s", text);
	*r->byte = (size_t)(at - r->start);
	r->d.bad = "";
}

void reading_wrong(struct reading *r, enum err e, unsigned depth, const uint8_t *at,
                   const char *fmt, ...)
{
	struct text where = { 0 };
	va_list ap;
	bdecode_path(&r->d, depth, &where);
	va_start(ap, fmt);
	set_wrong(r, e, where.size > 0 ? where.bytes : "/", at, fmt, ap);
	va_end(ap);
	text_done(&where);
}

void reading_wrong_at(struct reading *r, const char *where, const uint8_t *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set_wrong(r, ERR_MALFORMED, where, at, fmt, ap);
	va_end(ap);
}

bool reading_is(const struct bdecode_item *i, const char *key)
{
	return i->key_size == strlen(key) && memcmp(i->key, key, i->key_size) == 0;
}

bool reading_want(struct reading *r, const struct bdecode_item *i, enum bdecode_kind kind)
{
	if (i->kind != kind)
		reading_wrong(r, ERR_MALFORMED, i->depth, i->from, "must be %s, not %s",
		              kinds[kind], kinds[i->kind]);
	return i->kind == kind;
}

/* ---- trackers, web seeds, nodes ---- */

static struct torrent_link *add_link(struct reading *r, enum torrent_link_kind kind,
                                     const struct bdecode_item *i)
{
	struct torrent *t = r->t;
	if (t->n_links == TORRENT_LINKS_MAX) {
		reading_wrong(r, ERR_RANGE, i->depth, i->from,
		              "more than %d trackers, web seeds and nodes", TORRENT_LINKS_MAX);
		return NULL;
	}
	if ((t->n_links & (t->n_links - 1)) == 0) { /* room is a power of two, and it is full */
		const size_t room = t->n_links > 0 ? 2 * t->n_links : 1;
		struct torrent_link *links = realloc(t->links, room * sizeof(*links));
		if (links == NULL) {
			reading_wrong(r, ERR_NOMEM, i->depth, i->from, "out of memory");
			return NULL;
		}
		t->links = links;
	}
	struct torrent_link *link = &t->links[t->n_links++];
	*link = (struct torrent_link){ .kind = kind, .url = i->bytes, .size = i->size };
	return link;
}

static void read_announce(struct reading *r, const struct bdecode_item *i)
{
	if (reading_want(r, i, BDECODE_STRING) && i->size > 0)
		(void)add_link(r, LINK_TRACKER, i); /* tier 0 so far */
}

/* A list of lists; keys are sorted, so "announce" came before. */
static void read_announce_list(struct reading *r, const struct bdecode_item *list)
{
	struct bdecode_item tier, url;
	if (!reading_want(r, list, BDECODE_LIST))
		return;
	for (unsigned n = 1; bdecode_child(&r->d, 2, &tier) && reading_want(r, &tier, BDECODE_LIST);
	     n++) {
		while (bdecode_child(&r->d, 3, &url) && reading_want(r, &url, BDECODE_STRING)) {
			struct torrent_link *link =
				url.size > 0 ? add_link(r, LINK_TRACKER, &url) : NULL;
			if (link != NULL)
				link->tier = n;
		}
	}
}

/* An "announce" that the list has too is left out; without a list it is the one tier (BEP 12). */
static void settle_announce(struct torrent *t)
{
	size_t first = 0, same = 0, listed = 0;
	while (first < t->n_links &&
	       (t->links[first].kind != LINK_TRACKER || t->links[first].tier > 0))
		first++;
	if (first == t->n_links)
		return;
	const struct torrent_link announce = t->links[first];
	for (size_t i = 0; i < t->n_links; i++) {
		const struct torrent_link *l = &t->links[i];
		listed += l->kind == LINK_TRACKER && l->tier > 0;
		same += l->kind == LINK_TRACKER && l->tier > 0 && l->size == announce.size &&
		        memcmp(l->url, announce.url, l->size) == 0;
	}
	if (listed == 0) {
		t->links[first].tier = 1;
	} else if (same > 0) {
		t->n_links--;
		memmove(&t->links[first], &t->links[first + 1],
		        (t->n_links - first) * sizeof(announce));
	}
}

/* One URL, or a list of some. */
static void read_seeds(struct reading *r, enum torrent_link_kind kind, const struct bdecode_item *i)
{
	struct bdecode_item url;
	if (i->kind == BDECODE_STRING) {
		if (i->size > 0)
			(void)add_link(r, kind, i);
	} else if (reading_want(r, i, BDECODE_LIST)) {
		while (bdecode_child(&r->d, 2, &url) && reading_want(r, &url, BDECODE_STRING))
			if (url.size > 0)
				(void)add_link(r, kind, &url);
	}
}

/* [[host, port], ...] */
static void read_nodes(struct reading *r, const struct bdecode_item *list)
{
	struct bdecode_item node, host, port;
	if (!reading_want(r, list, BDECODE_LIST))
		return;
	while (bdecode_child(&r->d, 2, &node) && reading_want(r, &node, BDECODE_LIST)) {
		if (!bdecode_child(&r->d, 3, &host) || host.kind != BDECODE_STRING ||
		    !bdecode_child(&r->d, 3, &port) || port.kind != BDECODE_NUMBER ||
		    port.number < 1 || port.number > UINT16_MAX) {
			reading_wrong(r, ERR_MALFORMED, 2, node.from, "must be a host and a port");
			return;
		}
		struct torrent_link *link = add_link(r, LINK_DHT_NODE, &host);
		if (link != NULL)
			link->port = (uint16_t)port.number;
	}
}

/* ---- info ---- */

static void read_piece_length(struct reading *r, const struct bdecode_item *i)
{
	if (!reading_want(r, i, BDECODE_NUMBER))
		return;
	if (i->number < 1 || i->number > 1 << 30)
		reading_wrong(r, ERR_RANGE, i->depth, i->from, "must be between 1 and %d", 1 << 30);
	r->piece_length = i->from;
	r->t->piece_length = (uint64_t)i->number;
}

static void read_pieces(struct reading *r, const struct bdecode_item *i)
{
	if (!reading_want(r, i, BDECODE_STRING))
		return;
	if (i->size == 0 || i->size % SHA1_DIGEST_SIZE != 0)
		reading_wrong(r, ERR_MALFORMED, i->depth, i->from,
		              "must be 20 bytes for each piece, not %zu in all", i->size);
	r->pieces = i->from;
	r->n_hashes = i->size / SHA1_DIGEST_SIZE;
}

static void read_info_item(struct reading *r, const struct bdecode_item *i)
{
	struct torrent *t = r->t;
	uint64_t size;
	if (reading_is(i, "file tree")) {
		read_file_tree(r, i);
	} else if (reading_is(i, "files")) {
		read_v1_files(r, i);
	} else if (reading_is(i, "length")) {
		r->length = true;
		r->n_v1_files = 1;
		reading_length(r, i, &size, &r->v1_size);
		r->v1_plain = r->v1_size;
	} else if (reading_is(i, "meta version") && reading_want(r, i, BDECODE_NUMBER)) {
		r->version = i->number;
		if (i->number != 1 && i->number != 2)
			reading_wrong(r, ERR_RANGE, 2, i->from, "must be 2: no other is known");
	} else if (reading_is(i, "name") && reading_want(r, i, BDECODE_STRING)) {
		reading_component(r, i, i->bytes, i->size);
		t->name = i->bytes;
		t->name_size = i->size;
	} else if (reading_is(i, "piece length")) {
		read_piece_length(r, i);
	} else if (reading_is(i, "pieces")) {
		read_pieces(r, i);
	} else if (reading_is(i, "private")) {
		t->private = i->kind == BDECODE_NUMBER && i->number == 1;
		t->private_odd = i->kind != BDECODE_NUMBER || (uint64_t)i->number > 1;
	}
}

static void judge_v1(struct reading *r)
{
	const uint64_t size = r->v1_size, piece = r->t->piece_length;
	const uint64_t need = size > 0 ? (size - 1) / piece + 1 : 0;
	if (r->length == r->files)
		reading_wrong_at(r, "/info", r->info, "must have either \"length\" or \"files\"");
	else if (r->v1_plain == 0)
		reading_wrong_at(r, "/info", r->info, "must share at least one byte");
	else if (r->n_hashes != need)
		reading_wrong_at(r, "/info/pieces", r->pieces,
		                 "has %zu hashes; %llu bytes in pieces of %llu need %llu",
		                 r->n_hashes, (unsigned long long)size, (unsigned long long)piece,
		                 (unsigned long long)need);
}

static void judge_v2(struct reading *r)
{
	const uint64_t n = r->t->piece_length;
	if (!r->tree)
		reading_wrong_at(r, "/info", r->info, "must have a \"file tree\" (meta version 2)");
	else if (n < MERKLE_BLOCK || (n & (n - 1)) != 0)
		reading_wrong_at(r, "/info/piece length", r->piece_length,
		                 "must be a power of two and at least 16384 (meta version 2)");
	else if (r->v2_size == 0)
		reading_wrong_at(r, "/info/file tree", r->info, "must share at least one byte");
	else if (r->t->v1 && (r->v1_plain != r->v2_size || r->n_v1_files != r->n_v2_files))
		reading_wrong_at(
			r, "/info", r->info,
			"v1 has %llu files of %llu bytes, v2 %llu of %llu: must be the same",
			(unsigned long long)r->n_v1_files, (unsigned long long)r->v1_plain,
			(unsigned long long)r->n_v2_files, (unsigned long long)r->v2_size);
}

static uint64_t count_v2_pieces(const struct reading *r)
{
	uint64_t n = r->n_small;
	for (size_t i = 0; i < r->n_large; i++)
		n += (r->large[i].size - 1) / r->t->piece_length + 1;
	return n;
}

static void hash_info(struct torrent *t, const uint8_t *info, size_t size)
{
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	sha1_init(&sha1);
	sha1_update(&sha1, size, info);
	sha1_digest(&sha1, sizeof(t->v1_hash), t->v1_hash);
	sha256_init(&sha256);
	sha256_update(&sha256, size, info);
	sha256_digest(&sha256, sizeof(t->v2_hash), t->v2_hash);
}

static void read_info(struct reading *r, const struct bdecode_item *dict)
{
	struct torrent *t = r->t;
	struct bdecode_item i;
	if (!reading_want(r, dict, BDECODE_DICT))
		return;
	r->info = dict->from;
	while (bdecode_child(&r->d, 2, &i))
		read_info_item(r, &i);
	if (r->d.bad != NULL)
		return;
	t->v1 = r->pieces != NULL;
	t->v2 = r->version == 2;
	if (t->name == NULL)
		reading_wrong_at(r, "/info", r->info, "must have a \"name\"");
	else if (r->piece_length == NULL)
		reading_wrong_at(r, "/info", r->info, "must have a \"piece length\"");
	else if (!t->v1 && !t->v2)
		reading_wrong_at(
			r, "/info", r->info,
			"must have \"pieces\" (v1) or \"meta version\" 2 and a \"file tree\" (v2)");
	if (r->d.bad == NULL && t->v1)
		judge_v1(r);
	if (r->d.bad == NULL && t->v2)
		judge_v2(r);
	if (r->d.bad != NULL)
		return;
	t->size = t->v2 ? r->v2_size : r->v1_plain;
	t->n_files = t->v2 ? r->n_v2_files : r->n_v1_files;
	t->n_pieces = t->v1 ? r->n_hashes : count_v2_pieces(r);
	hash_info(t, dict->from, (size_t)(r->d.in.at - dict->from));
}

/* ---- the whole ---- */

static void read_root(struct reading *r)
{
	struct bdecode_item root, i;
	if (!bdecode_next(&r->d, &root) || !reading_want(r, &root, BDECODE_DICT))
		return;
	while (bdecode_child(&r->d, 1, &i)) {
		if (reading_is(&i, "announce"))
			read_announce(r, &i);
		else if (reading_is(&i, "announce-list"))
			read_announce_list(r, &i);
		else if (reading_is(&i, "httpseeds"))
			read_seeds(r, LINK_HTTP_SEED, &i);
		else if (reading_is(&i, "info"))
			read_info(r, &i);
		else if (reading_is(&i, "nodes"))
			read_nodes(r, &i);
		else if (reading_is(&i, "piece layers") && r->t->v2)
			read_piece_layers(r, &i);
		else if (reading_is(&i, "private"))
			r->t->private_outside = true;
		else if (reading_is(&i, "url-list"))
			read_seeds(r, LINK_WEB_SEED, &i);
	}
	(void)bdecode_next(&r->d, &i); /* nothing may follow */
	if (r->info == NULL)
		reading_wrong_at(r, "/", root.from, "must have an \"info\"");
	for (size_t f = 0; r->t->v2 && f < r->n_large; f++)
		if (r->large[f].size > r->t->piece_length && !r->large[f].seen)
			reading_wrong_at(
				r, "/piece layers", r->large[f].root,
				"must have this file's \"pieces root\": it is larger than a piece");
}

/* What the walk itself found, as a fault. */
static void say_bad(struct reading *r)
{
	struct text where = { 0 };
	bdecode_path(&r->d, r->d.depth, &where);
	r->wrong = fault_set(r->fault, r->d.in.bad ? ERR_TRUNCATED : ERR_MALFORMED,
	                     where.size > 0 ? where.bytes : "/", "%s", r->d.bad);
	*r->byte = (size_t)(r->d.at - r->start);
	text_done(&where);
}

enum err torrent_read(const void *bytes, size_t size, struct torrent *out, struct fault *fault,
                      size_t *byte)
{
	struct torrent t = { 0 };
	struct reading r = { .d = bdecode_over(bytes, size),
		             .start = bytes,
		             .t = &t,
		             .fault = fault,
		             .byte = byte };
	r.d.strict = true;
	*byte = 0;
	if (size > TORRENT_SIZE_MAX)
		return fault_set(fault, ERR_RANGE, "/", "a torrent has at most %d bytes",
		                 TORRENT_SIZE_MAX);
	read_root(&r);
	if (r.wrong == ERR_OK && r.d.bad != NULL)
		say_bad(&r);
	free(r.large);
	settle_announce(&t);
	if (r.wrong == ERR_OK)
		*out = t;
	else
		torrent_done(&t);
	return r.wrong;
}

void torrent_done(struct torrent *t)
{
	free(t->links);
	*t = (struct torrent){ 0 };
}
