/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/embed.h"
#include "common/base/log.h"
#include "server/store/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

extern const struct embed_file schema_files[]; /* generated from schema/ */

/* Any number nobody else uses: "p4pd" in ASCII. */
#define MIGRATION_LOCK "1882222692"

/* A daemon that waits for another's migration waits as long as that may take. */
enum { MIGRATION_MS = 600000 };

/* What the database has must be the beginning of what we have. Returns how long that is. */
static size_t compare(struct work *w, struct fault *fault)
{
	const size_t there =
		work_run(w, "SELECT number, name, sha256 FROM migrations ORDER BY number", NULL);
	for (size_t i = 0; i < there; i++) {
		const struct embed_file *ours = &schema_files[i];
		char name[128], sha256[65];
		work_text(w, i, 1, name, sizeof(name));
		work_text(w, i, 2, sha256, sizeof(sha256));
		if (ours->name == NULL) {
			work_fail(w,
			          fault_set(fault, ERR_RANGE, name,
			                    "the database is newer than this program, which ends "
			                    "at %s; run the newer p4pd",
			                    schema_files[i - 1].name));
			return 0;
		}
		if (strcmp(ours->sha256, sha256) != 0 || strcmp(ours->name, name) != 0) {
			work_fail(w, fault_set(fault, ERR_EXISTS, ours->name,
			                       "the database was made by another text of this "
			                       "migration (%s); an applied migration must not "
			                       "change, write a new one",
			                       name));
			return 0;
		}
	}
	return there;
}

enum err store_migrate(struct store *s, struct fault *fault)
{
	struct work w = work_begin(s, "bring the schema up to date");
	work_allow(&w, MIGRATION_MS);
	work_script(&w, "SELECT pg_advisory_xact_lock(" MIGRATION_LOCK ");"
	                "CREATE TABLE IF NOT EXISTS migrations ("
	                " number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
	                " applied timestamptz NOT NULL DEFAULT now())");
	const size_t there = compare(&w, fault);
	for (size_t i = there; w.err == ERR_OK && schema_files[i].name != NULL; i++) {
		const struct embed_file *f = &schema_files[i];
		log_line(LOG_NOTE, "database: applying migration name=%s", f->name);
		work_script(&w, (const char *)f->bytes);
		(void)work_run(&w,
		               "INSERT INTO migrations (number, name, sha256) VALUES ($1, $2, $3)",
		               ARGS(arg_u64(strtoull(f->name, NULL, 10)), arg_text(f->name),
		                    arg_text(f->sha256)));
	}
	const enum err e = work_end(&w);
	if (e == ERR_AWAY || e == ERR_SYSTEM)
		(void)fault_set(fault, e, "database",
		                "the schema could not be brought up to date; "
		                "the log says why");
	return e;
}
