/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {
	[ERR_OK] = "ok",
	[ERR_NOMEM] = "no-memory",
	[ERR_SYSTEM] = "system",
	[ERR_TRUNCATED] = "truncated",
	[ERR_MALFORMED] = "malformed",
	[ERR_RANGE] = "out-of-range",
	[ERR_NOT_FOUND] = "not-found",
	[ERR_EXISTS] = "exists",
	[ERR_DENIED] = "denied",
	[ERR_BUSY] = "busy",
	[ERR_AWAY] = "away",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == ERR_COUNT_, "every error has a name");

const char *err_name(enum err e)
{
	return (unsigned)e < ERR_COUNT_ ? names[e] : "unknown";
}

/* Text that was cut ends with a whole character (RFC 3629). */
static void end_whole(char *text, size_t size, int wanted)
{
	if (wanted < 0 || (size_t)wanted < size)
		return;
	size_t n = size - 1, back = 0;
	while (back < 3 && back < n && ((uint8_t)text[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back >= n)
		return;
	const uint8_t lead = (uint8_t)text[n - 1 - back];
	const size_t follow = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (follow > back)
		text[n - 1 - back] = '\0';
}

static void fill(struct fault *f, enum err code, const char *kind, const char *where)
{
	f->code = code;
	(void)snprintf(f->kind, sizeof(f->kind), "%s", kind);
	end_whole(f->where, sizeof(f->where), snprintf(f->where, sizeof(f->where), "%s", where));
}

enum err fault_set(struct fault *f, enum err code, const char *where, const char *fmt, ...)
{
	if (f == NULL)
		return code;

	va_list ap;
	va_start(ap, fmt);
	fill(f, code, err_name(code), where);
	end_whole(f->text, sizeof(f->text), vsnprintf(f->text, sizeof(f->text), fmt, ap));
	va_end(ap);
	return code;
}

struct faults *faults_new(void)
{
	return calloc(1, sizeof(struct faults));
}

void faults_free(struct faults *all)
{
	free(all);
}

enum err faults_add(struct faults *all, enum err code, const char *kind, const char *where,
                    const char *fmt, ...)
{
	if (all->count == FAULTS_MAX) {
		all->more++;
		return code;
	}
	struct fault *f = &all->list[all->count++];
	va_list ap;
	va_start(ap, fmt);
	fill(f, code, kind, where);
	end_whole(f->text, sizeof(f->text), vsnprintf(f->text, sizeof(f->text), fmt, ap));
	va_end(ap);
	return code;
}

void must_failed_(const char *cond, const char *file, int line, const char *func)
{
	fprintf(stderr, "%s:%d: %s: broken promise: %s\n", file, line, func, cond);
	abort();
}
