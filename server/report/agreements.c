/* SPDX-License-Identifier: Apache-2.0 */
#include "server/report/agreements.h"

#include "server/report/terms.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* What a document names beside itself. */
struct names {
	const char *provider, *id, *time_zone;
	const struct terms_names *interconnects;
	uint32_t peer_asn; /* 0: none */
};

static enum err parse(const struct agreement_upload *u, struct arena *arena, struct names *names,
                      struct faults *faults)
{
	struct terms_contract *c;
	struct terms_policy *p;
	enum err e;
	if (u->kind == STORE_CONTRACT) {
		e = terms_contract_parse(u->body, u->size, arena, &c, faults);
		if (e == ERR_OK)
			*names = (struct names){ c->provider, c->id, c->contract.time_zone,
				                 &c->interconnects, 0 };
	} else {
		e = terms_policy_parse(u->body, u->size, arena, &p, faults);
		if (e == ERR_OK)
			*names = (struct names){ p->provider, p->id, p->time_zone,
				                 &p->interconnects, p->peer_asn };
	}
	return e;
}

/* ---- what only the rest of the world tells ---- */

static const struct store_interconnect *find(const struct store_interconnect *all, size_t n,
                                             const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].id, id) == 0)
			return &all[i];
	return NULL;
}

static bool leads_to(const struct store_interconnect *all, size_t n, uint32_t asn)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].in_force && all[i].neighbor_asn == asn)
			return true;
	return false;
}

static void check_interconnects(const struct names *names, const struct store_interconnect *all,
                                size_t n, struct faults *faults)
{
	char where[32];
	for (size_t i = 0; i < names->interconnects->n; i++) {
		if (find(all, n, names->interconnects->name[i]) != NULL)
			continue;
		(void)snprintf(where, sizeof(where), "/interconnects/%zu", i);
		(void)faults_add(faults, ERR_NOT_FOUND, "unknown-interconnect", where,
		                 "provider %s has no interconnect \"%s\"", names->provider,
		                 names->interconnects->name[i]);
	}
	if (names->peer_asn != 0 && !leads_to(all, n, names->peer_asn))
		(void)faults_add(faults, ERR_NOT_FOUND, "unknown-peer", "/peer_asn",
		                 "no interconnect in force of provider %s leads to AS%u",
		                 names->provider, names->peer_asn);
}

static void check_names(const struct agreement_upload *u, const struct names *names,
                        struct faults *faults)
{
	if (strcmp(names->provider, u->provider) != 0)
		(void)faults_add(faults, ERR_MALFORMED, "provider", "/provider",
		                 "is put as one of provider %s", u->provider);
	if (strcmp(names->id, u->id) != 0)
		(void)faults_add(faults, ERR_MALFORMED, "id", "/id", "is put as \"%s\"", u->id);
}

static enum err check_time_zone(struct store *s, const struct names *names, struct faults *faults)
{
	const struct store_calendar calendar = { .zone = names->time_zone, .kind = STORE_MONTH };
	struct store_period period;
	struct fault why;
	const enum err e = store_period(s, &calendar, 0, &period, &why);
	if (e == ERR_NOT_FOUND)
		(void)faults_add(faults, e, "time-zone", "/tz", "%s", why.text);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err check(struct store *s, const struct agreement_upload *u, const struct names *names,
                      struct faults *faults)
{
	struct store_interconnect *all;
	size_t n;
	check_names(u, names, faults);
	enum err e = check_time_zone(s, names, faults);
	if (e == ERR_OK)
		e = store_interconnects(s, u->provider, &all, &n);
	if (e != ERR_OK)
		return e;
	check_interconnects(names, all, n, faults);
	free(all);
	return faults->count > 0 ? ERR_MALFORMED : ERR_OK;
}

/* ---- entry ---- */

static void hash(const char *body, size_t size, char out[static 65])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	(void)crypto_hash_sha256(digest, (const unsigned char *)body, size);
	text_hex(digest, sizeof(digest), out);
}

static enum err keep(struct store *s, const struct agreement_upload *u,
                     struct agreement_change *change)
{
	const struct store_agreement_change c = { .kind = u->kind,
		                                  .provider = u->provider,
		                                  .id = u->id,
		                                  .document = u->body,
		                                  .size = u->size,
		                                  .sha256 = change->sha256,
		                                  .author = u->author,
		                                  .expected = u->expected };
	const enum err e = store_agreement_change(s, &c, &change->version);
	change->unchanged = e == ERR_EXISTS;
	return change->unchanged ? ERR_OK : e;
}

enum err agreement_put(struct store *s, const struct agreement_upload *u,
                       struct agreement_change *change, struct faults *faults)
{
	struct names names;
	struct arena *arena = arena_new(TERMS_ARENA);
	enum err e = arena == NULL ? ERR_NOMEM : parse(u, arena, &names, faults);
	if (e == ERR_OK)
		e = check(s, u, &names, faults);
	*change = (struct agreement_change){ 0 };
	hash(u->body, u->size, change->sha256);
	if (e == ERR_OK && !u->dry_run)
		e = keep(s, u, change);
	arena_free(arena);
	return e;
}
