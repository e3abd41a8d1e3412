/* SPDX-License-Identifier: Apache-2.0 */
/* import: a topology of what other tools wrote; what judges one, and makes it smaller. Ask no server. */
#include "common/map/check.h"
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"
#include "tools/sketch/coarsen.h"
#include "tools/sketch/format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASNS_MOST = CTL_GIVEN_MAX };

struct job {
	const struct ctl *c;
	struct text *files; /* one for each source */
	struct sketch_source *sources;
	struct sketch sketch;
	struct sketch_ask ask;
	uint32_t neighbors[ASNS_MOST];
	const char *transit[ASNS_MOST];
	struct arena *joined; /* what --into says */
	struct arena *priced; /* what coarsen's --costs says */
	struct map_costs *costs;
};

static void print_list(const char *prefix, const struct faults *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct fault *f = &list->list[i];
		ctl_say("%s%s: %s [%s]", prefix, f->where[0] != '\0' ? f->where : "p4pctl", f->text,
		        f->kind);
	}
	if (list->more > 0)
		(void)fprintf(stderr, "%sand %zu more\n", prefix, list->more);
}

static bool read_asn(const char *option, const char *text, uint32_t *out)
{
	uint64_t asn;
	const char *digits = strncasecmp(text, "AS", 2) == 0 ? text + 2 : text;
	if (!text_u64(digits, strlen(digits), &asn) || asn == 0 || asn > UINT32_MAX) {
		(void)ctl_fail(CTL_USAGE, "--%s must be an ASN, such as 64500, not \"%s\"", option,
		               text);
		return false;
	}
	*out = (uint32_t)asn;
	return true;
}

static enum ctl_exit read_sources(struct job *j)
{
	const size_t n = j->c->n_args;
	j->files = calloc(n, sizeof(*j->files));
	j->sources = calloc(n, sizeof(*j->sources));
	if (j->files == NULL || j->sources == NULL)
		return ctl_fail(CTL_USAGE, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (!ctl_read_file(j->c->args[i], CTL_DOCUMENT_MAX, &j->files[i]))
			return CTL_USAGE;
		j->sources[i] =
			(struct sketch_source){ strcmp(j->c->args[i], "-") == 0 ? "standard input"
			                                                        : j->c->args[i],
			                        j->files[i].bytes, j->files[i].size };
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what it does not see freed, free_job() frees */
	const enum err e = sketch_init(&j->sketch, j->sources, n);
	return e == ERR_OK ? CTL_OK : ctl_fail(CTL_USAGE, "out of memory");
}

/* What the server's own parser and checks say of a document by itself. */
struct verdict_of_file {
	struct arena *arena;           /* holds the documents */
	struct map_topology *topology; /* as far as it was understood; NULL: not at all */
	struct map_costs *costs;       /* the same of costs */
	struct faults *faults, *warnings;
};

static void free_verdict(struct verdict_of_file *v)
{
	arena_free(v->arena);
	faults_free(v->faults);
	faults_free(v->warnings);
}

static enum err begin_verdict(struct verdict_of_file *v)
{
	*v = (struct verdict_of_file){ .arena = arena_new(1 << 20),
		                       .faults = faults_new(),
		                       .warnings = faults_new() };
	return v->arena == NULL || v->faults == NULL || v->warnings == NULL ? ERR_NOMEM : ERR_OK;
}

/* false: out of memory, and we said so. free_verdict() it either way. */
static bool judge(const struct ctl *c, const struct text *file, struct verdict_of_file *v)
{
	const struct map_rules rules = { .lab = c->option[CTL_LAB] != NULL };
	enum err e = begin_verdict(v);
	if (e == ERR_OK)
		e = map_topology_parse(file->bytes, file->size, v->arena, &v->topology, v->faults);
	if (e != ERR_NOMEM && v->topology != NULL)
		e = map_topology_check(v->topology, &rules, v->faults, v->warnings);
	return e != ERR_NOMEM || ctl_fail(CTL_USAGE, "out of memory") == CTL_OK;
}

/* The same of costs; what they name must be in `t` (NULL: nobody asks). */
static bool judge_costs(const struct text *file, const struct map_topology *t,
                        struct verdict_of_file *v)
{
	enum err e = begin_verdict(v);
	if (e == ERR_OK)
		e = map_costs_parse(file->bytes, file->size, v->arena, &v->costs, v->faults);
	if (e != ERR_NOMEM && v->costs != NULL && t != NULL)
		e = map_costs_check(v->costs, t, v->faults);
	return e != ERR_NOMEM || ctl_fail(CTL_USAGE, "out of memory") == CTL_OK;
}

static void print_faults(const char *path, const struct text *file, const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		ctl_fault(path, file, faults->list[i].where, faults->list[i].text,
		          faults->list[i].kind);
	if (faults->more > 0)
		ctl_say("%s: and %zu more", path, faults->more);
}

/* A document that must be right: a topology, or costs beside `t`. Its arena goes to *keep. */
static enum ctl_exit read_right(const struct ctl *c, const char *path, const struct map_topology *t,
                                struct verdict_of_file *v, struct arena **keep)
{
	struct text file = { 0 };
	enum ctl_exit code = CTL_USAGE;
	if (ctl_read_file(path, CTL_DOCUMENT_MAX, &file) &&
	    (t != NULL ? judge_costs(&file, t, v) : judge(c, &file, v))) {
		print_faults(path, &file, v->faults);
		if (v->faults->count == 0) {
			*keep = v->arena;
			v->arena = NULL;
			code = CTL_OK;
		}
	}
	free_verdict(v);
	text_done(&file);
	return code;
}

/* It lives as long as the job. */
static enum ctl_exit read_topology(struct job *j, const char *path, struct map_topology **out)
{
	struct verdict_of_file v = { 0 };
	const enum ctl_exit code = read_right(j->c, path, NULL, &v, &j->joined);
	if (code == CTL_OK)
		*out = v.topology;
	return code;
}

static enum ctl_exit read_costs(struct job *j, const char *path, const struct map_topology *t)
{
	struct verdict_of_file v = { 0 };
	const enum ctl_exit code = read_right(j->c, path, t, &v, &j->priced);
	if (code == CTL_OK)
		j->costs = v.costs;
	return code;
}

static enum ctl_exit read_ask(struct job *j)
{
	const struct ctl *c = j->c;
	const char *value, *name = c->option[CTL_PROVIDER];
	struct sketch *s = &j->sketch;
	uint32_t asn;
	if (name != NULL && s->provider != NULL && strcmp(name, s->provider) != 0)
		return ctl_fail(CTL_USAGE,
		                "--provider is \"%s\", but the topology to join is of \"%s\"", name,
		                s->provider);
	if (name != NULL)
		s->provider = name;
	for (size_t at = 0; (value = ctl_next(c, CTL_ASN, &at)) != NULL;) {
		if (!read_asn("asn", value, &asn))
			return CTL_USAGE;
		sketch_asn(s, asn);
	}
	for (size_t at = 0; (value = ctl_next(c, CTL_NEIGHBOR, &at)) != NULL;) {
		if (!read_asn("neighbor", value, &j->neighbors[j->ask.n_neighbors]))
			return CTL_USAGE;
		j->ask.n_neighbors++;
	}
	for (size_t at = 0; (value = ctl_next(c, CTL_TRANSIT, &at)) != NULL;)
		j->transit[j->ask.n_transit++] = value;
	j->ask.transit = j->transit;
	j->ask.net = c->option[CTL_NET];
	j->ask.capacity_mbps = c->option[CTL_CAPACITY];
	j->ask.neighbors = j->neighbors;
	j->ask.by = c->option[CTL_BY];
	j->ask.pid = c->option[CTL_PID];
	j->ask.lab = c->option[CTL_LAB] != NULL;
	return CTL_OK;
}

static bool write_file(const char *path, const struct text *text)
{
	FILE *f = fopen(path, "w");
	const bool written = f != NULL && fwrite(text->bytes, 1, text->size, f) == text->size;
	const bool closed = f == NULL || fclose(f) == 0;
	if (!written || !closed)
		(void)ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
	return written && closed;
}

/* The costs first, for a topology on standard output says that all went well. */
static enum ctl_exit write_documents(const struct job *j, const struct text *topology,
                                     const struct text *costs)
{
	const bool given = j->costs != NULL;
	const char *path = j->c->option[given ? CTL_COSTS_OUT : CTL_COSTS];
	const char *name = given ? "costs-out" : "costs";
	if (costs->size > 0 && path == NULL)
		(void)fprintf(stderr,
		              "warning: p4pctl: the files have costs, too; --%s FILE writes "
		              "them [costs]\n",
		              name);
	if (path != NULL && costs->size == 0)
		return ctl_fail(CTL_USAGE, "--%s: the files have none", name);
	if (path != NULL && !write_file(path, costs))
		return CTL_USAGE;
	(void)fwrite(topology->bytes, 1, topology->size, stdout);
	return CTL_OK;
}

static enum ctl_exit finish(struct job *j, struct sketch_rules rules)
{
	struct text topology = { 0 }, costs = { 0 };
	struct sketch *s = &j->sketch;
	rules.lab = j->c->option[CTL_LAB] != NULL;
	const enum err e = sketch_finish(s, &rules, &topology, &costs);
	print_list("warning: ", s->warnings);
	print_list("", s->faults);
	enum ctl_exit code = CTL_USAGE;
	if (e == ERR_NOMEM)
		(void)ctl_fail(CTL_USAGE, "out of memory");
	else if (e != ERR_OK)
		(void)ctl_fail(CTL_USAGE, "nothing was written; faults: %zu",
		               s->faults->count + s->faults->more);
	else
		code = write_documents(j, &topology, &costs);
	if (code == CTL_OK)
		(void)fprintf(
			stderr,
			"%s: %zu PIDs, %zu prefixes, %zu links, %zu interconnects; warnings: %zu\n",
			s->provider, s->n_pids, s->n_prefixes, s->n_links, s->n_interconnects,
			s->warnings->count + s->warnings->more);
	text_done(&topology);
	text_done(&costs);
	return code;
}

static void free_job(struct job *j)
{
	sketch_done(&j->sketch);
	arena_free(j->joined);
	arena_free(j->priced);
	for (size_t i = 0; j->files != NULL && i < j->c->n_args; i++)
		text_done(&j->files[i]);
	free(j->files);
	free(j->sources);
}

enum ctl_exit ctl_import(const struct ctl *c)
{
	struct job j = { .c = c };
	const char *into = c->option[CTL_INTO];
	sketch_read *read = sketch_format(strchr(c->command, ' ') + 1);
	struct map_topology *joined = NULL;
	must(read != NULL);
	enum ctl_exit code = read_sources(&j);
	if (code == CTL_OK && into != NULL)
		code = read_topology(&j, into, &joined);
	if (joined != NULL)
		sketch_take(&j.sketch, joined);
	if (code == CTL_OK)
		code = read_ask(&j);
	if (code == CTL_OK) {
		read(&j.sketch, j.sources, c->n_args, &j.ask);
		code = finish(&j,
		              (struct sketch_rules){ .minimize = c->option[CTL_MINIMIZE] != NULL });
	}
	free_job(&j);
	return code;
}

enum ctl_exit ctl_topology_minimize(const struct ctl *c)
{
	struct job j = { .c = c };
	enum ctl_exit code = CTL_USAGE;
	struct map_topology *t = NULL;
	if (sketch_init(&j.sketch, NULL, 0) != ERR_OK)
		(void)ctl_fail(CTL_USAGE, "out of memory");
	else
		code = read_topology(&j, c->args[0], &t);
	if (t != NULL)
		sketch_take(&j.sketch, t);
	if (code == CTL_OK)
		code = finish(&j, (struct sketch_rules){ .minimize = true, .settled = true });
	free_job(&j);
	return code;
}

/* ---- topology check --offline, costs check --offline ---- */

static void put_faults(struct text *t, const struct faults *faults)
{
	text_put(t, "[");
	for (size_t i = 0; i < faults->count; i++) {
		text_put(t, i > 0 ? ",{\"code\":" : "{\"code\":");
		text_json_string(t, faults->list[i].kind);
		text_put(t, ",\"where\":");
		text_json_string(t, faults->list[i].where);
		text_put(t, ",\"text\":");
		text_json_string(t, faults->list[i].text);
		text_put(t, "}");
	}
	text_put(t, "]");
}

/* The members that the server's answers have, too. */
static enum ctl_exit print_json(const struct verdict_of_file *v)
{
	struct text t = { 0 };
	text_put(&t, "{\"faults\":");
	put_faults(&t, v->faults);
	if (v->faults->more > 0)
		text_printf(&t, ",\"more\":%zu", v->faults->more);
	text_put(&t, ",\"warnings\":");
	put_faults(&t, v->warnings);
	text_put(&t, "}\n");
	const bool good = !t.bad;
	if (good)
		(void)fwrite(t.bytes, 1, t.size, stdout);
	text_done(&t);
	return good ? CTL_OK : ctl_fail(CTL_USAGE, "out of memory");
}

static enum ctl_exit tell(const struct ctl *c, const char *provider, const struct text *file,
                          const struct verdict_of_file *v)
{
	const char *path = c->args[c->n_args - 1];
	const size_t n = v->faults->count + v->faults->more;
	print_faults(path, file, v->faults);
	if (c->json && print_json(v) != CTL_OK)
		return CTL_USAGE;
	if (n > 0)
		return ctl_fail(CTL_REFUSED, "%zu fault%s", n, n == 1 ? "" : "s");
	if (c->json)
		return CTL_OK;
	if (v->costs == NULL)
		printf("topology of %s: good by itself; whether it goes with other providers, and "
		       "what it would change, a server knows\n",
		       provider);
	else if (c->option[CTL_TOPOLOGY] == NULL)
		printf("costs of %s: good by themselves; whether a topology has what they name, "
		       "--topology FILE tells\n",
		       provider);
	else
		printf("costs of %s: good beside that topology; what they would change, a server "
		       "knows\n",
		       provider);
	for (size_t i = 0; i < v->warnings->count; i++)
		printf("warning: %s: %s [%s]\n", v->warnings->list[i].where,
		       v->warnings->list[i].text, v->warnings->list[i].kind);
	return CTL_OK;
}

enum ctl_exit ctl_check_offline(const struct ctl *c, const char *provider, const struct text *file)
{
	const bool costs = strncmp(c->command, "costs", 5) == 0;
	const char *beside = c->option[CTL_TOPOLOGY], *own = NULL;
	struct verdict_of_file v = { 0 };
	struct job j = { .c = c };
	struct map_topology *t = NULL;
	enum ctl_exit code = CTL_USAGE;
	if (c->option[CTL_LIMIT] != NULL)
		return ctl_fail(CTL_USAGE, "--limit is of what would change: not with --offline");
	if (beside != NULL && read_topology(&j, beside, &t) != CTL_OK)
		return CTL_USAGE;
	if (costs ? judge_costs(file, t, &v) : judge(c, file, &v)) {
		if (v.costs != NULL)
			own = v.costs->provider;
		else if (v.topology != NULL)
			own = v.topology->provider;
		if (own != NULL && strcmp(own, provider) != 0)
			(void)faults_add(v.faults, ERR_RANGE, "provider", "/provider",
			                 "must be \"%s\", as in the command, not \"%s\"", provider,
			                 own);
		code = tell(c, provider, file, &v);
	}
	free_verdict(&v);
	arena_free(j.joined);
	return code;
}

/* ---- topology coarsen ---- */

/* What becomes of whom, and what that costs: on standard error, for the topology goes to the other. */
static void print_loss(const struct map_topology *t, const struct coarse *c)
{
	const char *const heads[] = {
		"PID", ">MEMBERS", ">ADDRESSES", ">FARTHEST", c->given != NULL ? ">DIFFER" : NULL,
		NULL
	};
	uint32_t differ = 0;
	struct columns columns;
	columns_begin(&columns, heads);
	for (size_t i = 0; i < c->n_pids; i++) {
		const struct coarse_pid *pid = &c->pids[i];
		if (pid->of != i || pid->members < 2)
			continue;
		columns_add(&columns, "%s", t->pids[i].name);
		columns_add(&columns, "%zu", pid->members);
		columns_add(&columns, "%.0f", pid->addresses);
		columns_add(&columns, "%u", (unsigned)pid->farthest);
		if (c->given != NULL)
			columns_add(&columns, "%u", (unsigned)pid->differ);
		differ = pid->differ > differ ? pid->differ : differ;
	}
	(void)columns_print(&columns, stderr);
	(void)fprintf(
		stderr,
		"%zu PIDs become %zu. %.1f %% of addresses (IPv4 ones, and /56s of IPv6) get "
		"another PID's name.\n"
		"Lost inside PIDs: %zu links, and a mean distance of %.2f to the PID that stands "
		"for an address.\n"
		"Between PIDs: the mean distance of %.2f changes by %.2f on average.\n",
		c->n_pids, c->n, 100 * c->moved, c->links_gone, c->inside, c->distance, c->change);
	if (c->given != NULL)
		(void)fprintf(
			stderr,
			"Costs: %zu between PIDs become %zu. The largest difference lost, of two PIDs "
			"that become one, is %u.\n"
			"The mean cost of %.2f changes by %.2f on average, and one by %u at most.\n",
			c->given->n_pid_costs, c->costs.said, (unsigned)differ, c->costs.mean,
			c->costs.change, (unsigned)c->costs.change_most);
}

static bool write_mapping(const char *path, const struct map_topology *t, const struct coarse *c)
{
	struct text out = { 0 };
	text_put(&out, "old,new\n");
	for (size_t i = 0; i < c->n_pids; i++)
		text_printf(&out, "%s,%s\n", t->pids[i].name, t->pids[c->pids[i].of].name);
	const bool written = !out.bad && write_file(path, &out);
	text_done(&out);
	return written;
}

static void warn_least(const struct coarse *c, bool threshold)
{
	const bool costs = c->given != NULL;
	(void)fprintf(
		stderr,
		"warning: p4pctl: %zu PIDs are the least: others differ in access, uploads or "
		"cap, %sor no link%s names them [least]\n",
		c->n, threshold ? "or by more than --threshold in costs, " : "",
		costs ? " or cost" : "");
}

static enum ctl_exit write_coarse(struct job *j, const struct map_topology *t,
                                  const struct coarse_ask *ask)
{
	const char *mapping = j->c->option[CTL_MAPPING];
	struct coarse coarse;
	const enum err e = coarsen(t, ask, &coarse);
	enum ctl_exit code = CTL_USAGE;
	if (e == ERR_NOT_FOUND) {
		(void)ctl_fail(
			CTL_USAGE,
			"%s: has no links%s, so that no PID is near another; of a geofeed, import "
			"--by region or country makes fewer PIDs",
			j->c->args[0], ask->costs != NULL ? ", and no costs between PIDs" : "");
	} else if (e != ERR_OK) {
		(void)ctl_fail(CTL_USAGE, "out of memory");
	} else if (mapping == NULL || write_mapping(mapping, t, &coarse)) {
		coarse_draw(t, &coarse, &j->sketch);
		print_loss(t, &coarse);
		if (coarse.n > ask->want)
			warn_least(&coarse, j->c->option[CTL_THRESHOLD] != NULL);
		code = finish(j, (struct sketch_rules){ .minimize = true, .settled = true });
	}
	coarse_done(&coarse);
	return code;
}

/* false: said why. */
static bool read_coarse_ask(const struct ctl *c, struct coarse_ask *out)
{
	const char *pids = c->option[CTL_PIDS], *threshold = c->option[CTL_THRESHOLD];
	uint64_t want = 22, accept = UINT32_MAX;
	if (pids != NULL && (!text_u64(pids, strlen(pids), &want) || want == 0))
		return ctl_fail(CTL_USAGE, "--pids must be a number from 1 on, not \"%s\"", pids) ==
		       CTL_OK;
	if (c->option[CTL_COSTS] == NULL && (threshold != NULL || c->option[CTL_COSTS_OUT] != NULL))
		return ctl_fail(CTL_USAGE, "--threshold and --costs-out go with --costs") == CTL_OK;
	if (threshold != NULL &&
	    (!text_u64(threshold, strlen(threshold), &accept) || accept > MAP_COST_MAX))
		return ctl_fail(CTL_USAGE, "--threshold must be a number from 0 to %d, not \"%s\"",
		                MAP_COST_MAX, threshold) == CTL_OK;
	*out = (struct coarse_ask){ .want = (size_t)want, .accept = (uint32_t)accept };
	return true;
}

enum ctl_exit ctl_topology_coarsen(const struct ctl *c)
{
	const char *costs = c->option[CTL_COSTS];
	struct job j = { .c = c };
	struct map_topology *t = NULL;
	struct coarse_ask ask;
	if (!read_coarse_ask(c, &ask))
		return CTL_USAGE;
	enum ctl_exit code = CTL_USAGE;
	if (sketch_init(&j.sketch, NULL, 0) != ERR_OK)
		(void)ctl_fail(CTL_USAGE, "out of memory");
	else
		code = read_topology(&j, c->args[0], &t);
	if (code == CTL_OK && costs != NULL)
		code = read_costs(&j, costs, t);
	ask.costs = j.costs;
	if (code == CTL_OK)
		code = write_coarse(&j, t, &ask);
	free_job(&j);
	return code;
}
