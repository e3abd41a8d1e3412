/* SPDX-License-Identifier: Apache-2.0 */
/* statement create, list, show, verify */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static struct text path_of(const char *id)
{
	struct text path = { 0 };
	text_put(&path, "/v1/statements");
	if (id != NULL)
		ctl_segment(&path, id);
	return path;
}

enum ctl_exit ctl_statement_create(const struct ctl *c)
{
	static const char *const keys[] = { "{\"provider\":", ",\"contract\":", ",\"period\":" };
	struct text body = { 0 }, answer = { 0 };
	for (size_t i = 0; i < 3; i++) {
		text_put(&body, keys[i]);
		text_json_string(&body, c->args[i]);
	}
	text_put(&body, "}");
	struct ctl_request r = { .method = "POST",
		                 .path = path_of(NULL),
		                 .body = &body,
		                 .content_type = "application/json" };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json) {
		json_t *st = json_loadb(answer.bytes, answer.size, JSON_DECODE_INT_AS_REAL, NULL);
		printf("statement %.0f: %s of %s, contract %s, is frozen (inputs %.12s)\n",
		       ctl_number(st, "id"), ctl_string(st, "period"), ctl_string(st, "provider"),
		       ctl_string(st, "contract"), ctl_string(st, "inputs_sha256"));
		if (ctl_number(st, "supersedes") > 0)
			printf("it supersedes statement %.0f\n", ctl_number(st, "supersedes"));
		const char *warning = ctl_string(json_object_get(st, "figures"), "warning");
		if (warning[0] != '\0')
			printf("warning: %s\n", warning);
		json_decref(st);
	}
	text_done(&answer);
	text_done(&body);
	return code;
}

static void add_id(struct columns *t, const json_t *st, const char *key)
{
	const double id = ctl_number(st, key);
	if (id < 0)
		columns_add(t, "-");
	else
		columns_add(t, "%.0f", id);
}

enum ctl_exit ctl_statement_list(const struct ctl *c)
{
	static const char *const heads[] = {
		">ID", "PROVIDER", "CONTRACT",    ">VERSION",       "PERIOD", "FROZEN",
		"BY",  "INPUTS",   ">SUPERSEDES", ">SUPERSEDED BY", NULL
	};
	enum ctl_exit code;
	struct text path = path_of(NULL);
	ctl_parameter(&path, "provider", c->n_args > 0 ? c->args[0] : NULL);
	ctl_parameter(&path, "contract", c->n_args > 1 ? c->args[1] : NULL);
	json_t *json = ctl_get(c, path, &code), *st;
	if (json != NULL && !c->json) {
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(json_object_get(json, "statements"), i, st)
		{
			add_id(&t, st, "id");
			columns_add(&t, "%s", ctl_string(st, "provider"));
			columns_add(&t, "%s", ctl_string(st, "contract"));
			add_id(&t, st, "contract_version");
			columns_add(&t, "%s", ctl_string(st, "period"));
			columns_add(&t, "%s", ctl_string(st, "created"));
			columns_add(&t, "%s", ctl_string(st, "author"));
			columns_add(&t, "%.12s", ctl_string(st, "inputs_sha256"));
			add_id(&t, st, "supersedes");
			add_id(&t, st, "superseded_by");
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

enum ctl_exit ctl_statement_show(const struct ctl *c)
{
	const char *format = c->option[CTL_FORMAT];
	struct ctl_request r = { .method = "GET", .path = path_of(c->args[0]) };
	struct text answer = { 0 };
	ctl_parameter(&r.path, "format", format != NULL ? format : "csv");
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		(void)fwrite(answer.bytes, 1, answer.size, stdout);
	text_done(&answer);
	return code;
}

/* What the statement says, and what is true now. */
static void print_difference(const json_t *d, const char *what, const char *beside)
{
	if (!json_is_object(d))
		return;
	const char *now = ctl_string(d, "now"), *was = ctl_string(d, "statement");
	printf("the first %s that differs: %s\n  in the statement: %s\n  %s: %s\n", what,
	       ctl_string(d, what), was[0] != '\0' ? was : "not there", beside,
	       now[0] != '\0' ? now : "not there");
}

enum ctl_exit ctl_statement_verify(const struct ctl *c)
{
	enum ctl_exit code;
	struct text path = path_of(c->args[0]);
	text_put(&path, "/verify");
	json_t *json = ctl_get(c, path, &code);
	if (json == NULL)
		return code;
	const bool verified = json_is_true(json_object_get(json, "verified"));
	if (!c->json && verified)
		printf("statement %s: its figures follow from its inputs, their hash is right, and "
		       "every bin is\ntoday what it was\n",
		       c->args[0]);
	else if (!c->json && json_is_string(json_object_get(json, "other_format"))) {
		printf("statement %s: not verified: made by format %s, it cannot be recomputed by this "
		       "version of p4pd.\n%s\n",
		       c->args[0], ctl_string(json, "other_format"),
		       json_is_true(json_object_get(json, "inputs_match_hash"))
		               ? "Its inputs are those that were hashed"
		               : "And its inputs are not those that were hashed");
	} else if (!c->json) {
		printf("statement %s: not verified\n", c->args[0]);
		if (json_is_false(json_object_get(json, "inputs_match_hash")))
			printf("its inputs are not those that were hashed\n");
		print_difference(json_object_get(json, "first_figure"), "figure",
		                 "recomputed from its inputs");
		print_difference(json_object_get(json, "first_bin"), "bin", "in the database now");
	}
	json_decref(json);
	return verified ? CTL_OK : CTL_REFUSED;
}
