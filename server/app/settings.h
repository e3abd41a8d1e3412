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

/* Prefixes, separated by blanks, of an option. free() the list. */
enum err settings_prefixes(const char *option, const char *list, struct ip_prefix **out, size_t *n,
                           struct fault *fault) must_check;

struct settings_roles {
	bool tracker, api, collector;
};
enum err settings_roles(const char *list, struct settings_roles *out,
                        struct fault *fault) must_check;

/* Origins of pages, separated by blanks: "https://noc.example.net http://localhost:3000". */
enum err settings_origins(const char *list, struct fault *fault) must_check;

/* What the policy and its parameters are called in reports: "p4p 70/80", "bridge 20/130/115". */
void settings_policy(const struct config *c, char out[static ACCOUNTING_POLICY_MAX]);

void settings_done(struct tracker_settings *s);
