/* SPDX-License-Identifier: Apache-2.0 */
/* policy, contract */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool is_policy(const struct ctl *c)
{
	return strncmp(c->command, "policy", 6) == 0;
}

/* "policy" of "policy put". */
static const char *kind_of(const struct ctl *c)
{
	return is_policy(c) ? "policy" : "contract";
}

static const char *plural_of(const struct ctl *c)
{
	return is_policy(c) ? "policies" : "contracts";
}

/* /v1/providers/PROVIDER/policies[/ID] */
static struct text path_of(const struct ctl *c, const char *provider, const char *id)
{
	struct text path = { 0 };
	text_put(&path, "/v1/providers");
	ctl_segment(&path, provider);
	ctl_segment(&path, plural_of(c));
	if (id != NULL)
		ctl_segment(&path, id);
	return path;
}

/* ---- put, check ---- */

/* The file, which says whose it is and what it is called. NULL: said why. json_decref() it. */
static json_t *read_agreement(const char *file, struct text *body)
{
	static const char *const needed[] = { "provider", "id" };
	json_t *document = ctl_read_json(file, body);
	for (size_t i = 0; document != NULL && i < 2; i++) {
		if (ctl_string(document, needed[i])[0] != '\0')
			continue;
		(void)ctl_fail(CTL_USAGE, "%s: /%s: says %s", file, needed[i],
		               i == 0 ? "whose agreement this is" : "what it is called");
		json_decref(document);
		document = NULL;
	}
	return document;
}

static void print_put(const struct ctl *c, const struct text *answer)
{
	json_t *json = json_loadb(answer->bytes, answer->size, 0, NULL);
	printf("%s %s of %s: ", kind_of(c), ctl_string(json, "id"), ctl_string(json, "provider"));
	if (json_is_true(json_object_get(json, "unchanged")))
		printf("this very document is in force\n");
	else if (json_is_null(json_object_get(json, "version")))
		printf("good; nothing was stored\n");
	else
		printf("version %.0f is in force (sha256 %.12s)\n", ctl_number(json, "version"),
		       ctl_string(json, "sha256"));
	json_decref(json);
}

static enum ctl_exit upload(const struct ctl *c, bool dry_run)
{
	struct text body = { 0 }, answer = { 0 };
	enum ctl_exit code = CTL_USAGE;
	json_t *document = read_agreement(c->args[0], &body);
	if (document != NULL) {
		struct ctl_request r = { .method = "PUT",
			                 .path = path_of(c, ctl_string(document, "provider"),
			                                 ctl_string(document, "id")),
			                 .body = &body,
			                 .content_type = "application/json",
			                 .file = c->args[0] };
		ctl_parameter(&r.path, "dry_run", dry_run ? "1" : NULL);
		code = ctl_ask(c, &r, &answer);
	}
	if (code == CTL_OK && !c->json)
		print_put(c, &answer);
	json_decref(document);
	text_done(&answer);
	text_done(&body);
	return code;
}

enum ctl_exit ctl_agreement_put(const struct ctl *c)
{
	return upload(c, false);
}

enum ctl_exit ctl_agreement_check(const struct ctl *c)
{
	return upload(c, true);
}

/* ---- get, rm ---- */

enum ctl_exit ctl_agreement_get(const struct ctl *c)
{
	struct ctl_request r = { .method = "GET", .path = path_of(c, c->args[0], c->args[1]) };
	struct text answer = { 0 };
	ctl_parameter(&r.path, "version", c->option[CTL_VERSION]);
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		(void)fwrite(answer.bytes, 1, answer.size, stdout);
	text_done(&answer);
	return code;
}

enum ctl_exit ctl_agreement_rm(const struct ctl *c)
{
	struct ctl_request r = { .method = "DELETE", .path = path_of(c, c->args[0], c->args[1]) };
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		printf("%s %s of %s: removed; its versions are kept\n", kind_of(c), c->args[1],
		       c->args[0]);
	text_done(&answer);
	return code;
}

/* ---- lists ---- */

static void add_about(struct columns *t, const json_t *v)
{
	columns_add(t, "%.0f", ctl_number(v, "version"));
	columns_add(t, "%s", ctl_string(v, "created"));
	columns_add(t, "%s", ctl_string(v, "author"));
	columns_add(t, "%.12s", ctl_string(v, "sha256"));
}

/* "a-b-1, a-c-2", or the neighbour that a policy is about. */
static void add_subject(struct columns *t, const json_t *document)
{
	struct text all = { 0 };
	size_t i;
	json_t *name;
	json_array_foreach(json_object_get(document, "interconnects"), i, name)
		text_printf(&all, "%s%s", i > 0 ? ", " : "", json_string_value(name));
	if (i == 0 && ctl_number(document, "peer_asn") > 0)
		text_printf(&all, "AS%.0f", ctl_number(document, "peer_asn"));
	columns_add(t, "%s", all.bytes != NULL ? all.bytes : "-");
	text_done(&all);
}

enum ctl_exit ctl_agreement_list(const struct ctl *c)
{
	static const char *const heads[] = { "ID",     ">VERSION", "CREATED", "AUTHOR",
		                             "SHA256", "ABOUT",    NULL };
	enum ctl_exit code;
	json_t *json = ctl_get(c, path_of(c, c->args[0], NULL), &code), *v;
	if (json != NULL && !c->json) {
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, plural_of(c)), i, v)
		{
			columns_add(&t, "%s", ctl_string(v, "id"));
			add_about(&t, v);
			add_subject(&t, json_object_get(v, "document"));
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

enum ctl_exit ctl_agreement_versions(const struct ctl *c)
{
	static const char *const heads[] = { ">VERSION", "CREATED", "AUTHOR", "SHA256", "", NULL };
	enum ctl_exit code;
	struct text path = path_of(c, c->args[0], c->args[1]);
	text_put(&path, "/versions");
	json_t *json = ctl_get(c, path, &code), *v;
	if (json != NULL && !c->json) {
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "versions"), i, v)
		{
			add_about(&t, v);
			columns_add(&t, "%s",
			            json_is_true(json_object_get(v, "removed")) ? "removed" : "");
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}
