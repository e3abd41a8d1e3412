/* SPDX-License-Identifier: Apache-2.0 */
/* plan, apply, approve, cancel, rollback, history, show: the life of a map. */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"
#include "tools/p4pctl/impact.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ASK_AGAIN_SECONDS = 2 };

/* /v1/providers/PROVIDER[/PART[/PART[/PART]]] */
static struct text path_to(const char *provider, const char *a, const char *b, const char *c)
{
	const char *const parts[] = { a, b, c };
	struct text path = { 0 };
	text_put(&path, "/v1/providers");
	ctl_segment(&path, provider);
	for (size_t i = 0; i < 3 && parts[i] != NULL; i++)
		ctl_segment(&path, parts[i]);
	return path;
}

static const json_t *member(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

/* The answer as JSON, printed already when that is wanted. NULL: *code says why. json_decref() it. */
static json_t *ask(const struct ctl *c, struct ctl_request *r, enum ctl_exit *code)
{
	struct text answer = { 0 };
	*code = ctl_ask(c, r, &answer);
	json_t *json = *code == CTL_OK && answer.size > 0
	                       ? json_loadb(answer.bytes, answer.size, 0, NULL)
	                       : NULL;
	text_done(&answer);
	return json;
}

static void print_warnings(const json_t *answer)
{
	size_t i;
	const json_t *w;
	json_array_foreach(member(answer, "warnings"), i, w)
		printf("warning: %s [%s]\n", ctl_string(w, "text"), ctl_string(w, "code"));
}

/* ---- versions ---- */

/* One page; `before` NULL: the first. */
static json_t *read_page(const struct ctl *c, const char *provider, const char *before,
                         enum ctl_exit *code)
{
	struct ctl quiet = *c;
	struct ctl_request r = { .method = "GET",
		                 .path = path_to(provider, "versions", NULL, NULL) };
	ctl_parameter(&r.path, "limit", "100");
	ctl_parameter(&r.path, "before", before);
	quiet.json = false;
	return ask(&quiet, &r, code);
}

json_t *ctl_read_versions(const struct ctl *c, const char *provider, enum ctl_exit *code)
{
	json_t *all = read_page(c, provider, NULL, code);
	char before[24];
	while (json_is_integer(member(all, "next"))) {
		(void)snprintf(before, sizeof(before), "%.0f", ctl_number(all, "next"));
		json_t *page = read_page(c, provider, before, code);
		const bool good = page != NULL &&
		                  json_array_extend(json_object_get(all, "versions"),
		                                    json_object_get(page, "versions")) == 0 &&
		                  json_object_set(all, "next", json_object_get(page, "next")) == 0;
		json_decref(page);
		if (!good) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

void ctl_dump(const json_t *json)
{
	(void)(json_dumpf(json, stdout, JSON_COMPACT) == 0 && putchar('\n'));
}

/* NULL: there is none. */
static const json_t *find_version(const json_t *versions, const char *number)
{
	size_t i;
	const json_t *v;
	char printed[24];
	json_array_foreach(member(versions, "versions"), i, v)
	{
		(void)snprintf(printed, sizeof(printed), "%.0f", ctl_number(v, "version"));
		if (strcmp(printed, number) == 0)
			return v;
	}
	return NULL;
}

/* The version of that kind in force, "0" when there is none. */
static void in_force(const json_t *versions, const char *kind, char out[static 24])
{
	size_t i;
	const json_t *v;
	memcpy(out, "0", 2);
	json_array_foreach(member(versions, "versions"), i,
	                   v) if (json_is_true(member(v, "in_force")) &&
	                          strcmp(ctl_string(v, "kind"), kind) == 0)(void)
		snprintf(out, 24, "%.0f", ctl_number(v, "version"));
}

/* Whose it was; "-" for nobody's. */
static void add_deed(struct columns *t, const json_t *deed)
{
	columns_add(t, "%s", json_is_object(deed) ? ctl_string(deed, "by") : "-");
}

enum ctl_exit ctl_history(const struct ctl *c)
{
	static const char *const heads[] = { ">VERSION", "DOCUMENT",  "STATE",  "CREATED", "AUTHOR",
		                             "APPROVED", "ACTIVATED", "SOURCE", NULL };
	enum ctl_exit code;
	json_t *json = ctl_read_versions(c, c->args[0], &code), *v;
	if (json != NULL && c->json)
		ctl_dump(json);
	if (json != NULL && !c->json) {
		struct columns t;
		size_t i;
		columns_begin(&t, heads);
		json_array_foreach(member(json, "versions"), i, v)
		{
			columns_add(&t, "%.0f", ctl_number(v, "version"));
			columns_add(&t, "%s", ctl_string(v, "kind"));
			columns_add(&t, "%s", ctl_string(v, "state"));
			columns_add(&t, "%s", ctl_string(v, "created"));
			columns_add(&t, "%s", ctl_string(v, "author"));
			add_deed(&t, member(v, "approved"));
			add_deed(&t, member(v, "activated"));
			columns_add(&t, "%s", ctl_string(v, "source"));
		}
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}

static void print_deed(const char *what, const json_t *deed, const char *more)
{
	if (json_is_object(deed))
		printf("%-12s by %s at %s%s%s\n", what, ctl_string(deed, "by"),
		       ctl_string(deed, "at"), more[0] != '\0' ? ": " : "", more);
}

static void print_version(const json_t *v)
{
	const json_t *plan = member(v, "scheduled"), *watch = member(v, "watch");
	printf("%-12s %.0f (%s), %s\n", "version", ctl_number(v, "version"), ctl_string(v, "kind"),
	       ctl_string(v, "state"));
	printf("%-12s %s\n", "sha256", ctl_string(v, "sha256"));
	printf("%-12s by %s at %s\n", "made", ctl_string(v, "author"), ctl_string(v, "created"));
	if (ctl_string(v, "source")[0] != '\0')
		printf("%-12s %s\n", "source", ctl_string(v, "source"));
	print_deed("approved", member(v, "approved"), "");
	if (ctl_string(v, "approval_lapsed")[0] != '\0')
		printf("%-12s %s: somebody must approve it again\n", "and lapsed",
		       ctl_string(v, "approval_lapsed"));
	print_deed("activated", member(v, "activated"), "");
	print_deed("scheduled", plan, ctl_string(plan, "state"));
	if (ctl_string(plan, "reason")[0] != '\0')
		printf("%-12s %s\n", "it failed", ctl_string(plan, "reason"));
	if (json_is_object(watch))
		printf("%-12s %s, until %s\n", "watch", ctl_string(watch, "state"),
		       ctl_string(watch, "until"));
	if (ctl_string(v, "rolled_back_because")[0] != '\0')
		printf("%-12s %s\n", "rolled back", ctl_string(v, "rolled_back_because"));
}

enum ctl_exit ctl_show(const struct ctl *c)
{
	enum ctl_exit code;
	json_t *all = ctl_read_versions(c, c->args[0], &code);
	const json_t *v = all != NULL ? find_version(all, c->args[1]) : NULL;
	if (all != NULL && v == NULL)
		code = ctl_fail(CTL_REFUSED, "provider %s has no version %s", c->args[0],
		                c->args[1]);
	else if (v != NULL && c->json)
		ctl_dump(v);
	else if (v != NULL)
		print_version(v);
	json_decref(all);
	return code;
}

/* ---- plan ---- */

/* What a file became: whose draft, and which. */
struct drafted {
	char provider[80], version[24], kind[16];
	bool unchanged;
};

/* Stores a file as a draft. */
static enum ctl_exit store_draft(const struct ctl *c, const char *file, struct drafted *out)
{
	struct ctl quiet = *c;
	struct text body = { 0 };
	enum ctl_exit code = CTL_USAGE;
	json_t *document = ctl_read_json(file, &body), *answer = NULL;
	const bool costs = strncmp(ctl_string(document, "format"), "p4p-costs", 9) == 0;
	(void)snprintf(out->kind, sizeof(out->kind), "%s", costs ? "costs" : "topology");
	(void)snprintf(out->provider, sizeof(out->provider), "%s",
	               ctl_string(document, "provider"));
	if (document != NULL && out->provider[0] == '\0') {
		(void)ctl_fail(code, "%s: /provider: says whose document this is", file);
	} else if (document != NULL) {
		struct ctl_request r = { .method = "PUT",
			                 .path = path_to(out->provider, out->kind, NULL, NULL),
			                 .body = &body,
			                 .content_type = "application/json",
			                 .file = file };
		ctl_parameter(&r.path, "draft", "1");
		ctl_parameter(&r.path, "source", file);
		quiet.json = false;
		answer = ask(&quiet, &r, &code);
	}
	(void)snprintf(out->version, sizeof(out->version), "%.0f", ctl_number(answer, "version"));
	out->unchanged = json_is_true(member(answer, "unchanged"));
	json_decref(answer);
	json_decref(document);
	text_done(&body);
	return code;
}

static bool trips_guards(const json_t *plan)
{
	size_t i;
	const json_t *w;
	json_array_foreach(member(plan, "warnings"), i, w)
	{
		if (strncmp(ctl_string(w, "code"), "guard-", 6) == 0)
			return true;
	}
	return false;
}

static bool wants_approval(const struct ctl *c, const char *provider)
{
	enum ctl_exit code;
	struct ctl quiet = *c;
	struct ctl_request r = { .method = "GET",
		                 .path = path_to(provider, "settings", NULL, NULL) };
	quiet.json = false;
	json_t *settings = ask(&quiet, &r, &code);
	const bool wants = ctl_number(settings, "approvals") > 0;
	json_decref(settings);
	return wants;
}

static bool is_approved(const json_t *versions, const char *number)
{
	const json_t *v = find_version(versions, number);
	return json_is_object(member(v, "approved")) && ctl_string(v, "approval_lapsed")[0] == '\0';
}

/* What must be done to put them in force; `over` is in force now. */
static void print_steps(const struct ctl *c, const json_t *plan, const json_t *versions,
                        const struct drafted *const drafts[2], const char *over)
{
	const struct drafted *d = drafts[0], *also = drafts[1];
	const char *force = trips_guards(plan) ? "--force " : "", *it = also ? "them" : "it";
	const bool wants = wants_approval(c, d->provider);
	for (size_t i = 0; wants && i < 2 && drafts[i] != NULL; i++)
		if (!is_approved(versions, drafts[i]->version))
			printf("first somebody else than its author must approve it: p4pctl approve "
			       "%s %s\n",
			       d->provider, drafts[i]->version);
	if (force[0] != '\0')
		printf("guards refuse %s unless --force says that it is meant\n", it);
	if (also != NULL)
		printf("to put them in force: p4pctl apply %s--with %s %s %s\n", force,
		       also->version, d->provider, d->version);
	else
		printf("to put it in force: p4pctl apply %s--over %s %s %s\n", force, over,
		       d->provider, d->version);
}

static void print_plan(const struct ctl *c, const json_t *plan, const struct drafted *d,
                       const struct drafted *also)
{
	enum ctl_exit code;
	char before[24];
	const char *what = impact_of_changes(json_object_get(plan, "changes"));
	json_t *versions = ctl_read_versions(c, d->provider, &code);
	in_force(versions, d->kind, before);
	if (also != NULL)
		printf("%s and %s of %s: versions %s and %s are drafts; together they would change%s\n",
		       d->kind, also->kind, d->provider, d->version, also->version, what);
	else
		printf("%s of %s: version %s is a draft; over version %s it would change%s\n",
		       d->kind, d->provider, d->version, before, what);
	impact_print(member(plan, "impact"), impact_wants_colour(stdout), stdout);
	print_warnings(plan);
	print_steps(c, plan, versions, (const struct drafted *const[2]){ d, also }, before);
	json_decref(versions);
}

/* What it would do, with the other that comes with it (NULL: none). */
static enum ctl_exit show_plan(const struct ctl *c, const struct drafted *d,
                               const struct drafted *also)
{
	enum ctl_exit code;
	struct ctl_request r = { .method = "GET",
		                 .path = path_to(d->provider, "versions", d->version, "plan") };
	ctl_parameter(&r.path, "with", also != NULL ? also->version : NULL);
	ctl_parameter(&r.path, "limit", c->option[CTL_LIMIT]);
	json_t *plan = ask(c, &r, &code);
	if (plan != NULL && !c->json)
		print_plan(c, plan, d, also);
	json_decref(plan);
	return code;
}

/* Two changes of one provider, a topology and costs. */
static bool belong_together(const struct drafted *a, const struct drafted *b)
{
	return !a->unchanged && !b->unchanged && strcmp(a->provider, b->provider) == 0 &&
	       strcmp(a->kind, b->kind) != 0;
}

enum ctl_exit ctl_plan(const struct ctl *c)
{
	struct drafted d[CTL_PLAN_MAX] = { { .unchanged = false } };
	enum ctl_exit code = CTL_OK;
	bool changes = false;
	for (size_t i = 0; i < c->n_args && code == CTL_OK; i++)
		code = store_draft(c, c->args[i], &d[i]);
	for (size_t i = 0; i < c->n_args && code == CTL_OK; i++) {
		const bool pair = i + 1 < c->n_args && belong_together(&d[i], &d[i + 1]);
		if (d[i].unchanged && !c->json)
			printf("%s of %s: this very document is in force\n", d[i].kind,
			       d[i].provider);
		else if (!d[i].unchanged)
			code = show_plan(c, &d[i], pair ? &d[i + 1] : NULL);
		changes |= !d[i].unchanged;
		i += pair;
	}
	return code == CTL_OK && changes ? CTL_CHANGES : code;
}

/* ---- apply, approve, cancel, roll back ---- */

static void print_applied(const char *provider, const json_t *answer)
{
	const bool later = strcmp(ctl_string(answer, "state"), "scheduled") == 0;
	const char *state = later ? "scheduled" : "in force";
	if (json_is_integer(member(answer, "also")))
		printf("%s: versions %.0f (topology) and %.0f (costs) are %s\n", provider,
		       ctl_number(answer, "version"), ctl_number(answer, "also"), state);
	else
		printf("%s: version %.0f is %s\n", provider, ctl_number(answer, "version"), state);
	if (ctl_string(answer, "watched_until")[0] != '\0')
		printf("watched until %s: a breach brings back what was before\n",
		       ctl_string(answer, "watched_until"));
	print_warnings(answer);
}

/* Is what became of it final? *code: how it ended. */
static bool settled(const json_t *v, enum ctl_exit *code)
{
	const char *plan = ctl_string(member(v, "scheduled"), "state");
	if (strcmp(plan, "waiting") == 0 ||
	    strcmp(ctl_string(member(v, "watch"), "state"), "watching") == 0)
		return false;
	*code = json_is_true(member(v, "in_force")) ? CTL_OK : CTL_REFUSED;
	return true;
}

static enum ctl_exit wait_for(const struct ctl *c, const char *provider, const char *version)
{
	static const struct timespec pause = { .tv_sec = ASK_AGAIN_SECONDS };
	enum ctl_exit code = CTL_OK;
	for (;;) {
		json_t *all = ctl_read_versions(c, provider, &code);
		const json_t *v = all != NULL ? find_version(all, version) : NULL;
		const bool over = v == NULL || settled(v, &code);
		if (v != NULL && over && !c->json)
			print_version(v);
		json_decref(all);
		if (over)
			return code;
		(void)nanosleep(&pause, NULL);
	}
}

static enum ctl_exit activate(const struct ctl *c, const struct drafted *d, const char *over)
{
	enum ctl_exit code;
	char tag[32];
	struct ctl_request r = { .method = "POST",
		                 .path = path_to(d->provider, "versions", d->version, "activate") };
	ctl_parameter(&r.path, "at", c->option[CTL_AT]);
	ctl_parameter(&r.path, "with", c->option[CTL_WITH]);
	ctl_parameter(&r.path, "force", c->option[CTL_FORCE]);
	if (over != NULL) {
		(void)snprintf(tag, sizeof(tag), "\"%.24s\"", over);
		r.if_match = tag;
	}
	json_t *answer = ask(c, &r, &code);
	if (answer != NULL && !c->json)
		print_applied(d->provider, answer);
	json_decref(answer);
	if (code == CTL_OK && c->option[CTL_WAIT] != NULL)
		code = wait_for(c, d->provider, d->version);
	return code;
}

enum ctl_exit ctl_apply(const struct ctl *c)
{
	struct drafted d = { .unchanged = false };
	char before[24];
	const char *over = c->option[CTL_OVER];
	enum ctl_exit code = CTL_OK;
	uint64_t version;
	if (over != NULL && !text_u64(over, strlen(over), &version))
		return ctl_fail(CTL_USAGE, "--over: the number of a version, or 0, not '%s'", over);
	if (c->n_args == 2) {
		(void)snprintf(d.provider, sizeof(d.provider), "%s", c->args[0]);
		(void)snprintf(d.version, sizeof(d.version), "%s", c->args[1]);
		return activate(c, &d, over);
	}
	code = store_draft(c, c->args[0], &d);
	if (code == CTL_OK && d.unchanged && !c->json)
		printf("%s of %s: this very document is in force\n", d.kind, d.provider);
	if (code != CTL_OK || d.unchanged)
		return code;
	json_t *versions = ctl_read_versions(c, d.provider, &code);
	if (versions == NULL)
		return code;
	in_force(versions, d.kind, before);
	json_decref(versions);
	/* One tag would not fit both kinds. */
	return activate(c, &d, over != NULL || c->option[CTL_WITH] != NULL ? over : before);
}

/* A request whose answer has no body; says `done` when it worked. */
static enum ctl_exit tell(const struct ctl *c, const char *method, const char *step,
                          const char *done)
{
	struct ctl_request r = { .method = method,
		                 .path = path_to(c->args[0], "versions", c->args[1], step) };
	struct text answer = { 0 };
	const enum ctl_exit code = ctl_ask(c, &r, &answer);
	if (code == CTL_OK && !c->json)
		printf("%s: version %s: %s\n", c->args[0], c->args[1], done);
	text_done(&answer);
	return code;
}

enum ctl_exit ctl_approve(const struct ctl *c)
{
	return tell(c, "POST", "approve", "approved");
}

enum ctl_exit ctl_cancel(const struct ctl *c)
{
	return tell(c, "DELETE", "activate", "it is scheduled no more");
}

enum ctl_exit ctl_rollback(const struct ctl *c)
{
	enum ctl_exit code;
	struct ctl_request r = { .method = "POST",
		                 .path = path_to(c->args[0], "rollback", NULL, NULL) };
	ctl_parameter(&r.path, "to", c->option[CTL_TO]);
	ctl_parameter(&r.path, "reason", c->option[CTL_COMMENT]);
	json_t *answer = ask(c, &r, &code);
	if (answer != NULL && !c->json)
		print_applied(c->args[0], answer);
	json_decref(answer);
	return code;
}
