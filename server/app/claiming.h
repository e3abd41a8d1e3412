/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ownership of prefixes in this daemon: options to settings, and what is said of maps in force.
 */

#include "server/alarms/alarms.h"
#include "server/claims/claims.h"
#include "server/config/config.h"
#include "server/maps/maps.h"

/* `c` must outlive them. */
struct claims_settings claiming_settings(const struct config *c);

/* Logs a line for each provider whose map in force would be refused now. */
void claiming_look(struct claims *c, struct maps *m);

/* For the alarms: how old the VRPs are. */
void claiming_tell(struct claims *c, struct alarms_self *out);
