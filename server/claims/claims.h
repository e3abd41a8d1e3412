/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who may claim which prefix, as this daemon knows it: the VRPs of a file, and what admins bound and
 * delegated, in the store. What it means is in common/rights/claims.h.
 *
 * A thread of its own reads the file again within ten seconds of a change, and when it is told to. A
 * file that does not read, holds nothing valid or is too old by its own word changes nothing: the VRPs
 * in use stay, and the log says why. VRPs in use that grow too old are told once, and go on to be used:
 * the oldest list of who may originate what is a better judge than none. Their age is a gauge. A VRP that
 * expires is left out from then on (to ten minutes, of many), by reading the same file again; unless nothing
 * that is valid would be left, or a newer file is there and bad.
 *
 * What is in force stays in force, whatever a new file says of it: only uploads and activations ask.
 *
 * Ownership: one for the process. Threading: any thread.
 */

#include "common/rights/claims.h"
#include "server/store/claims.h"

struct claims;

struct claims_settings {
	const char *file; /* "": no RPKI */
	uint64_t max_age_seconds;
	enum claims_unknown unknown;
	bool bound_only;
	bool lab;
};

/* Reads the file before it returns; one that is bad is logged. NULL: out of memory, or of threads. */
struct claims *claims_start(const struct claims_settings *settings, struct store *store);
void claims_stop(struct claims *c); /* NULL is fine */

/*
 * From now on `changed` is called on the thread: soon, and after every new file. It may call
 * claims_judge().
 */
void claims_watch(struct claims *c, void (*changed)(void *ctx), void *ctx);

/* SIGHUP: other settings, and the file is read again soon, changed or not. */
void claims_reload(struct claims *c, const struct claims_settings *settings);

/* How sure it must be of what admins said. */
enum claims_basis {
	CLAIMS_NOW,  /* by the store; ERR_AWAY when it does not answer */
	CLAIMS_SOON, /* by the store; when it is away, as last known, with a warning */
	CLAIMS_KNOWN /* as last known, without asking */
};

/* ERR_MALFORMED: see `faults`. ERR_AWAY, ERR_NOMEM. */
enum err claims_judge(struct claims *c, const char *provider, const struct map_topology *t,
                      enum claims_basis basis, struct faults *faults,
                      struct faults *warnings) must_check;

struct claims_stats {
	bool rpki;              /* there is a file, by the settings */
	uint64_t vrps, expired; /* in use; left out when it was read */
	uint64_t bytes;
	int64_t made;           /* unix seconds: of the VRPs in use; 0: there are none */
	uint64_t read, refused; /* files, since the start */
};
struct claims_stats claims_stats(struct claims *c);
