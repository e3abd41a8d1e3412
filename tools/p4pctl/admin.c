/* SPDX-License-Identifier: Apache-2.0 */
/* token, passkey, access, client, audit, status */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct text path_of(const char *path)
{
	struct text t = { 0 };
	text_put(&t, path);
	return t;
}

/* ---- token ---- */

/* Prints `member` of the answer, which no later one will have. */
static enum ctl_exit post_secret(const struct ctl *c, const char *path, const struct text *body,
                                 const char *member)
{
	struct ctl_request r = { .method = "POST",
		                 .path = path_of(path),
		                 .body = body,
		                 .content_type = "application/json" };
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json) {
		json_t *json = json_loadb(answer.bytes, answer.size, 0, NULL);
		printf("%s\n", ctl_string(json, member));
		(void)fprintf(stderr, "p4pctl: keep it: it is not shown again\n");
		json_decref(json);
	}
	text_done(&answer);
	return code;
}

/* --expires as a member; false: said why. */
static bool put_expires(const struct ctl *c, struct text *body)
{
	const char *said = c->option[CTL_EXPIRES];
	char at[24];
	uint64_t seconds;
	int64_t when;
	if (said == NULL)
		return true;
	if (strcmp(said, "never") == 0) {
		text_put(body, ",\"expires\":null");
		return true;
	}
	if (ctl_duration(said, &seconds) && seconds < UINT32_MAX)
		when = (int64_t)time(NULL) + (int64_t)seconds;
	else if (!text_time(said, &when)) {
		(void)ctl_fail(CTL_USAGE,
		               "--expires %s: a time such as 2027-01-31T00:00:00Z, so long such as "
		               "90d, or never",
		               said);
		return false;
	}
	text_time_print(when, at);
	text_printf(body, ",\"expires\":\"%s\"", at);
	return true;
}

/* Removes the comma before the first member. */
static const struct text *close_object(struct text *body)
{
	text_put(body, "}");
	if (!body->bad && body->size > 2 && body->bytes[1] == ',')
		body->bytes[1] = ' ';
	return body;
}

enum ctl_exit ctl_token_create(const struct ctl *c)
{
	const char *role = c->option[CTL_ROLE] != NULL ? c->option[CTL_ROLE] : "analyst";
	struct text body = { 0 };
	text_put(&body, "{\"name\":");
	text_json_string(&body, c->args[0]);
	text_put(&body, ",\"role\":");
	text_json_string(&body, role);
	if (c->option[CTL_PROVIDER] != NULL) {
		text_put(&body, ",\"provider\":");
		text_json_string(&body, c->option[CTL_PROVIDER]);
	}
	const enum ctl_exit code =
		put_expires(c, &body) ? post_secret(c, "/v1/tokens", close_object(&body), "token")
				      : CTL_USAGE;
	text_done(&body);
	return code;
}

enum ctl_exit ctl_token_rotate(const struct ctl *c)
{
	const char *grace = c->option[CTL_GRACE];
	struct text body = { 0 }, path = path_of("/v1/tokens");
	uint64_t seconds;
	enum ctl_exit code = CTL_USAGE;
	ctl_segment(&path, c->args[0]);
	text_put(&path, "/rotate");
	text_put(&body, "{");
	if (grace != NULL && !ctl_duration(grace, &seconds)) {
		(void)ctl_fail(code, "--grace %s: seconds, or such as 30m, 8h, 7d", grace);
	} else {
		if (grace != NULL)
			text_printf(&body, ",\"grace_seconds\":%llu", (unsigned long long)seconds);
		if (put_expires(c, &body))
			code = post_secret(c, path.bytes, close_object(&body), "token");
	}
	text_done(&body);
	text_done(&path);
	return code;
}

enum ctl_exit ctl_token_change(const struct ctl *c)
{
	struct text body = { 0 }, answer = { 0 };
	struct ctl_request r = { .method = "PATCH",
		                 .path = path_of("/v1/tokens"),
		                 .body = &body,
		                 .content_type = "application/json" };
	ctl_segment(&r.path, c->args[0]);
	text_put(&body, "{");
	if (c->option[CTL_ROLE] != NULL) {
		text_put(&body, ",\"role\":");
		text_json_string(&body, c->option[CTL_ROLE]);
	}
	enum ctl_exit code = CTL_USAGE;
	if (c->option[CTL_ROLE] == NULL && c->option[CTL_EXPIRES] == NULL)
		(void)ctl_fail(code, "what is to change? --role, --expires");
	else if (put_expires(c, &body)) {
		(void)close_object(&body);
		code = ctl_ask(c, &r, &answer);
		if (code == CTL_OK && !c->json)
			printf("changed\n");
	}
	text_done(&body);
	text_done(&answer);
	return code;
}

static const char *or_never(const char *time)
{
	return time[0] != '\0' ? time : "never";
}

enum ctl_exit ctl_token_list(const struct ctl *c)
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, path_of("/v1/tokens"), &code), *token;
	if (json != NULL && !c->json) {
		static const char *const heads[] = { "NAME",    "ROLE",      "PROVIDER",  "CREATED",
			                             "EXPIRES", "LAST USED", "OLD UNTIL", NULL };
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "tokens"), i, token)
		{
			const char *provider = ctl_string(token, "provider");
			const char *old = ctl_string(token, "previous_until");
			columns_add(&t, "%s", ctl_string(token, "name"));
			columns_add(&t, "%s", ctl_string(token, "role"));
			columns_add(&t, "%s", provider[0] != '\0' ? provider : "(all)");
			columns_add(&t, "%s", ctl_string(token, "created"));
			columns_add(&t, "%s", or_never(ctl_string(token, "expires")));
			columns_add(&t, "%s", or_never(ctl_string(token, "last_used")));
			columns_add(&t, "%s", old[0] != '\0' ? old : "-");
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

/* A request without bodies; says `done` when it went well. */
static enum ctl_exit change(const struct ctl *c, const char *method, struct text path,
                            const char *done)
{
	struct ctl_request r = { .method = method, .path = path };
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		printf("%s\n", done);
	text_done(&answer);
	return code;
}

enum ctl_exit ctl_token_revoke(const struct ctl *c)
{
	struct text path = path_of("/v1/tokens");
	ctl_segment(&path, c->args[0]);
	return change(c, "DELETE", path, "revoked");
}

/* ---- passkey ---- */

enum ctl_exit ctl_passkey_create(const struct ctl *c)
{
	static const struct {
		enum ctl_option option;
		const char *key;
	} numbers[] = { { CTL_MAX_PEERS, "max_peers" },
		        { CTL_PER_MINUTE, "announces_per_minute" } };
	struct text body = { 0 };
	uint64_t n;
	text_put(&body, "{\"name\":");
	text_json_string(&body, c->args[0]);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *value = c->option[numbers[i].option];
		if (value == NULL)
			continue;
		if (!text_u64(value, strlen(value), &n)) {
			text_done(&body);
			return ctl_fail(CTL_USAGE, "%s is no whole number", value);
		}
		text_printf(&body, ",\"%s\":%s", numbers[i].key, value);
	}
	if (c->option[CTL_KEY] != NULL) {
		text_put(&body, ",\"passkey\":");
		text_json_string(&body, c->option[CTL_KEY]);
	}
	text_put(&body, "}");
	const enum ctl_exit code = post_secret(c, "/v1/passkeys", &body, "passkey");
	text_done(&body);
	return code;
}

enum ctl_exit ctl_passkey_list(const struct ctl *c)
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, path_of("/v1/passkeys"), &code), *key;
	if (json != NULL && !c->json) {
		static const char *const heads[] = { "NAME",       ">PEERS",    ">OF",
			                             ">ANNOUNCES", ">A MINUTE", ">REFUSED",
			                             "CREATED",    NULL };
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "passkeys"), i, key)
		{
			static const char *const numbers[] = { "peers", "max_peers", "announces",
				                               "announces_per_minute", "refused" };
			columns_add(&t, "%s", ctl_string(key, "name"));
			for (size_t k = 0; k < 5; k++) {
				const double n = ctl_number(key, numbers[k]);
				const bool none = n < 0 || (n == 0 && k % 2 == 1);
				columns_add(&t, none ? "-" : "%.0f", n);
			}
			columns_add(&t, "%s", ctl_string(key, "created"));
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

enum ctl_exit ctl_passkey_revoke(const struct ctl *c)
{
	struct text path = path_of("/v1/passkeys");
	ctl_segment(&path, c->args[0]);
	return change(c, "DELETE", path, "revoked");
}

/* ---- access ---- */

/* `method` on `path`/ARGUMENT for every argument. */
static enum ctl_exit change_each(const struct ctl *c, const char *method, const char *path,
                                 const char *word)
{
	enum ctl_exit code = CTL_OK;
	for (size_t i = 0; i < c->n_args && code == CTL_OK; i++) {
		struct text each = path_of(path);
		char done[128];
		ctl_segment(&each, c->args[i]);
		ctl_parameter(&each, "private", c->option[CTL_PRIVATE] != NULL ? "1" : NULL);
		(void)snprintf(done, sizeof(done), "%s %.64s", word, c->args[i]);
		code = change(c, method, each, done);
	}
	return code;
}

enum ctl_exit ctl_access_allow(const struct ctl *c)
{
	return change_each(c, "PUT", "/v1/access", "allowed");
}

enum ctl_exit ctl_access_deny(const struct ctl *c)
{
	return change_each(c, "PUT", "/v1/denied", "denied");
}

enum ctl_exit ctl_access_forget(const struct ctl *c)
{
	const enum ctl_exit code = change_each(c, "DELETE", "/v1/access", "no longer allowed");
	return code == CTL_OK ? change_each(c, "DELETE", "/v1/denied", "no longer denied") : code;
}

static enum ctl_exit list_words(const struct ctl *c, const char *path, const char *key)
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, path_of(path), &code), *word;
	size_t i;
	if (json != NULL && !c->json)
		json_array_foreach(json_object_get(json, key), i, word)
			printf("%s\n", json_string_value(word));
	json_decref(json);
	return code;
}

enum ctl_exit ctl_access_list(const struct ctl *c)
{
	return list_words(c, c->option[CTL_DENIED] != NULL ? "/v1/denied" : "/v1/access",
	                  "info_hashes");
}

enum ctl_exit ctl_client_deny(const struct ctl *c)
{
	return change_each(c, "PUT", "/v1/denied-clients", "denied");
}

enum ctl_exit ctl_client_forget(const struct ctl *c)
{
	return change_each(c, "DELETE", "/v1/denied-clients", "no longer denied");
}

enum ctl_exit ctl_client_list(const struct ctl *c)
{
	return list_words(c, "/v1/denied-clients", "clients");
}

/* ---- swarms ---- */

enum ctl_exit ctl_swarms(const struct ctl *c)
{
	struct ctl_request r = { .method = "GET", .path = path_of("/v1/swarms") };
	struct text answer = { 0 };
	ctl_parameter(&r.path, "format", c->option[CTL_FORMAT]);
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		(void)fwrite(answer.bytes, 1, answer.size, stdout);
	text_done(&answer);
	return code;
}

/* ---- audit and status ---- */

/* One verification; `head` (NULL: none) is N:CHAIN. */
static enum ctl_exit verify(const struct ctl *c, const char *head)
{
	enum ctl_exit code;
	struct text path = path_of("/v1/audit/verify");
	const char *colon = head != NULL ? strchr(head, ':') : NULL;
	if (head != NULL && colon == NULL)
		return ctl_fail(CTL_USAGE, "--head %s: N:CHAIN, as p4pd logs it and audit shows it",
		                head);
	if (head != NULL) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%.*s", (int)(colon - head), head);
		ctl_parameter(&path, "number", number);
		ctl_parameter(&path, "chain", colon + 1);
	}
	json_t *json = ctl_get(c, path, &code);
	const json_t *broken = json_object_get(json, "broken");
	const json_t *last = json_object_get(json, "head");
	if (code == CTL_OK && json_is_object(broken))
		code = ctl_fail(CTL_REFUSED, "the audit log breaks at row %.0f: %s",
		                ctl_number(broken, "number"), ctl_string(broken, "text"));
	else if (code == CTL_OK && !c->json)
		printf("intact: %.0f rows, head %.0f:%s\n", ctl_number(json, "rows"),
		       ctl_number(last, "number"), ctl_string(last, "chain"));
	json_decref(json);
	return code;
}

enum ctl_exit ctl_audit_verify(const struct ctl *c)
{
	size_t at = 0;
	const char *head = ctl_next(c, CTL_HEAD, &at);
	enum ctl_exit code;
	do
		code = verify(c, head);
	while (code == CTL_OK && head != NULL && (head = ctl_next(c, CTL_HEAD, &at)) != NULL);
	return code;
}

enum ctl_exit ctl_audit(const struct ctl *c)
{
	static const char *const heads[] = { ">ROW", "AT", "WHO", "DID", "TO", NULL };
	static const char *const members[] = { "number", "at", "author", "action", "subject" };
	struct text path = path_of("/v1/audit");
	ctl_parameter(&path, "limit", c->option[CTL_LIMIT]);
	return ctl_table(c, path, "audit", heads, members);
}

/* The page without its comments and without what is zero. */
static void print_metrics(const char *page)
{
	struct columns t;
	static const char *const heads[] = { "METRIC", ">VALUE", NULL };
	columns_begin(&t, heads);
	while (*page != '\0') {
		const size_t size = strcspn(page, "\n");
		const char *blank = memrchr(page, ' ', size);
		if (*page != '#' && blank != NULL && strtod(blank, NULL) != 0 &&
		    memmem(page, size, "_bucket{", 8) == NULL) {
			columns_add(&t, "%.*s", (int)(blank - page), page);
			columns_add(&t, "%.*s", (int)(page + size - blank - 1), blank + 1);
		}
		page += size + (page[size] == '\n');
	}
	(void)columns_print(&t, stdout);
}

static enum ctl_exit show_metrics(const struct ctl *c)
{
	struct ctl_request r = { .method = "GET", .path = path_of("/metrics") };
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK)
		print_metrics(answer.bytes);
	text_done(&answer);
	return code;
}

enum ctl_exit ctl_status(const struct ctl *c)
{
	struct ctl_request r = { .method = "GET", .path = path_of("/readyz") };
	struct ctl quiet = *c;
	struct text answer = { 0 };
	quiet.json = false; /* neither page is JSON */
	const enum ctl_exit code = ctl_ask(&quiet, &r, &answer);
	text_done(&answer);
	if (c->json) {
		printf("{\"ready\":%s}\n", code == CTL_OK ? "true" : "false");
		return code;
	}
	if (code != CTL_OK)
		return code;
	printf("%s: ready\n\n", c->url);
	return show_metrics(&quiet);
}
