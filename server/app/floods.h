/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server/tracker/tracker.h"

/*
 * Who was refused for too many announces since the last call: lines in one form, which deploy/fail2ban
 * knows; a few, however many flood. Once a second; `now`: the swarm store's clock.
 */
void floods_log(struct tracker *t, uint32_t now);
