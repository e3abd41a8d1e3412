/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * syslog(3), the facility daemon: the only folder that speaks it, for its names collide with log.h's.
 *
 * Threading: open once, before other threads; then any.
 */

#include "server/alarms/rules.h"

void system_log_open(void);
void system_log(enum alarm_severity severity, const char *line);
