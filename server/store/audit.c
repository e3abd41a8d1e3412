/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/audit.h"

#include "server/store/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { HASH = crypto_hash_sha256_BYTES, BATCH = 10000, FIELDS = 6 };

/* ---- reading ---- */

static void audit_row(const struct work *w, size_t row, void *out)
{
	struct store_audit *a = out;
	a->number = work_u64(w, row, 0);
	a->at = work_i64(w, row, 1);
	work_text(w, row, 2, a->author, sizeof(a->author));
	work_text(w, row, 3, a->action, sizeof(a->action));
	work_text(w, row, 4, a->subject, sizeof(a->subject));
	work_text(w, row, 5, a->provider, sizeof(a->provider));
	work_text(w, row, 6, a->chain, sizeof(a->chain));
}

enum err store_audit(struct store *s, const char *provider, size_t limit, struct store_audit **out,
                     size_t *count)
{
	struct work w = work_begin(s, "read the audit log");
	(void)work_run(&w,
	               "SELECT number, extract(epoch FROM at)::bigint, author, action, subject, "
	               "provider, encode(chain, 'hex') FROM audit "
	               "WHERE $2::text IS NULL OR provider = $2 "
	               "ORDER BY number DESC LIMIT least($1::numeric, 1000000)",
	               ARGS(arg_u64(limit), arg_text(provider)));
	size_t n = 0;
	struct store_audit *list = work_list(&w, sizeof(*list), audit_row, &n);
	const enum err e = work_end(&w);
	if (e != ERR_OK) {
		free(list);
		return e;
	}
	*out = list;
	*count = n;
	return ERR_OK;
}

static struct store_head no_rows(void)
{
	struct store_head head = { .number = 0 };
	memset(head.chain, '0', STORE_CHAIN_DIGITS);
	return head;
}

enum err store_audit_head(struct store *s, struct store_head *out)
{
	struct work w = work_begin(s, "read the audit log's head");
	struct store_head head = no_rows();
	if (work_run(&w,
	             "SELECT number, encode(chain, 'hex') FROM audit ORDER BY number DESC LIMIT 1",
	             NULL) == 1) {
		head.number = work_u64(&w, 0, 0);
		work_text(&w, 0, 1, head.chain, sizeof(head.chain));
	}
	const enum err e = work_end(&w);
	if (e == ERR_OK)
		*out = head;
	return e;
}

/* ---- verifying ---- */

/* A walk along the chain: where it is, and what it has found. */
struct walk {
	struct store_audit_check check;
	const struct store_head *noted;
	uint8_t link[HASH];
};

static void break_at(struct walk *k, uint64_t number, const char *why)
{
	k->check.broken = number;
	(void)snprintf(k->check.why, sizeof(k->check.why), "%s", why);
}

/* As audit_link() in the schema: from the hash before to that of this row. */
static void link_row(uint8_t link[static HASH], const struct work *w, size_t row)
{
	crypto_hash_sha256_state h;
	char length[24];
	(void)crypto_hash_sha256_init(&h);
	(void)crypto_hash_sha256_update(&h, link, HASH);
	for (int i = 0; i < FIELDS; i++) {
		const size_t size = work_size(w, row, i);
		(void)snprintf(length, sizeof(length), "%s%zu:", i > 0 ? "," : "", size);
		(void)crypto_hash_sha256_update(&h, (const uint8_t *)length, strlen(length));
		(void)crypto_hash_sha256_update(&h, (const uint8_t *)work_view(w, row, i), size);
	}
	(void)crypto_hash_sha256_final(&h, link);
}

static void step(struct walk *k, const struct work *w, size_t row)
{
	const uint64_t number = work_u64(w, row, 0);
	char computed[STORE_CHAIN_DIGITS + 1];
	if (number == 0 || number > INT64_MAX) { /* nor a negative one, which is no uint64_t */
		break_at(k, 1, "there are rows before the first, which are no part of the chain");
		return;
	}
	/* Whoever makes the chain anew may leave a number out, and the gap fits as well as any other. */
	if (k->noted != NULL && k->check.head.number < k->noted->number &&
	    number > k->noted->number) {
		break_at(k, number, "the row before it, whose head was noted, is missing");
		return;
	}
	link_row(k->link, w, row);
	text_hex(k->link, HASH, computed);
	if (strcmp(computed, work_view(w, row, FIELDS)) != 0) {
		break_at(k, number,
		         number > k->check.head.number + 1
		                 ? "rows before it are missing, or it was altered"
		                 : "it was altered, or put in the place of another");
		return;
	}
	k->check.rows++;
	k->check.head.number = number;
	memcpy(k->check.head.chain, computed, sizeof(computed));
	if (k->noted != NULL && k->noted->number == number &&
	    strcmp(k->noted->chain, computed) != 0)
		break_at(k, number,
		         "it is not the row whose head was noted: the chain up to it was "
		         "written anew");
}

/* The next rows; *more: there may be others behind them. */
static enum err walk_on(struct store *s, struct walk *k, bool *more)
{
	struct work w = work_begin(s, "verify the audit log");
	const size_t n = work_run(
		&w,
		"SELECT number, (extract(epoch FROM at) * 1000000)::bigint, author, action, subject, "
		"coalesce(provider, ''), encode(chain, 'hex') FROM audit "
		"WHERE number > $1 OR (number < 1 AND $1 = 0) ORDER BY number LIMIT $2::bigint",
		ARGS(arg_u64(k->check.head.number), arg_u64(BATCH)));
	for (size_t i = 0; i < n && k->check.broken == 0; i++)
		step(k, &w, i);
	*more = n == BATCH && k->check.broken == 0;
	return work_end(&w);
}

enum err store_audit_verify(struct store *s, const struct store_head *noted,
                            struct store_audit_check *out)
{
	struct walk k = { .noted = noted };
	k.check.head = no_rows();
	bool more = true;
	while (more) {
		const enum err e = walk_on(s, &k, &more);
		if (e != ERR_OK)
			return e;
	}
	if (k.check.broken == 0 && noted != NULL && noted->number > k.check.head.number)
		break_at(&k, k.check.head.number + 1,
		         "it is missing, and so are those behind it: a later head was noted");
	*out = k.check;
	return ERR_OK;
}
