/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/passkeys.h"

#include "common/base/log.h"
#include "server/disk/disk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char copy_name[] = "passkeys";

static void keep_copy(const char *state_dir, const struct store_passkey *keys, size_t n)
{
	struct fault fault;
	struct text copy = { 0 };
	char hex[2 * PASSKEY_HASH_SIZE + 1];
	text_put(&copy, "# hash, peers, announces per minute; written by p4pd\n");
	for (size_t i = 0; i < n; i++) {
		text_hex(keys[i].hash, PASSKEY_HASH_SIZE, hex);
		text_printf(&copy, "%s %" PRIu32 " %" PRIu32 "\n", hex, keys[i].max_peers,
		            keys[i].per_minute);
	}
	const enum err e =
		copy.bad ? fault_set(&fault, ERR_NOMEM, copy_name, "out of memory")
			 : disk_replace(state_dir, copy_name, 0600, copy.bytes, copy.size, &fault);
	text_done(&copy);
	if (e != ERR_OK)
		log_line(
			LOG_WARNING,
			"The copy of the passkeys could not be written; a start without PostgreSQL "
			"will use an older one. file=%s why=%s",
			fault.where, fault.text);
}

static bool read_number(char **line, uint32_t *out)
{
	uint64_t n;
	const char *word = strsep(line, " ");
	if (word == NULL || !text_u64(word, strlen(word), &n) || n > UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

static bool read_line(char *line, struct tracker_passkey *out)
{
	const char *hash = strsep(&line, " ");
	return text_unhex(hash, out->hash, sizeof(out->hash)) &&
	       read_number(&line, &out->max_peers) && read_number(&line, &out->per_minute) &&
	       line == NULL;
}

/* Of a damaged copy nothing is taken. ERR_NOT_FOUND: there is none. */
static enum err read_copy(const char *state_dir, struct tracker_passkey **out, size_t *count,
                          struct fault *fault)
{
	char *bytes, *line;
	size_t size, n = 0;
	enum err e = disk_read(state_dir, copy_name, &bytes, &size, fault);
	if (e != ERR_OK)
		return e;
	struct tracker_passkey *keys = calloc(size / PASSKEY_HASH_SIZE + 1, sizeof(*keys));
	if (keys == NULL) {
		free(bytes);
		return fault_set(fault, ERR_NOMEM, copy_name, "out of memory");
	}
	for (char *next = bytes; e == ERR_OK && (line = strsep(&next, "\n")) != NULL;) {
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (!read_line(line, &keys[n++]))
			e = fault_set(fault, ERR_MALFORMED, copy_name,
			              "is damaged; the database has the passkeys");
	}
	free(bytes);
	if (e != ERR_OK) {
		free(keys);
		return e;
	}
	*out = keys;
	*count = n;
	return ERR_OK;
}

static enum err from_store(struct store *store, const char *state_dir, struct tracker_passkey **out,
                           size_t *count)
{
	struct store_passkey *list;
	size_t n;
	enum err e = store_passkeys(store, &list, &n);
	if (e != ERR_OK)
		return e;
	struct tracker_passkey *keys = calloc(n + 1, sizeof(*keys));
	for (size_t i = 0; keys != NULL && i < n; i++) {
		keys[i].max_peers = list[i].max_peers;
		keys[i].per_minute = list[i].per_minute;
		memcpy(keys[i].hash, list[i].hash, sizeof(keys[i].hash));
	}
	if (keys != NULL)
		keep_copy(state_dir, list, n);
	free(list);
	if (keys == NULL)
		return ERR_NOMEM;
	*out = keys;
	*count = n;
	return ERR_OK;
}

enum err passkeys_load(const struct config *c, struct store *store, struct tracker *tracker,
                       struct fault *fault)
{
	struct tracker_passkey *keys = NULL;
	size_t n = 0;
	enum err e = ERR_OK;
	if (strcmp(c->passkeys, "off") != 0) {
		e = store != NULL ? from_store(store, c->state_dir, &keys, &n) : ERR_AWAY;
		if (e != ERR_OK && e != ERR_NOMEM) {
			e = read_copy(c->state_dir, &keys, &n, fault);
			e = e == ERR_OK || e == ERR_NOT_FOUND ? ERR_AWAY : e;
		}
	}
	if ((e == ERR_OK || e == ERR_AWAY) && tracker_passkeys(tracker, keys, n) != ERR_OK)
		e = ERR_NOMEM;
	if (e == ERR_NOMEM)
		(void)fault_set(fault, e, copy_name, "out of memory");
	free(keys);
	return e;
}
