/* SPDX-License-Identifier: Apache-2.0 */
/* topology, costs, versions, activate */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"
#include "tools/p4pctl/diff.h"
#include "tools/p4pctl/impact.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "topology" of "topology put". */
static const char *kind_of(const struct ctl *c)
{
	return strncmp(c->command, "costs", 5) == 0 ? "costs" : "topology";
}

static struct text document_path(const char *provider, const char *kind)
{
	struct text path = { 0 };
	text_put(&path, "/v1/providers");
	ctl_segment(&path, provider);
	ctl_segment(&path, kind);
	return path;
}

/* The last argument; a provider before it is optional, because the document names it. */
static const char *file_of(const struct ctl *c)
{
	return c->args[c->n_args - 1];
}

/* The file, and whose document it is. NULL: said why. json_decref() it. */
static json_t *read_document(const struct ctl *c, struct text *body, const char **provider)
{
	const char *file = file_of(c);
	json_t *document = ctl_read_json(file, body);
	*provider = c->n_args > 1 ? c->args[0] : ctl_string(document, "provider");
	if (document != NULL && **provider == '\0') {
		(void)ctl_fail(CTL_USAGE, "%s: /provider: says whose document this is", file);
		json_decref(document);
		document = NULL;
	}
	return document;
}

static void print_changes(const json_t *changes)
{
	static const char *const words[][2] = {
		{ "pids_added", "PIDs added" },
		{ "pids_removed", "PIDs removed" },
		{ "pids_changed", "PIDs changed" },
		{ "links_added", "links added" },
		{ "links_removed", "links removed" },
		{ "links_changed", "links changed" },
		{ "prefixes_added", "prefixes added" },
		{ "prefixes_removed", "prefixes removed" },
		{ "prefixes_moved", "prefixes moved to another PID" },
		{ "interconnects_added", "interconnects added" },
		{ "interconnects_removed", "interconnects removed" },
		{ "interconnects_changed", "interconnects changed" },
		{ "costs_changed", "costs changed" },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const double n = ctl_number(changes, words[i][0]);
		if (n > 0)
			printf("  %8.0f %s\n", n, words[i][1]);
	}
}

static void print_change(const struct ctl *c, const char *provider, const json_t *answer)
{
	const bool dry_run = json_is_null(json_object_get(answer, "version"));
	json_t *changes = json_object_get(answer, "changes");
	const char *what = impact_of_changes(changes);
	if (json_is_true(json_object_get(answer, "unchanged"))) {
		printf("%s of %s: this very document is in force\n", kind_of(c), provider);
		return;
	}
	if (dry_run)
		printf("%s of %s: good; it would change%s\n", kind_of(c), provider, what);
	else
		printf("%s: version %.0f is in force (sha256 %.12s); it changed%s\n", provider,
		       ctl_number(answer, "version"), ctl_string(answer, "sha256"), what);
	print_changes(changes);
	impact_print(json_object_get(answer, "impact"), impact_wants_colour(stdout), stdout);
	size_t i;
	json_t *warning;
	json_array_foreach(json_object_get(answer, "warnings"), i, warning)
	{
		const char *where = ctl_string(warning, "where");
		printf("warning: %s%s%s [%s]\n", where, where[0] != '\0' ? ": " : "",
		       ctl_string(warning, "text"), ctl_string(warning, "code"));
	}
}

static enum ctl_exit ask_change(const struct ctl *c, struct ctl_request *r, const char *provider)
{
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, r, &answer);
	if (code == CTL_OK && !c->json) {
		json_t *json = json_loadb(answer.bytes, answer.size, 0, NULL);
		print_change(c, provider, json);
		json_decref(json);
	}
	text_done(&answer);
	return code;
}

static enum ctl_exit check_offline(const struct ctl *c)
{
	struct text body = { 0 };
	const char *provider;
	json_t *document = read_document(c, &body, &provider);
	const enum ctl_exit code =
		document != NULL ? ctl_check_offline(c, provider, &body) : CTL_USAGE;
	json_decref(document);
	text_done(&body);
	return code;
}

static enum ctl_exit upload(const struct ctl *c, bool dry_run)
{
	struct text body = { 0 };
	enum ctl_exit code = CTL_USAGE;
	const char *provider;
	json_t *document = read_document(c, &body, &provider);
	if (document != NULL) {
		struct ctl_request r = { .method = "PUT",
			                 .path = document_path(provider, kind_of(c)),
			                 .body = &body,
			                 .content_type = "application/json",
			                 .file = file_of(c) };
		ctl_parameter(&r.path, "dry_run", dry_run ? "1" : NULL);
		ctl_parameter(&r.path, "limit", dry_run ? c->option[CTL_LIMIT] : NULL);
		code = ask_change(c, &r, provider);
	}
	json_decref(document);
	text_done(&body);
	return code;
}

enum ctl_exit ctl_document_put(const struct ctl *c)
{
	return upload(c, c->option[CTL_DRY_RUN] != NULL);
}

enum ctl_exit ctl_document_check(const struct ctl *c)
{
	if (c->option[CTL_OFFLINE] != NULL)
		return check_offline(c);
	if (c->option[CTL_LAB] != NULL)
		return ctl_fail(CTL_USAGE,
		                "--lab goes with --offline; a server has its option lab");
	if (c->option[CTL_TOPOLOGY] != NULL)
		return ctl_fail(CTL_USAGE, "--topology goes with --offline; a server knows the one "
		                           "in force");
	return upload(c, true);
}

enum ctl_exit ctl_document_show(const struct ctl *c)
{
	struct ctl_request r = { .method = "GET", .path = document_path(c->args[0], kind_of(c)) };
	struct text answer = { 0 };
	ctl_parameter(&r.path, "version", c->option[CTL_VERSION]);
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		(void)fwrite(answer.bytes, 1, answer.size, stdout);
	text_done(&answer);
	return code;
}

/* What is in force beside the file. */
static enum ctl_exit diff(const struct ctl *c, const char *provider, json_t *document)
{
	struct ctl_request r = { .method = "GET", .path = document_path(provider, kind_of(c)) };
	struct ctl quiet = *c;
	struct text body = { 0 }, lines = { 0 };
	quiet.json = false; /* what is printed is the difference */
	ctl_parameter(&r.path, "version", c->option[CTL_VERSION]);
	enum ctl_exit code = ctl_ask(&quiet, &r, &body);
	if (code == CTL_OK) {
		json_t *before = json_loadb(body.bytes, body.size, 0, NULL);
		if (before == NULL)
			code = ctl_fail(CTL_AWAY, "the server's document is no JSON");
		else if (diff_print(before, document, &lines) == 0)
			printf("no difference\n");
		else
			(void)fwrite(lines.bytes, 1, lines.size, stdout);
		json_decref(before);
	}
	text_done(&body);
	text_done(&lines);
	return code;
}

enum ctl_exit ctl_document_diff(const struct ctl *c)
{
	struct text body = { 0 };
	const char *provider;
	json_t *document = read_document(c, &body, &provider);
	const enum ctl_exit code = document == NULL ? CTL_USAGE : diff(c, provider, document);
	json_decref(document);
	text_done(&body);
	return code;
}

enum ctl_exit ctl_versions(const struct ctl *c)
{
	enum ctl_exit code;
	json_t *json = ctl_read_versions(c, c->args[0], &code), *v;
	if (json != NULL && c->json)
		ctl_dump(json);
	if (json != NULL && !c->json) {
		static const char *const heads[] = { ">VERSION", "DOCUMENT", "CREATED", "AUTHOR",
			                             ">SIZE",    "SHA256",   "",        NULL };
		struct columns t;
		char size[UNITS_SIZE];
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "versions"), i, v)
		{
			columns_add(&t, "%.0f", ctl_number(v, "version"));
			columns_add(&t, "%s", ctl_string(v, "kind"));
			columns_add(&t, "%s", ctl_string(v, "created"));
			columns_add(&t, "%s", ctl_string(v, "author"));
			columns_add(&t, "%s", units_print(ctl_number(v, "size"), "B", size));
			columns_add(&t, "%.12s", ctl_string(v, "sha256"));
			columns_add(&t, "%s",
			            json_is_true(json_object_get(v, "in_force")) ? "in force" : "");
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

enum ctl_exit ctl_activate(const struct ctl *c)
{
	struct ctl_request r = { .method = "POST", .path = document_path(c->args[0], "versions") };
	ctl_segment(&r.path, c->args[1]);
	text_put(&r.path, "/activate");
	return ask_change(c, &r, c->args[0]);
}
