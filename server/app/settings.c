/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err proxies_of(const char *list, struct tracker_settings *s, struct fault *fault)
{
	char word[IP_PREFIX_TEXT_SIZE];
	/* At most one prefix for every two characters. */
	s->proxies = calloc(strlen(list) / 2 + 1, sizeof(*s->proxies));
	if (s->proxies == NULL)
		return fault_set(fault, ERR_NOMEM, "proxies", "out of memory");
	for (;;) {
		list += strspn(list, " \t");
		const size_t n = strcspn(list, " \t");
		if (n == 0)
			return ERR_OK;
		if (n >= sizeof(word))
			return fault_set(fault, ERR_MALFORMED, "proxies", "'%s' is no prefix",
			                 list);
		memcpy(word, list, n);
		word[n] = '\0';
		if (ip_prefix_parse(word, &s->proxies[s->n_proxies]) != ERR_OK)
			return fault_set(
				fault, ERR_MALFORMED, "proxies",
				"'%s' is no prefix such as 192.0.2.0/24, with zero host bits",
				word);
		s->n_proxies++;
		list += n;
	}
}

static enum steer_policy policy_of(const char *name)
{
	unsigned policy = 0;
	while (strcmp(steer_policy_names[policy], name) != 0)
		policy++;
	return policy;
}

static enum tracker_passkeys passkeys_of(const char *choice)
{
	return strcmp(choice, "required") == 0   ? TRACKER_PASSKEYS_REQUIRED
	       : strcmp(choice, "optional") == 0 ? TRACKER_PASSKEYS_OPTIONAL
	                                         : TRACKER_PASSKEYS_OFF;
}

enum err settings_make(const struct config *c, struct tracker_settings *out, struct fault *fault)
{
	const bool paper = strcmp(c->p4p_caps, "70/80") == 0;
	struct tracker_settings s = {
		.rules = { .policy = policy_of(c->policy),
		           .intra_pid_percent = paper ? 70 : 75,
		           .intra_provider_percent = paper ? 80 : 90,
		           .overload_percent = 150,
		           .list_length = (unsigned)c->bridge_list,
		           .free_percent = (unsigned)c->bridge_contacts_free,
		           .paid_percent = (unsigned)c->bridge_contacts_paid },
		.control_percent = (unsigned)c->control_percent,
		.max_peers = (unsigned)c->max_peers,
		.default_peers = (unsigned)c->max_peers,
		.interval = (uint32_t)c->announce_interval,
		.min_interval = (uint32_t)c->min_interval,
		.peer_timeout = (uint32_t)c->peer_timeout,
		.connection_seconds = (uint32_t)c->connection_seconds,
		.lab = c->lab != 0,
		.passkeys = passkeys_of(c->passkeys),
		.forwarded = strcmp(c->proxy_header, "Forwarded") == 0,
		.announces = { limits_pace(c->announces_per_minute_per_address),
		               limits_pace(c->announces_per_minute_per_prefix) },
		.connects = { limits_pace(c->connects_per_minute_per_address),
		              limits_pace(c->connects_per_minute_per_prefix) },
	};
	const enum err e = proxies_of(c->proxies, &s, fault);
	if (e != ERR_OK) {
		settings_done(&s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void settings_policy(const struct config *c, char out[static ACCOUNTING_POLICY_MAX])
{
	switch (policy_of(c->policy)) {
	case STEER_P4P:
		(void)snprintf(out, ACCOUNTING_POLICY_MAX, "p4p %.15s", c->p4p_caps);
		break;
	case STEER_BRIDGE:
		(void)snprintf(out, ACCOUNTING_POLICY_MAX, "bridge %u/%u/%u",
		               (unsigned)c->bridge_list, (unsigned)c->bridge_contacts_free,
		               (unsigned)c->bridge_contacts_paid);
		break;
	case STEER_NATIVE:
	case STEER_POLICIES:
		(void)snprintf(out, ACCOUNTING_POLICY_MAX, "native");
		break;
	}
}

void settings_done(struct tracker_settings *s)
{
	free(s->proxies);
	s->proxies = NULL;
	s->n_proxies = 0;
}
