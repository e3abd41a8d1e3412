/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What answers about map documents share. */

#include "server/api/call.h"

const char *document_kind(enum store_kind kind);

/* What changed, or would; `state` is what the version is now, NULL in a dry run. */
void document_changed(struct call *c, unsigned status, const char *state,
                      const struct maps_change *change);

/* Any failure of server/maps; `what` was not found. */
void document_failed(struct call *c, enum err e, const char *what, const struct faults *faults);

/* The parameter "watch" in seconds; *out as it was when it is absent. false: the answer says why. */
bool document_watch(struct call *c, uint64_t *out);

/* The parameter "limit" of an impact's lists. false: the answer says why. */
bool document_rows(struct call *c, size_t *out);
