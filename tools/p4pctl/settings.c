/* SPDX-License-Identifier: Apache-2.0 */
/* settings: how a provider's changes come into force, and are watched */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text settings_path(const char *provider)
{
	struct text t = { 0 };
	text_put(&t, "/v1/providers");
	ctl_segment(&t, provider);
	text_put(&t, "/settings");
	return t;
}

static void print_settings(const char *json)
{
	static const char *const heads[] = { "SETTING", "VALUE", NULL };
	json_t *settings = json_loads(json, 0, NULL), *value;
	struct columns t;
	const char *name;
	columns_begin(&t, heads);
	json_object_foreach(settings, name, value)
	{
		columns_add(&t, "%s", name);
		if (json_is_integer(value))
			columns_add(&t, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		else
			columns_add(&t, "%s", ctl_string(settings, name));
	}
	(void)columns_print(&t, stdout);
	json_decref(settings);
}

enum ctl_exit ctl_settings_show(const struct ctl *c)
{
	struct ctl_request r = { .method = "GET", .path = settings_path(c->args[0]) };
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		print_settings(answer.bytes);
	text_done(&answer);
	return code;
}

/* "NAME=VALUE" into `settings`; what the server does not know it says itself. */
static bool apply(json_t *settings, const char *said)
{
	const char *equals = strchr(said, '=');
	char name[65];
	uint64_t number;
	if (equals == NULL || equals == said || (size_t)(equals - said) >= sizeof(name))
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - said), said);
	const char *value = equals + 1;
	json_t *json = text_u64(value, strlen(value), &number) && number <= INT64_MAX
	                       ? json_integer((json_int_t)number)
	                       : json_string(value);
	return json_object_set_new(settings, name, json) == 0;
}

static enum ctl_exit put(const struct ctl *c, const json_t *settings, const char *tag)
{
	struct text body = { 0 }, answer = { 0 };
	char *json = json_dumps(settings, JSON_COMPACT);
	text_put(&body, json != NULL ? json : "");
	free(json);
	struct ctl_request r = { .method = "PUT",
		                 .path = settings_path(c->args[0]),
		                 .body = &body,
		                 .content_type = "application/json",
		                 .if_match = tag };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		print_settings(answer.bytes);
	text_done(&body);
	text_done(&answer);
	return code;
}

/* What is not named stays; who changed something since it was read is not overwritten. */
enum ctl_exit ctl_settings_set(const struct ctl *c)
{
	struct ctl quiet = *c;
	struct ctl_request r = { .method = "GET", .path = settings_path(c->args[0]) };
	struct text answer = { 0 };
	quiet.json = false;
	enum ctl_exit code = ctl_ask(&quiet, &r, &answer);
	json_t *settings = code == CTL_OK ? json_loads(answer.bytes, 0, NULL) : NULL;
	text_done(&answer);
	for (size_t i = 1; i < c->n_args && code == CTL_OK; i++)
		if (!apply(settings, c->args[i]))
			code = ctl_fail(CTL_USAGE, "'%s' is no NAME=VALUE, such as approvals=1",
			                c->args[i]);
	if (code == CTL_OK)
		code = put(c, settings, r.etag);
	json_decref(settings);
	return code;
}
