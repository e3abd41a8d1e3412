/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/peer_file.h"

#include "common/base/log.h"
#include "server/app/peer_rounds.h"
#include "server/disk/disk.h"

#include <stdlib.h>

enum { LOOK_SECONDS = 5 };

static enum err load(const char *path, struct peer_set **out, int64_t *made, struct fault *fault)
{
	struct peer_rounds_path at;
	char *bytes = NULL;
	size_t size = 0;
	if (!peer_rounds_split(path, &at))
		return fault_set(fault, ERR_RANGE, path, "names no file");
	enum err e = disk_read(at.dir, at.name, &bytes, &size, fault);
	if (e == ERR_NOT_FOUND)
		return fault_set(fault, e, path, "the tracker has not written it yet");
	if (e == ERR_OK && (e = peer_set_import(bytes, size, out, made)) != ERR_OK)
		(void)fault_set(fault, e, path, "it is no file of live peers");
	free(bytes);
	return e;
}

static bool is_old(int64_t made, int64_t now)
{
	return made < now - PEER_FILE_OLD || made > now + PEER_FILE_OLD;
}

static void say(struct peer_file *f, enum err e, const struct fault *fault)
{
	if (e != f->said && e != ERR_OK)
		log_line(LOG_WARNING, "Which bytes are p2p is not known. file=%s why=%s",
		         fault->where, fault->text);
	else if (e != f->said)
		log_line(LOG_NOTE, "Which bytes are p2p is known now. file=%s", f->path);
	f->said = e;
}

/* It was read already, and nothing better would come of it now. */
static bool is_settled(const struct peer_file *f, const struct stat *st, int64_t now)
{
	if (st->st_ino != f->inode || st->st_size != f->size ||
	    st->st_mtim.tv_sec != f->changed.tv_sec || st->st_mtim.tv_nsec != f->changed.tv_nsec)
		return false;
	return f->made == 0 || f->in_force != is_old(f->made, now);
}

/* What is read again at the next look is not kept in mind. */
static void keep_in_mind(struct peer_file *f, const struct stat *st, enum err e, int64_t made)
{
	const bool may_pass = e == ERR_NOT_FOUND || e == ERR_SYSTEM || e == ERR_NOMEM;
	f->changed = may_pass ? (struct timespec){ 0 } : st->st_mtim;
	f->inode = st->st_ino;
	f->size = st->st_size;
	f->made = made;
}

bool peer_file_look(struct peer_file *f, int64_t now, struct peer_set **out)
{
	struct fault fault = { 0 };
	struct stat st = { 0 };
	int64_t made = 0;
	if (now < f->look_at && f->look_at - now <= LOOK_SECONDS)
		return false;
	f->look_at = now + LOOK_SECONDS;
	const bool there = stat(f->path, &st) == 0;
	if (there && is_settled(f, &st, now))
		return false;
	*out = NULL;
	enum err e = load(f->path, out, &made, &fault);
	keep_in_mind(f, &st, e, made);
	if (e == ERR_OK && is_old(made, now)) {
		e = fault_set(&fault, ERR_RANGE, f->path,
		              "it was made %lld seconds ago, and at most %d are believed",
		              (long long)(now - made), PEER_FILE_OLD);
		peer_set_free(*out);
		*out = NULL;
	}
	f->in_force = e == ERR_OK;
	say(f, e, &fault);
	return true;
}
