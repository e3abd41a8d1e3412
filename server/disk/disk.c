/* SPDX-License-Identifier: Apache-2.0 */
#include "server/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err failed(struct fault *f, const char *path)
{
	return fault_set(f, ERR_SYSTEM, path, "%s", strerror(errno));
}

enum err disk_folder(const char *dir, unsigned mode, struct fault *fault)
{
	if (mkdir(dir, (mode_t)mode) != 0 && errno != EEXIST)
		return failed(fault, dir);
	return ERR_OK;
}

static bool write_all(int fd, const void *bytes, size_t size)
{
	const char *p = bytes;
	while (size > 0) {
		const ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return fsync(fd) == 0;
}

/* The rename itself must reach the disk. */
static bool sync_folder(const char *dir)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const bool synced = fsync(fd) == 0;
	close(fd);
	return synced;
}

enum err disk_replace(const char *dir, const char *name, unsigned mode, const void *bytes,
                      size_t size, struct fault *fault)
{
	char temporary[PATH_MAX], path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)snprintf(temporary, sizeof(temporary), "%s/.%s.new", dir, name);
	const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return failed(fault, temporary);
	const bool written = write_all(fd, bytes, size);
	const int why = errno;
	close(fd);
	errno = why;
	if (!written || rename(temporary, path) != 0) {
		(void)failed(fault, path);
		(void)unlink(temporary);
		return ERR_SYSTEM;
	}
	return sync_folder(dir) ? ERR_OK : failed(fault, dir);
}

enum err disk_changed(const char *dir, const char *name, int64_t *out, struct fault *fault)
{
	char path[PATH_MAX];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (stat(path, &st) != 0)
		return failed(fault, path);
	*out = st.st_ctim.tv_sec;
	return ERR_OK;
}

enum err disk_remove(const char *dir, const char *name, struct fault *fault)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (unlink(path) != 0)
		return failed(fault, path);
	return sync_folder(dir) ? ERR_OK : failed(fault, dir);
}

static enum err read_open(int fd, const char *path, char **out, size_t *size, struct fault *fault)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || st.st_size < 0)
		return failed(fault, path);
	const size_t room = (size_t)st.st_size;
	char *bytes = malloc(room + 1);
	if (bytes == NULL)
		return fault_set(fault, ERR_NOMEM, path, "out of memory");
	size_t got = 0;
	for (ssize_t n; got < room && (n = read(fd, bytes + got, room - got)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(bytes);
			return failed(fault, path);
		}
		got += (size_t)n;
	}
	bytes[got] = '\0';
	*out = bytes;
	*size = got;
	return ERR_OK;
}

enum err disk_read(const char *dir, const char *name, char **out, size_t *size, struct fault *fault)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : failed(fault, path);
	const enum err e = read_open(fd, path, out, size, fault);
	close(fd);
	return e;
}
