/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/access.h"

#include "common/base/log.h"
#include "server/disk/disk.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list that grows: info-hashes, or struct client_prefix. */
struct list {
	uint8_t *items;
	size_t each, n, room;
	struct list *privates; /* of the allowed: where those go, too */
};

static enum err add(struct list *l, const void *item)
{
	if (l->n == l->room) {
		const size_t room = 2 * l->room + 256;
		void *more = realloc(l->items, room * l->each);
		if (more == NULL)
			return ERR_NOMEM;
		l->items = more;
		l->room = room;
	}
	memcpy(l->items + l->n++ * l->each, item, l->each);
	return ERR_OK;
}

/* `rest`: what stands behind the word in its line, "" when nothing does. */
typedef enum err add_word(struct list *l, const char *word, const char *rest, const char *where,
                          struct fault *fault);

static enum err add_hash(struct list *l, const char *word, const char *rest, const char *where,
                         struct fault *fault)
{
	uint8_t bytes[INFO_HASH_SIZE];
	(void)rest;
	if (!text_unhex(word, bytes, sizeof(bytes)))
		return fault_set(fault, ERR_MALFORMED, where,
		                 "'%.50s' is no info-hash of 40 hexadecimal digits", word);
	return add(l, bytes);
}

/* An allowed info-hash, with or without what is known of its torrent. */
static enum err add_allowed(struct list *l, const char *word, const char *rest, const char *where,
                            struct fault *fault)
{
	if (rest[0] != '\0' && strcmp(rest, "private") != 0)
		return fault_set(fault, ERR_MALFORMED, where,
		                 "'%.50s' behind an info-hash: only \"private\" may stand there",
		                 rest);
	const enum err e = add_hash(l, word, rest, where, fault);
	return e == ERR_OK && rest[0] != '\0' ? add_hash(l->privates, word, rest, where, fault) : e;
}

static enum err add_client(struct list *l, const char *word, const char *rest, const char *where,
                           struct fault *fault)
{
	struct client_prefix p = { .size = 0 };
	(void)rest;
	const size_t size = strlen(word);
	if (size > sizeof(p.bytes))
		return fault_set(fault, ERR_MALFORMED, where,
		                 "'%.50s' is longer than a peer id, which has 20 characters", word);
	memcpy(p.bytes, word, size);
	p.size = (uint8_t)size;
	return add(l, &p);
}

/* Cuts off the first word of a line; returns what stands behind it, without blanks at its ends. */
static char *cut_word(char *line)
{
	static const char blanks[] = " \t\r";
	char *rest = line + strcspn(line, blanks);
	if (*rest != '\0')
		*rest++ = '\0';
	rest += strspn(rest, blanks);
	size_t n = strlen(rest);
	while (n > 0 && strchr(blanks, rest[n - 1]) != NULL)
		rest[--n] = '\0';
	return rest;
}

/* One word a line, and perhaps more; # begins a comment. Cuts `bytes` to pieces. */
static enum err add_words(struct list *l, add_word *each, char *bytes, const char *name,
                          struct fault *fault)
{
	char *line, where[128];
	size_t number = 0;
	enum err e = ERR_OK;
	for (char *next = bytes; e == ERR_OK && (line = strsep(&next, "\n")) != NULL;) {
		(void)snprintf(where, sizeof(where), "%.100s line %zu", name, ++number);
		line[strcspn(line, "#")] = '\0';
		line += strspn(line, " \t\r");
		const char *rest = cut_word(line);
		if (*line != '\0')
			e = each(l, line, rest, where, fault);
	}
	return e;
}

/* ERR_NOT_FOUND: no file, without a fault. */
static enum err add_file(struct list *l, add_word *each, const char *dir, const char *name,
                         struct fault *fault)
{
	char *bytes;
	size_t size;
	enum err e = disk_read(dir, name, &bytes, &size, fault);
	if (e != ERR_OK)
		return e;
	e = add_words(l, each, bytes, name, fault);
	free(bytes);
	return e;
}

/* The operator's own file; "" is none. */
static enum err add_own(struct list *l, add_word *each, const char *file, struct fault *fault)
{
	if (file[0] == '\0')
		return ERR_OK;
	const enum err e = add_file(l, each, file[0] == '/' ? "" : ".", file, fault);
	return e == ERR_NOT_FOUND ? fault_set(fault, e, file, "does not exist") : e;
}

static void keep_copy(const char *state_dir, const char *name, const struct text *words)
{
	struct fault fault;
	const enum err e =
		words->bad ? fault_set(&fault, ERR_NOMEM, name, "out of memory")
			   : disk_replace(state_dir, name, 0644, words->bytes, words->size, &fault);
	if (e != ERR_OK)
		log_line(LOG_WARNING,
		         "The copy of an access list could not be written; a start without "
		         "PostgreSQL will use an older one. file=%s why=%s",
		         fault.where, fault.text);
}

/* A list in the store as words, one a line. */
typedef enum err fetch(struct store *store, struct text *words);

static enum err fetch_hashes(struct store *store, enum store_list which, struct text *words)
{
	struct store_hash *list;
	size_t n;
	char hex[2 * INFO_HASH_SIZE + 1];
	const enum err e = store_access_list(store, which, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		text_hex(list[i].bytes, INFO_HASH_SIZE, hex);
		text_printf(words, "%s%s\n", hex, list[i].is_private ? " private" : "");
	}
	free(list);
	return ERR_OK;
}

static enum err fetch_allowed(struct store *store, struct text *words)
{
	return fetch_hashes(store, STORE_ALLOWED, words);
}

static enum err fetch_denied(struct store *store, struct text *words)
{
	return fetch_hashes(store, STORE_DENIED, words);
}

static enum err fetch_clients(struct store *store, struct text *words)
{
	struct store_client *list;
	size_t n;
	const enum err e = store_client_list(store, &list, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		text_printf(words, "%s\n", list[i].prefix);
	free(list);
	return ERR_OK;
}

/* Where a list comes from: the operator's file, and the store or the copy of what it said. */
struct source {
	struct list *list;
	add_word *each;
	const char *file;
	fetch *fetch;
	const char *copy; /* in the state folder */
};

static enum err add_stored(const struct source *s, const struct config *c, struct store *store,
                           struct fault *fault)
{
	struct text words = { 0 };
	text_put(&words, "# From the API; written by p4pd.\n");
	enum err e = store != NULL ? s->fetch(store, &words) : ERR_AWAY;
	if (e == ERR_OK) {
		keep_copy(c->state_dir, s->copy, &words);
		e = words.bad ? fault_set(fault, ERR_NOMEM, s->copy, "out of memory")
		              : add_words(s->list, s->each, words.bytes, s->copy, fault);
	} else {
		e = add_file(s->list, s->each, c->state_dir, s->copy, fault);
		e = e == ERR_OK || e == ERR_NOT_FOUND ? ERR_AWAY : e;
	}
	text_done(&words);
	return e;
}

/* ERR_AWAY: all is there, but from copies. */
static enum err gather(const struct source *sources, size_t n, const struct config *c,
                       struct store *store, struct fault *fault)
{
	bool away = false;
	for (size_t i = 0; i < n; i++) {
		enum err e = add_own(sources[i].list, sources[i].each, sources[i].file, fault);
		if (e == ERR_OK)
			e = add_stored(&sources[i], c, store, fault);
		if (e != ERR_OK && e != ERR_AWAY)
			return e;
		away = away || e == ERR_AWAY;
	}
	return away ? ERR_AWAY : ERR_OK;
}

enum err access_load(const struct config *c, struct store *store, struct tracker *tracker,
                     struct fault *fault)
{
	struct list privates = { .each = INFO_HASH_SIZE }, denied = { .each = INFO_HASH_SIZE };
	struct list allowed = { .each = INFO_HASH_SIZE, .privates = &privates };
	struct list clients = { .each = sizeof(struct client_prefix) };
	const struct source sources[] = {
		{ &denied, add_hash, c->deny_file, fetch_denied, "access.denied" },
		{ &clients, add_client, c->deny_clients_file, fetch_clients, "access.clients" },
		{ &allowed, add_allowed, c->access_file, fetch_allowed, "access" },
	};
	enum err e = gather(sources, 3, c, store, fault);
	const struct tracker_access access = {
		.open = strcmp(c->access, "open") == 0,
		.allowed = allowed.items,
		.n_allowed = allowed.n,
		.privates = privates.items,
		.n_privates = privates.n,
		.denied = denied.items,
		.n_denied = denied.n,
		.clients = (const struct client_prefix *)clients.items,
		.n_clients = clients.n,
	};
	if ((e == ERR_OK || e == ERR_AWAY) && tracker_access(tracker, &access) != ERR_OK)
		e = fault_set(fault, ERR_NOMEM, "access", "out of memory");
	free(allowed.items);
	free(privates.items);
	free(denied.items);
	free(clients.items);
	return e;
}
