/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const words[] = {
		[LOG_ERROR] = "error: ", [LOG_WARNING] = "warning: ", [LOG_NOTE] = ""
	};
	char line[1024];
	size_t n = 0;
	va_list ap;

	if (getenv("JOURNAL_STREAM") != NULL) { /* journald stamps the line and reads the level */
		n = (size_t)snprintf(line, sizeof(line), "<%d>", (int)level);
	} else {
		const time_t now = time(NULL);
		struct tm tm;
		if (gmtime_r(&now, &tm) != NULL)
			n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%SZ ", &tm);
	}
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%s", words[level]);
	va_start(ap, fmt);
	const int more = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (more > 0)
		n += (size_t)more;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n); /* one call, so that lines of threads do not mix */
}
