/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/access.h"

#include "common/base/log.h"
#include "server/disk/disk.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hashes {
	uint8_t (*list)[INFO_HASH_SIZE];
	size_t n, room;
};

static enum err add(struct hashes *h, const void *bytes)
{
	if (h->n == h->room) {
		const size_t room = 2 * h->room + 256;
		void *more = realloc(h->list, room * sizeof(*h->list));
		if (more == NULL)
			return ERR_NOMEM;
		h->list = more;
		h->room = room;
	}
	memcpy(h->list[h->n++], bytes, INFO_HASH_SIZE);
	return ERR_OK;
}

/* One line: a hash, a comment or nothing. Cuts `line` at its end. */
static enum err add_line(struct hashes *h, char *line, const char *where, struct fault *fault)
{
	uint8_t bytes[INFO_HASH_SIZE];
	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t\r");
	line[strcspn(line, " \t\r")] = '\0';
	if (*line == '\0')
		return ERR_OK;
	if (!text_unhex(line, bytes, sizeof(bytes)))
		return fault_set(fault, ERR_MALFORMED, where,
		                 "'%.50s' is no info-hash of 40 hexadecimal digits", line);
	return add(h, bytes);
}

static enum err add_file(struct hashes *h, const char *dir, const char *name, struct fault *fault)
{
	char *bytes, *line, where[128];
	size_t size, number = 0;
	enum err e = disk_read(dir, name, &bytes, &size, fault);
	if (e != ERR_OK)
		return e;
	for (char *next = bytes; e == ERR_OK && (line = strsep(&next, "\n")) != NULL;) {
		(void)snprintf(where, sizeof(where), "%.100s line %zu", name, ++number);
		e = add_line(h, line, where, fault);
	}
	free(bytes);
	return e;
}

static void keep_copy(const char *state_dir, const struct store_hash *list, size_t n)
{
	struct fault fault;
	struct text copy = { 0 };
	char hex[2 * INFO_HASH_SIZE + 1];
	text_put(&copy, "# Allowed through the API; written by p4pd.\n");
	for (size_t i = 0; i < n; i++) {
		text_hex(list[i].bytes, INFO_HASH_SIZE, hex);
		text_printf(&copy, "%s\n", hex);
	}
	const enum err e =
		copy.bad ? fault_set(&fault, ERR_NOMEM, "access", "out of memory")
			 : disk_replace(state_dir, "access", 0644, copy.bytes, copy.size, &fault);
	text_done(&copy);
	if (e != ERR_OK)
		log_line(LOG_WARNING,
		         "The copy of the access list could not be written; a start without "
		         "PostgreSQL will use an older one. file=%s why=%s",
		         fault.where, fault.text);
}

/* What the API allowed, or its copy. */
static enum err add_stored(struct hashes *h, const struct config *c, struct store *store,
                           struct fault *fault)
{
	struct store_hash *list;
	size_t n;
	enum err e = store_access_list(store, &list, &n);
	if (e != ERR_OK) {
		e = add_file(h, c->state_dir, "access", fault);
		return e == ERR_OK || e == ERR_NOT_FOUND ? ERR_AWAY : e;
	}
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = add(h, list[i].bytes);
	if (e == ERR_OK)
		keep_copy(c->state_dir, list, n);
	free(list);
	return e;
}

enum err access_load(const struct config *c, struct store *store, struct tracker *tracker,
                     struct fault *fault)
{
	struct hashes h = { 0 };
	const bool open = strcmp(c->access, "open") == 0;
	enum err e = ERR_OK;
	if (!open && c->access_file[0] != '\0') {
		e = add_file(&h, c->access_file[0] == '/' ? "" : ".", c->access_file, fault);
		if (e == ERR_NOT_FOUND)
			(void)fault_set(fault, e, c->access_file, "does not exist");
	}
	if (!open && e == ERR_OK)
		e = add_stored(&h, c, store, fault);
	if ((e == ERR_OK || e == ERR_AWAY) &&
	    tracker_access(tracker, (const uint8_t(*)[INFO_HASH_SIZE])h.list, h.n, open) != ERR_OK)
		e = fault_set(fault, ERR_NOMEM, "access", "out of memory");
	free(h.list);
	return e;
}
