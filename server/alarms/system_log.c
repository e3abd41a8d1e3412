/* SPDX-License-Identifier: Apache-2.0 */
#include "server/alarms/system_log.h"

#include <syslog.h>

void system_log_open(void)
{
	openlog("p4pd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void system_log(enum alarm_severity severity, const char *line)
{
	static const int levels[SEVERITIES] = { LOG_NOTICE, LOG_WARNING, LOG_CRIT };
	syslog(levels[severity], "%s", line);
}
