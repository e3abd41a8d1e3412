/* SPDX-License-Identifier: Apache-2.0 */
/* What admins say of providers' claims: ASNs and delegated prefixes. */
#include "server/store/claims.h"
#include "common/map/document.h"
#include "server/api/body.h"
#include "server/api/routes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Is the first part of the path a name? Otherwise the answer is given. */
static bool names_provider(struct call *c)
{
	if (body_is_name(c->path.part[0]))
		return true;
	call_problem(c, 400, "provider: 1 to 64 letters, digits or any of -_.:@");
	return false;
}

/* ---- ASNs ---- */

static void put_asns(struct text *t, const char *provider, const struct store_asn *list, size_t n)
{
	text_put(t, "{\"provider\":");
	text_json_string(t, provider);
	text_put(t, ",\"asns\":[");
	for (size_t i = 0; i < n; i++)
		text_printf(t, "%s%u", i > 0 ? "," : "", (unsigned)list[i].asn);
	text_put(t, "]}\n");
}

static void tell_asns(struct call *c)
{
	struct store_asn *list = NULL;
	size_t n = 0;
	const enum err e = store_asns(c->use->store, c->path.part[0], &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no ASNs");
		return;
	}
	put_asns(call_json(c, 200), c->path.part[0], list, n);
	free(list);
}

void asns_get(struct call *c)
{
	if (names_provider(c))
		tell_asns(c);
}

/* At most MAP_ASNS_MAX into `out`; returns how many there are. */
static size_t read_asns(const json_t *body, uint32_t *out, struct faults *faults)
{
	const json_t *list = json_object_get(body, "asns"), *value;
	char where[32];
	size_t i, n = 0;
	if (!json_is_array(list) || json_array_size(list) > MAP_ASNS_MAX) {
		(void)faults_add(faults, ERR_MALFORMED, "wrong-type", "/asns",
		                 "must be a list of at most %d AS numbers; an empty one unbinds",
		                 MAP_ASNS_MAX);
		return 0;
	}
	json_array_foreach(list, i, value)
	{
		const json_int_t asn = json_integer_value(value);
		(void)snprintf(where, sizeof(where), "/asns/%zu", i);
		if (asn < 1 || asn >= UINT32_MAX)
			(void)faults_add(faults, ERR_RANGE, "out-of-range", where,
			                 "must be an AS number: 1 to 4294967294");
		else
			out[n++] = (uint32_t)asn;
	}
	return n;
}

static void bind_asns(struct call *c, json_t *body, struct faults *faults)
{
	static const char *const keys[] = { "asns", NULL };
	uint32_t asns[MAP_ASNS_MAX];
	body_reject_unknown(body, keys, faults);
	const size_t n = read_asns(body, asns, faults);
	if (faults->count > 0) {
		call_refused(c, faults);
		return;
	}
	const enum err e = store_asns_set(c->use->store, c->path.part[0], asns, n, c->who.name);
	if (e == ERR_OK)
		tell_asns(c);
	else
		call_failed(c, e, "no such provider");
}

void asns_put(struct call *c)
{
	if (!names_provider(c))
		return;
	json_t *body = call_body_object(c);
	if (body == NULL)
		return;
	struct faults *faults = faults_new();
	if (faults == NULL)
		call_failed(c, ERR_NOMEM, "");
	else
		bind_asns(c, body, faults);
	faults_free(faults);
	json_decref(body);
}

/* ---- delegations ---- */

void delegations_get(struct call *c)
{
	const char *provider = c->who.provider[0] != '\0' ? c->who.provider : NULL;
	struct store_delegation *list = NULL;
	size_t n = 0;
	const enum err e = store_delegations(c->use->store, provider, &list, &n);
	if (e != ERR_OK) {
		call_failed(c, e, "no delegations");
		return;
	}
	struct text *t = call_json(c, 200);
	text_put(t, "{\"delegations\":[");
	for (size_t i = 0; i < n; i++) {
		text_put(t, i > 0 ? ",{\"provider\":" : "{\"provider\":");
		text_json_string(t, list[i].provider);
		call_put_string(t, "prefix", list[i].prefix);
		call_put_string(t, "author", list[i].author);
		call_put_time(t, "added", list[i].added);
		text_put(t, "}");
	}
	text_put(t, "]}\n");
	free(list);
}

/* The prefix in the path, as it is printed. false: it is none, and the answer says so. */
static bool read_prefix(struct call *c, char out[static IP_PREFIX_TEXT_SIZE])
{
	struct ip_prefix p = { 0 };
	const enum err e = ip_prefix_parse(c->path.part[1], &p);
	if (e == ERR_OK) {
		ip_prefix_print(&p, out);
		return true;
	}
	if (e == ERR_RANGE && p.addr.family != IP_NONE) {
		ip_prefix_print(&p, out);
		call_problem(c, 400, "prefix: \"%s\" has host bits; %s is meant?", c->path.part[1],
		             out);
	} else {
		call_problem(c, 400, "prefix: must be such as 192.0.2.0/24 (in a URL, %%2F for /)");
	}
	return false;
}

void delegation_put(struct call *c)
{
	char prefix[IP_PREFIX_TEXT_SIZE];
	if (!names_provider(c) || !read_prefix(c, prefix))
		return;
	call_empty(c, store_delegation_add(c->use->store, c->path.part[0], prefix, c->who.name),
	           "this prefix is delegated to another provider; end that first");
}

void delegation_delete(struct call *c)
{
	char prefix[IP_PREFIX_TEXT_SIZE];
	if (!names_provider(c) || !read_prefix(c, prefix))
		return;
	call_empty(c, store_delegation_remove(c->use->store, c->path.part[0], prefix, c->who.name),
	           "this prefix is not delegated to this provider");
}
