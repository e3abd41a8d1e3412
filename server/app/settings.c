/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/settings.h"

#include "common/bridge/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The greatest value of each option. */
enum {
#define OPTION(kind, name, def, min, max, choices, when, help) MOST_##name = (max),
#include "server/config/options.def" /* NOLINT(bugprone-suspicious-include): the table */
#undef OPTION
};
_Static_assert((int)MOST_peer_timeout <= (int)BRIDGE_ENDS_MAX,
               "who met whom is told apart so long");

enum err settings_prefixes(const char *option, const char *list, struct ip_prefix **out, size_t *n,
                           struct fault *fault)
{
	char word[IP_PREFIX_TEXT_SIZE];
	/* At most one prefix for every two characters. */
	struct ip_prefix *prefixes = calloc(strlen(list) / 2 + 1, sizeof(*prefixes));
	if (prefixes == NULL)
		return fault_set(fault, ERR_NOMEM, option, "out of memory");
	for (*n = 0;; ++*n) {
		list += strspn(list, " \t");
		const size_t size = strcspn(list, " \t");
		if (size == 0)
			break;
		const size_t kept = size < sizeof(word) ? size : sizeof(word) - 1;
		memcpy(word, list, kept);
		word[kept] = '\0';
		if (kept < size || ip_prefix_parse(word, &prefixes[*n]) != ERR_OK) {
			free(prefixes);
			return fault_set(
				fault, ERR_MALFORMED, option,
				"'%s' is no prefix such as 192.0.2.0/24, with zero host bits",
				word);
		}
		list += size;
	}
	*out = prefixes;
	return ERR_OK;
}

static bool has_word(const char *list, const char *word)
{
	const size_t size = strlen(word);
	for (const char *at = list; (at = strstr(at, word)) != NULL; at++)
		if ((at == list || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
			return true;
	return false;
}

enum err settings_roles(const char *list, struct settings_roles *out, struct fault *fault)
{
	static const char *const known[] = { "tracker", "api", "collector" };
	size_t words = 0, right = 0;
	for (const char *at = list; *(at += strspn(at, " ")) != '\0'; at += strcspn(at, " "))
		words++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		right += has_word(list, known[i]);
	if (words == 0 || words != right)
		return fault_set(fault, ERR_RANGE, "roles",
		                 "must be some of tracker, api and collector, each once, not '%s'",
		                 list);
	*out = (struct settings_roles){ .tracker = has_word(list, known[0]),
		                        .api = has_word(list, known[1]),
		                        .collector = has_word(list, known[2]) };
	return ERR_OK;
}

/* As browsers write them, for they are compared letter by letter. */
static bool is_origin(const char *word, size_t size)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-._:[]";
	const size_t scheme = strncmp(word, "https://", 8) == 0  ? 8
	                      : strncmp(word, "http://", 7) == 0 ? 7
	                                                         : 0;
	return scheme > 0 && size > scheme && scheme + strspn(word + scheme, good) == size;
}

enum err settings_origins(const char *list, struct fault *fault)
{
	for (const char *at = list; *(at += strspn(at, " ")) != '\0'; at += strcspn(at, " ")) {
		const size_t size = strcspn(at, " ");
		if (!is_origin(at, size))
			return fault_set(
				fault, ERR_MALFORMED, "api_cors_origins",
				"'%.*s' is no origin such as https://noc.example.net or "
				"http://localhost:3000, in small letters and without a path",
				(int)size, at);
	}
	return ERR_OK;
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
	const enum err e =
		settings_prefixes("proxies", c->proxies, &s.proxies, &s.n_proxies, fault);
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
