/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Log lines for the operator: one line each on standard error, a sentence and then key=value.
 *
 * Levels as journald reads them ("<4>warning"): LOG_ERROR = something was not done, LOG_WARNING =
 * it was done another way, LOG_NOTE = worth knowing once. Only app, net, store, api, geo and tools
 * may log (a lint checks it); packets never do, they count.
 *
 * Threading: any thread; a line is written whole.
 */

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTE = 5 };

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
