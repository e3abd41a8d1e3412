/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/state.h"

#include "common/base/log.h"
#include "server/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum err state_open(const char *dir, struct fault *fault)
{
	char path[PATH_MAX];
	const enum err e = disk_folder(dir, 0750, fault);
	if (e != ERR_OK)
		return e;
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	/* Kept open on purpose: the lock ends with the process. */
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, path, "%s", strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return ERR_OK;
	close(fd);
	return fault_set(fault, ERR_BUSY, dir,
	                 "another p4pd uses this state folder; give each its own (state_dir)");
}

enum err state_secret(const char *dir, uint8_t out[static 32], struct fault *fault)
{
	char *bytes;
	size_t size;
	const enum err e = disk_read(dir, "secret", &bytes, &size, fault);
	if (e == ERR_OK && size == 32) {
		memcpy(out, bytes, 32);
		free(bytes);
		return ERR_OK;
	}
	if (e == ERR_OK) {
		free(bytes);
		return fault_set(fault, ERR_MALFORMED, "secret",
		                 "has %zu bytes instead of 32; remove it to have a new one made",
		                 size);
	}
	if (e != ERR_NOT_FOUND)
		return e;
	randombytes_buf(out, 32);
	return disk_replace(dir, "secret", 0600, out, 32, fault);
}

enum err state_auth(const char *dir, struct store *store, struct auth **out, struct fault *fault)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/admin.token", dir);
	const bool is_new = access(path, F_OK) != 0;
	const enum err e = auth_new(store, path, out, fault);
	if (e == ERR_OK && is_new)
		log_line(LOG_NOTE,
		         "A token for the admin was made; it is in this file alone. file=%s", path);
	return e;
}
