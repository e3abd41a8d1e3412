/* SPDX-License-Identifier: Apache-2.0 */
/* provider, delegation: what an admin says of providers' claims */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text asns_path(const char *provider)
{
	struct text t = { 0 };
	text_put(&t, "/v1/providers");
	ctl_segment(&t, provider);
	text_put(&t, "/asns");
	return t;
}

/* ---- provider ---- */

static void print_asns(json_t *json)
{
	json_t *asn;
	size_t i;
	json_array_foreach(json_object_get(json, "asns"), i, asn)
		printf("%.0f\n", json_number_value(asn));
}

static enum ctl_exit put_asns(const struct ctl *c, const struct text *body)
{
	struct ctl_request r = { .method = "PUT",
		                 .path = asns_path(c->args[0]),
		                 .body = body,
		                 .content_type = "application/json" };
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json) {
		json_t *json = json_loadb(answer.bytes, answer.size, 0, NULL);
		const size_t n = json_array_size(json_object_get(json, "asns"));
		printf("%s: %zu ASN%s bound\n", c->args[0], n, n == 1 ? "" : "s");
		json_decref(json);
	}
	text_done(&answer);
	return code;
}

enum ctl_exit ctl_provider_bind(const struct ctl *c)
{
	struct text body = { 0 };
	text_put(&body, "{\"asns\":[");
	for (size_t i = 1; i < c->n_args; i++) {
		const char *asn = strncmp(c->args[i], "AS", 2) == 0 ? c->args[i] + 2 : c->args[i];
		uint64_t number;
		if (!text_u64(asn, strlen(asn), &number)) {
			text_done(&body);
			return ctl_fail(CTL_USAGE, "'%s' is no AS number such as 64500 or AS64500",
			                c->args[i]);
		}
		text_printf(&body, "%s%s", i > 1 ? "," : "", asn);
	}
	text_put(&body, "]}");
	const enum ctl_exit code = put_asns(c, &body);
	text_done(&body);
	return code;
}

enum ctl_exit ctl_provider_unbind(const struct ctl *c)
{
	struct text body = { 0 };
	text_put(&body, "{\"asns\":[]}");
	const enum ctl_exit code = put_asns(c, &body);
	text_done(&body);
	return code;
}

enum ctl_exit ctl_provider_asns(const struct ctl *c)
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, asns_path(c->args[0]), &code);
	if (json != NULL && !c->json)
		print_asns(json);
	json_decref(json);
	return code;
}

/* ---- delegation ---- */

static enum ctl_exit change_each(const struct ctl *c, const char *method, const char *done)
{
	enum ctl_exit code = CTL_OK;
	for (size_t i = 1; i < c->n_args && code == CTL_OK; i++) {
		struct ctl_request r = { .method = method };
		struct text answer = { 0 };
		text_put(&r.path, "/v1/delegations");
		ctl_segment(&r.path, c->args[0]);
		ctl_segment(&r.path, c->args[i]);
		code = ctl_ask(c, &r, &answer);
		if (code == CTL_OK && !c->json)
			printf("%s %s %s\n", c->args[i], done, c->args[0]);
		text_done(&answer);
	}
	return code;
}

enum ctl_exit ctl_delegation_add(const struct ctl *c)
{
	return change_each(c, "PUT", "is delegated to");
}

enum ctl_exit ctl_delegation_remove(const struct ctl *c)
{
	return change_each(c, "DELETE", "is no longer delegated to");
}

enum ctl_exit ctl_delegation_list(const struct ctl *c)
{
	static const char *const heads[] = { "PREFIX", "PROVIDER", "BY", "ADDED", NULL };
	static const char *const members[] = { "prefix", "provider", "author", "added" };
	struct text path = { 0 };
	text_put(&path, "/v1/delegations");
	return ctl_table(c, path, "delegations", heads, members);
}
