/* SPDX-License-Identifier: Apache-2.0 */
#undef _FORTIFY_SOURCE /* or syslog() is inline, and cannot be ours */
#include "tests/unit/test.h"

#include "server/alarms/system_log.h"

#include <stdarg.h>
#include <syslog.h>

static char line[128];
static int level, facility;

/* In place of the C library's, under either name (_FORTIFY_SOURCE). */
__attribute__((format(printf, 2, 0))) static void keep(int priority, const char *fmt, va_list ap)
{
	level = priority;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
}

__attribute__((visibility("default"))) void syslog(int priority, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	keep(priority, fmt, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *fmt, ...)
	__attribute__((visibility("default"), format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	(void)flag;
	va_list ap;
	va_start(ap, fmt);
	keep(priority, fmt, ap);
	va_end(ap);
}

__attribute__((visibility("default"))) void openlog(const char *name, int option, int where)
{
	(void)option;
	assert_string_equal(name, "p4pd");
	facility = where;
}

static void severities_are_levels(void **state)
{
	(void)state;
	system_log_open();
	assert_int_equal(facility, LOG_DAEMON);
	system_log(SEVERITY_CRITICAL, "a %s is no format");
	assert_int_equal(level, LOG_CRIT);
	assert_string_equal(line, "a %s is no format");
	system_log(SEVERITY_WARNING, "b");
	assert_int_equal(level, LOG_WARNING);
	system_log(SEVERITY_INFO, "c");
	assert_int_equal(level, LOG_NOTICE);
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(severities_are_levels) };

RUN_TESTS(tests)
