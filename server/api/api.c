/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/api.h"

#include "common/base/log.h"
#include "server/api/body.h"
#include "server/api/front.h"
#include "server/api/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct api {
	struct api_options options;
	struct front *front;
};

/* Whose leave a route asks. */
enum door {
	DOOR_OPEN, /* nobody's */
	DOOR_PART, /* the right on the provider that the path names first */
	DOOR_OWN,  /* the right on the token's own provider; the handler shows no other */
	DOOR_ALL,  /* the right on all providers */
	DOOR_SELF  /* the right on all, or the path names the very token that asks */
};

static const struct route {
	const char *method, *pattern;
	enum door door;
	enum auth_right right;
	call_handle *handle;
} routes[] = {
	{ "GET", "/v1/providers/{provider}/topology", DOOR_PART, AUTH_VIEW, topology_get },
	{ "PUT", "/v1/providers/{provider}/topology", DOOR_PART, AUTH_UPLOAD, topology_put },
	{ "GET", "/v1/providers/{provider}/costs", DOOR_PART, AUTH_VIEW, costs_get },
	{ "PUT", "/v1/providers/{provider}/costs", DOOR_PART, AUTH_UPLOAD, costs_put },
	{ "GET", "/v1/providers/{provider}/versions", DOOR_PART, AUTH_VIEW, versions_get },
	{ "GET", "/v1/providers/{provider}/versions/{version}/plan", DOOR_PART, AUTH_READ,
	  version_plan },
	{ "POST", "/v1/providers/{provider}/versions/{version}/activate", DOOR_PART, AUTH_ACTIVATE,
	  version_activate },
	{ "DELETE", "/v1/providers/{provider}/versions/{version}/activate", DOOR_PART,
	  AUTH_ACTIVATE, version_cancel },
	{ "POST", "/v1/providers/{provider}/versions/{version}/approve", DOOR_PART, AUTH_APPROVE,
	  version_approve },
	{ "POST", "/v1/providers/{provider}/rollback", DOOR_PART, AUTH_ACTIVATE,
	  provider_roll_back },
	{ "GET", "/v1/providers/{provider}/settings", DOOR_PART, AUTH_VIEW, settings_get },
	{ "PUT", "/v1/providers/{provider}/settings", DOOR_PART, AUTH_UPLOAD, settings_put },
	{ "GET", "/v1/providers/{provider}/policies", DOOR_PART, AUTH_READ, policies_get },
	{ "GET", "/v1/providers/{provider}/policies/{id}", DOOR_PART, AUTH_READ, policy_get },
	{ "PUT", "/v1/providers/{provider}/policies/{id}", DOOR_PART, AUTH_UPLOAD, policy_put },
	{ "DELETE", "/v1/providers/{provider}/policies/{id}", DOOR_PART, AUTH_UPLOAD,
	  policy_delete },
	{ "GET", "/v1/providers/{provider}/policies/{id}/versions", DOOR_PART, AUTH_READ,
	  policy_versions },
	{ "GET", "/v1/providers/{provider}/contracts", DOOR_PART, AUTH_READ, contracts_get },
	{ "GET", "/v1/providers/{provider}/contracts/{id}", DOOR_PART, AUTH_READ, contract_get },
	{ "PUT", "/v1/providers/{provider}/contracts/{id}", DOOR_PART, AUTH_UPLOAD, contract_put },
	{ "DELETE", "/v1/providers/{provider}/contracts/{id}", DOOR_PART, AUTH_UPLOAD,
	  contract_delete },
	{ "GET", "/v1/providers/{provider}/contracts/{id}/versions", DOOR_PART, AUTH_READ,
	  contract_versions },
	{ "GET", "/v1/providers/{provider}/asns", DOOR_PART, AUTH_VIEW, asns_get },
	{ "PUT", "/v1/providers/{provider}/asns", DOOR_ALL, AUTH_ADMIN, asns_put },
	{ "GET", "/v1/delegations", DOOR_OWN, AUTH_VIEW, delegations_get },
	{ "PUT", "/v1/delegations/{provider}/{prefix}", DOOR_ALL, AUTH_ADMIN, delegation_put },
	{ "DELETE", "/v1/delegations/{provider}/{prefix}", DOOR_ALL, AUTH_ADMIN,
	  delegation_delete },
	{ "GET", "/v1/interconnects", DOOR_OWN, AUTH_VIEW, interconnects_get },
	{ "PUT", "/v1/interconnects/{provider}/{interconnect}", DOOR_PART, AUTH_UPLOAD,
	  interconnect_put },
	{ "GET", "/v1/links", DOOR_OWN, AUTH_VIEW, links_get },
	{ "GET", "/v1/exporters", DOOR_OWN, AUTH_READ, exporters_get },
	{ "GET", "/v1/reports/balance", DOOR_OWN, AUTH_VIEW, balance_get },
	{ "GET", "/v1/reports/contracts", DOOR_OWN, AUTH_READ, report_contracts_get },
	{ "GET", "/v1/reports/policies", DOOR_OWN, AUTH_READ, report_policies_get },
	{ "GET", "/v1/reports/series", DOOR_OWN, AUTH_VIEW, series_get },
	{ "GET", "/v1/reports/quality", DOOR_OWN, AUTH_VIEW, quality_get },
	{ "GET", "/v1/reports/steering", DOOR_OWN, AUTH_VIEW, steering_get },
	{ "GET", "/v1/reports/matrix", DOOR_OWN, AUTH_READ, matrix_get },
	{ "GET", "/v1/reports/top", DOOR_OWN, AUTH_READ, top_get },
	{ "GET", "/v1/statements", DOOR_OWN, AUTH_READ, statements_get },
	{ "POST", "/v1/statements", DOOR_OWN, AUTH_UPLOAD, statement_post },
	{ "GET", "/v1/statements/{id}", DOOR_OWN, AUTH_READ, statement_get },
	{ "GET", "/v1/statements/{id}/verify", DOOR_OWN, AUTH_READ, statement_verify_get },
	{ "POST", "/v1/samples", DOOR_OWN, AUTH_SAMPLES, samples_post },
	{ "GET", "/v1/tokens", DOOR_ALL, AUTH_ADMIN, tokens_get },
	{ "POST", "/v1/tokens", DOOR_ALL, AUTH_ADMIN, token_post },
	{ "PATCH", "/v1/tokens/{name}", DOOR_ALL, AUTH_ADMIN, token_patch },
	{ "DELETE", "/v1/tokens/{name}", DOOR_ALL, AUTH_ADMIN, token_delete },
	{ "POST", "/v1/tokens/{name}/rotate", DOOR_SELF, AUTH_ADMIN, token_rotate },
	{ "GET", "/v1/passkeys", DOOR_ALL, AUTH_ADMIN, passkeys_get },
	{ "POST", "/v1/passkeys", DOOR_ALL, AUTH_ADMIN, passkey_post },
	{ "DELETE", "/v1/passkeys/{name}", DOOR_ALL, AUTH_ADMIN, passkey_delete },
	{ "GET", "/v1/access", DOOR_ALL, AUTH_ADMIN, access_get },
	{ "PUT", "/v1/access/{info_hash}", DOOR_ALL, AUTH_ADMIN, access_put },
	{ "DELETE", "/v1/access/{info_hash}", DOOR_ALL, AUTH_ADMIN, access_delete },
	{ "GET", "/v1/denied", DOOR_ALL, AUTH_ADMIN, denied_get },
	{ "PUT", "/v1/denied/{info_hash}", DOOR_ALL, AUTH_ADMIN, denied_put },
	{ "DELETE", "/v1/denied/{info_hash}", DOOR_ALL, AUTH_ADMIN, denied_delete },
	{ "GET", "/v1/denied-clients", DOOR_ALL, AUTH_ADMIN, clients_get },
	{ "PUT", "/v1/denied-clients/{prefix}", DOOR_ALL, AUTH_ADMIN, client_put },
	{ "DELETE", "/v1/denied-clients/{prefix}", DOOR_ALL, AUTH_ADMIN, client_delete },
	{ "GET", "/v1/swarms", DOOR_ALL, AUTH_ADMIN, swarms_get },
	{ "GET", "/v1/swarms/{info_hash}/explain", DOOR_OWN, AUTH_UPLOAD, swarm_explain },
	{ "GET", "/v1/alarms", DOOR_OWN, AUTH_READ, alarms_get },
	{ "GET", "/v1/alarms/{id}/events", DOOR_OWN, AUTH_READ, alarm_events_get },
	{ "POST", "/v1/alarms/{id}/ack", DOOR_OWN, AUTH_UPLOAD, alarm_ack },
	{ "POST", "/v1/alarms/{id}/mute", DOOR_OWN, AUTH_UPLOAD, alarm_mute },
	{ "GET", "/v1/alarm-rules", DOOR_OWN, AUTH_READ, alarm_rules_get },
	{ "PUT", "/v1/alarm-rules/{rule}", DOOR_OWN, AUTH_UPLOAD, alarm_rule_put },
	{ "GET", "/v1/webhooks", DOOR_ALL, AUTH_ADMIN, webhooks_get },
	{ "PUT", "/v1/webhooks/{name}", DOOR_ALL, AUTH_ADMIN, webhook_put },
	{ "DELETE", "/v1/webhooks/{name}", DOOR_ALL, AUTH_ADMIN, webhook_delete },
	{ "POST", "/v1/webhooks/{name}/test", DOOR_ALL, AUTH_ADMIN, webhook_test },
	{ "GET", "/v1/audit", DOOR_OWN, AUTH_AUDIT, audit_get },
	{ "GET", "/v1/audit/verify", DOOR_OWN, AUTH_AUDIT, audit_verify_get },
	{ "GET", "/metrics", DOOR_OPEN, 0, metrics_get },
	{ "GET", "/healthz", DOOR_OPEN, 0, healthz_get },
	{ "GET", "/readyz", DOOR_OPEN, 0, readyz_get },
	{ "GET", "/", DOOR_OPEN, 0, page_get },
	{ "GET", "/{file}", DOOR_OPEN, 0, page_get },
};
enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

struct api *api_new(const struct api_options *options)
{
	struct api *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->options = *options;
	a->front = front_new();
	if (a->front != NULL)
		return a;
	api_free(a);
	return NULL;
}

void api_free(struct api *a)
{
	if (a != NULL)
		front_free(a->front);
	free(a);
}

enum err api_front(struct api *a, const struct api_front *front)
{
	return front_set(a->front, front);
}

bool api_is_proxy(void *ctx, const struct ip_addr *addr)
{
	const struct api *a = ctx;
	return front_is_proxy(a->front, addr);
}

/* The route of the request; NULL: there is none, and the answer says so. */
static const struct route *find(struct call *c)
{
	const char *path = c->request->path, *method = c->request->method;
	char allow[64] = "";
	if (strcmp(method, "HEAD") == 0)
		method = "GET"; /* the listener leaves the body out */
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *r = &routes[i];
		if (!route_match(r->pattern, path, &c->path))
			continue;
		if (strcmp(r->method, method) == 0)
			return r;
		if (strstr(allow, r->method) == NULL) {
			const size_t n = strlen(allow);
			(void)snprintf(allow + n, sizeof(allow) - n, "%s%s%s", n > 0 ? ", " : "",
			               r->method, strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
		}
	}
	if (allow[0] != '\0') {
		http_reply_header(c->reply, "Allow", allow);
		call_problem(c, 405, "%.16s is not for this path; %s is", method, allow);
	} else {
		call_problem(c, 404, "there is nothing at %.200s", path);
	}
	return NULL;
}

/* In one form, which deploy/fail2ban knows; a line a minute for each. */
static void too_many(struct call *c, const struct auth_refusal *refusal)
{
	const struct failures_verdict *v = &refusal->failures;
	char of[IP_PREFIX_TEXT_SIZE], seconds[16];
	if (v->prefix)
		ip_prefix_print(&v->of, of);
	else
		ip_print(&v->of.addr, of);
	if (v->tell)
		log_line(LOG_WARNING, "wrong-tokens %s=%s", v->prefix ? "prefix" : "address", of);
	(void)snprintf(seconds, sizeof(seconds), "%u", (unsigned)v->wait_seconds);
	http_reply_header(c->reply, "Retry-After", seconds);
	call_problem(c, 429, "%s", refusal->why);
}

/* Does the token say who it is? Otherwise the answer is given. */
static bool knows(struct call *c)
{
	const char *header = http_header(c->request, "Authorization");
	struct auth_refusal refusal;
	const enum err e = auth_who(c->use->auth, header, &c->from, &c->who, &refusal);
	if (e == ERR_OK)
		return true;
	if (e == ERR_BUSY) {
		too_many(c, &refusal);
		return false;
	}
	if (e != ERR_DENIED) {
		call_failed(c, e, "");
		return false;
	}
	http_reply_header(c->reply, "WWW-Authenticate",
	                  header == NULL ? "Bearer realm=\"p4pd\""
	                                 : "Bearer realm=\"p4pd\", error=\"invalid_token\"");
	call_problem(c, 401, "%s", refusal.why);
	return false;
}

static bool admit(struct call *c, const struct route *r)
{
	if (r->door == DOOR_OPEN)
		return true;
	if (!knows(c))
		return false;
	const char *provider = NULL;
	if (r->door == DOOR_PART)
		provider = c->path.part[0];
	else if (r->door == DOOR_OWN && c->who.provider[0] != '\0')
		provider = c->who.provider;
	if (r->door == DOOR_PART && !body_is_name(provider)) {
		call_problem(c, 404, "no provider has such a name");
		return false;
	}
	if (auth_may(&c->who, r->right, provider) ||
	    (r->door == DOOR_SELF && strcmp(c->who.name, c->path.part[0]) == 0))
		return true;
	call_problem(c, 403, "token %s may not do this%s%.64s", c->who.name,
	             r->door == DOOR_PART ? " for provider " : "",
	             r->door == DOOR_PART ? provider : "");
	return false;
}

static void finish(struct call *c)
{
	struct http_reply *reply = c->reply;
	if (reply->body.bad) {
		text_done(&reply->body);
		reply->status = 500;
	}
	http_reply_header(reply, "X-Content-Type-Options", "nosniff");
	metrics_add(c->slot,
	            reply->status >= 500   ? METRIC_API_FAILED
	            : reply->status >= 400 ? METRIC_API_REFUSED
	                                   : METRIC_API_REQUESTS,
	            1);
}

static struct call begin(const struct api *a, const struct http_request *request,
                         struct http_reply *reply)
{
	return (struct call){
		.use = &a->options,
		.request = request,
		.from = front_client(a->front, request),
		.reply = reply,
		.slot = metrics_slot(a->options.metrics, a->options.first_slot + request->thread),
		.now = (int64_t)time(NULL),
	};
}

/* Is the body one that the route reads, and how long may it be? Otherwise the answer is given. */
static bool takes(struct call *c, const struct route *r, struct http_upload *upload)
{
	bool csv;
	if (r->handle == samples_post   ? !samples_type(c, &csv)
	    : r->handle == topology_put ? !document_type(c, STORE_TOPOLOGY)
	                                : r->handle == costs_put && !document_type(c, STORE_COSTS))
		return false;
	if (r->handle == samples_post || r->handle == topology_put || r->handle == costs_put)
		upload->max = c->use->upload_max;
	return true;
}

bool api_admit(void *ctx, const struct http_request *request, struct http_upload *upload,
               struct http_reply *reply)
{
	const struct api *a = ctx;
	struct call c = begin(a, request, reply);
	/* A preflight has no body; one with a long body is no preflight. */
	if (front_cors(a->front, request, reply))
		reply->status = 0;
	if (upload->state == HTTP_UPLOAD_TOO_LONG) {
		call_problem(&c, 413, "the body is longer than %zu bytes", upload->max);
	} else if (upload->state == HTTP_UPLOAD_NO_ROOM) {
		http_reply_header(reply, "Retry-After", "5");
		call_problem(&c, 503, "the uploads under way fill api_uploads_mib; try again");
	} else {
		const struct route *r = find(&c);
		if (r != NULL && admit(&c, r) && takes(&c, r, upload))
			return true;
	}
	finish(&c);
	return false;
}

void api_http(void *ctx, const struct http_request *request, struct http_reply *reply)
{
	const struct api *a = ctx;
	struct call c = begin(a, request, reply);
	if (!front_cors(a->front, request, reply)) {
		const struct route *r = find(&c);
		if (r != NULL && admit(&c, r))
			r->handle(&c);
	}
	finish(&c);
}
