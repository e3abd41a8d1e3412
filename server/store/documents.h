/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Steps of a work that brings documents into force: documents.c and lifecycle.c share them. */

#include "server/store/lifecycle.h"
#include "server/store/query.h"

const char *documents_kind(enum store_kind kind); /* as SQL has it */

/* Of an author's standing; the rows of rights.c that have APPROVE. */
#define DOCUMENTS_MAY_APPROVE "IN ('admin', 'approver')"

struct document_name {
	const char *provider;
	enum store_kind kind;
	uint64_t version;
};

void documents_audit(struct work *w, const struct document_name *d, const char *author,
                     const char *action, const char *reason); /* NULL: none */

/*
 * Who puts something in force does it one at a time from here to the end of the transaction. ERR_BUSY unless
 * the newest activation is the one that was `seen`; NULL: it does not matter.
 */
void documents_take_turn(struct work *w, const uint64_t *seen);

/*
 * The version in force, where it is this very document; else a new one, not in force yet. The caller has
 * locked the provider, and audits.
 */
uint64_t documents_make(struct work *w, const struct store_upload *u);

/* Puts a version in force; returns the number of the activation. */
uint64_t documents_activate(struct work *w, const struct document_name *d, const char *author);

/* ERR_DENIED unless what is in force is among `expected` (store.h). */
void documents_expect(struct work *w, const char *provider, enum store_kind kind,
                      const char *expected);

/* Begins to watch that version, which an activation put in force. */
void documents_look_after(struct work *w, const struct store_map_watch *l, uint64_t version,
                          uint64_t activation);

/* Whatever is watched of the provider is so no longer. */
void documents_end_watch(struct work *w, const char *provider);

/* The interconnects of the topology that came into force. */
struct documents_ports {
	const char *provider;
	const struct store_interconnect *list;
	size_t n;
};
void documents_put_ports(struct work *w, const struct documents_ports *u);
