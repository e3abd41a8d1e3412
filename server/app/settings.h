/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From options to what modules want.
 */

#include "server/config/config.h"
#include "server/tracker/tracker.h"

/* What SIGHUP may change. settings_done() frees the proxies. */
enum err settings_make(const struct config *c, struct tracker_settings *out,
                       struct fault *fault) must_check;
/* What the policy and its parameters are called in reports: "p4p 70/80", "bridge 20/130/115". */
void settings_policy(const struct config *c, char out[static ACCOUNTING_POLICY_MAX]);

void settings_done(struct tracker_settings *s);
