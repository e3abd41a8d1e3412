/* SPDX-License-Identifier: Apache-2.0 */
/* samples import: what other tools counted, as bins. */
#include "common/balance/quality.h"
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"
#include "tools/p4pctl/import_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAY_MOST = 40, SEND_MOST = 20000 };

/* An interconnect that ports of the file belong to. */
struct target {
	char name[132]; /* "PROVIDER/INTERCONNECT" */
	char provider[65], id[65];
	uint64_t speed_bps;
	size_t n_ports, n_readings;
	int64_t from_ms, to_ms; /* what the file knows of it */
	struct counter_bins bins;
	size_t n_edge; /* bins that the file saw a part of, at its ends */
};

struct job {
	const struct ctl *c;
	struct import_file file;
	struct target *targets;
	size_t n_targets;
	size_t *target_of; /* of each port; n_targets: of none */
	uint32_t bin_seconds;
	size_t said; /* lines about readings */
	/* Of the target that is counted: which rows each of its ports has. */
	struct counter_port *ports;
	const struct import_row **rows;
	size_t n_ports;
};

static void say(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct job *j, const char *fmt, ...)
{
	struct text said = { 0 };
	va_list ap;
	if (j->said++ >= SAY_MOST)
		return;
	va_start(ap, fmt);
	text_vprintf(&said, fmt, ap);
	va_end(ap);
	ctl_say("%s: %s", j->c->args[0], said.bad ? "out of memory" : said.bytes);
	text_done(&said);
}

/* ---- which port is of which interconnect ---- */

static bool split_name(const char *name, struct target *t)
{
	const char *slash = strchr(name, '/');
	if (slash == NULL || slash == name || slash - name > 64 || slash[1] == '\0' ||
	    strlen(slash + 1) > 64)
		return false;
	*t = (struct target){ .from_ms = INT64_MAX, .to_ms = INT64_MIN };
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	(void)snprintf(t->provider, sizeof(t->provider), "%.*s", (int)(slash - name), name);
	(void)snprintf(t->id, sizeof(t->id), "%s", slash + 1);
	return true;
}

/* The target of that name, a new one when it was not named before; n_targets: there cannot be one. */
static size_t target_named(struct job *j, const char *name)
{
	struct target t;
	for (size_t i = 0; i < j->n_targets; i++)
		if (strcmp(j->targets[i].name, name) == 0)
			return i;
	struct target *more = realloc(j->targets, (j->n_targets + 1) * sizeof(*more));
	if (more != NULL)
		j->targets = more;
	if (more == NULL || !split_name(name, &t))
		return SIZE_MAX;
	j->targets[j->n_targets] = t;
	return j->n_targets++;
}

/* "PORT PROVIDER/INTERCONNECT": the last word is the target, for ports may have blanks. */
static enum ctl_exit map_line(struct job *j, char *line, size_t number, const char *path)
{
	line[strcspn(line, "\r\n")] = '\0';
	char *key = line + strspn(line, " \t"), *end = key + strlen(key);
	while (end > key && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (*key == '\0' || *key == '#')
		return CTL_OK;
	char *name = end;
	while (name > key && name[-1] != ' ' && name[-1] != '\t')
		name--;
	const size_t target = name > key ? target_named(j, name) : SIZE_MAX;
	if (target == SIZE_MAX)
		return ctl_fail(CTL_USAGE, "%s: line %zu: must be PORT PROVIDER/INTERCONNECT", path,
		                number);
	for (end = name; end > key && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = '\0';
	uint32_t port;
	if (table_find(j->file.port_numbers, key, &port))
		j->target_of[port] = target;
	else
		say(j, "has no port \"%s\", which line %zu of the map names", key, number);
	return CTL_OK;
}

static enum ctl_exit read_map(struct job *j, const char *path)
{
	struct text map = { 0 };
	enum ctl_exit code = ctl_read_file(path, CTL_DOCUMENT_MAX, &map) ? CTL_OK : CTL_USAGE;
	size_t number = 1;
	for (char *at = map.bytes; code == CTL_OK && *at != '\0'; number++) {
		char *next = at + strcspn(at, "\n");
		next += *next != '\0';
		const char kept = *next;
		*next = '\0';
		code = map_line(j, at, number, path);
		*next = kept;
		at = next;
	}
	text_done(&map);
	return code;
}

static enum ctl_exit assign_ports(struct job *j)
{
	const char *all = j->c->option[CTL_INTERCONNECT], *map = j->c->option[CTL_MAP];
	size_t target = SIZE_MAX;
	j->target_of = calloc(j->file.n_ports + 1, sizeof(*j->target_of));
	if (j->target_of == NULL)
		return ctl_fail(CTL_USAGE, "out of memory");
	if (all != NULL) {
		target = target_named(j, all);
		if (target == SIZE_MAX)
			return ctl_fail(CTL_USAGE,
			                "--interconnect: \"%s\" is not PROVIDER/INTERCONNECT", all);
	}
	for (size_t i = 0; i < j->file.n_ports; i++)
		j->target_of[i] = target;
	const enum ctl_exit code = map != NULL ? read_map(j, map) : CTL_OK;
	for (size_t i = 0; code == CTL_OK && i < j->file.n_ports; i++)
		if (j->target_of[i] == SIZE_MAX)
			say(j, "port \"%s\" is of no interconnect, and left out", j->file.ports[i]);
	return code;
}

/* ---- what the server knows ---- */

static enum ctl_exit ask_bin_seconds(struct job *j)
{
	enum ctl_exit code;
	struct text path = { 0 };
	/* An empty window: only what a bin is, matters. */
	text_put(&path, "/v1/reports/balance?from=946684800&to=946688400");
	json_t *report = ctl_get(j->c, path, &code);
	if (report == NULL)
		return code;
	j->bin_seconds = (uint32_t)ctl_number(report, "bin_seconds");
	json_decref(report);
	return j->bin_seconds > 0 ? CTL_OK : ctl_fail(CTL_AWAY, "the server names no bin_seconds");
}

static enum ctl_exit ask_interconnects(struct job *j)
{
	enum ctl_exit code;
	struct text path = { 0 };
	text_put(&path, "/v1/interconnects?all=1");
	json_t *answer = ctl_get(j->c, path, &code), *link;
	size_t at;
	if (answer == NULL)
		return code;
	json_array_foreach(json_object_get(answer, "interconnects"), at, link)
	{
		for (size_t i = 0; i < j->n_targets; i++)
			if (strcmp(ctl_string(link, "provider"), j->targets[i].provider) == 0 &&
			    strcmp(ctl_string(link, "interconnect"), j->targets[i].id) == 0)
				j->targets[i].speed_bps =
					(uint64_t)(ctl_number(link, "capacity_mbps") * 1e6);
	}
	json_decref(answer);
	for (size_t i = 0; i < j->n_targets; i++)
		if (j->targets[i].speed_bps == 0)
			code = ctl_fail(CTL_USAGE, "there is no interconnect %s",
			                j->targets[i].name);
	return code;
}

/* ---- counting ---- */

static void note_fate(void *ctx, size_t port, size_t reading, enum counter_fate fate)
{
	struct job *j = ctx;
	if (fate == COUNTER_COUNTED || fate == COUNTER_DUPLICATE)
		return;
	const struct import_row *row = &j->rows[port][reading];
	char time[24];
	text_time_print(row->reading.at_ms / 1000, time);
	if (row->line > 0)
		say(j, "line %" PRIu32 ": %s at %s: %s", row->line, j->file.ports[row->port], time,
		    counter_fate_text(fate));
	else
		say(j, "%s at %s: %s", j->file.ports[row->port], time, counter_fate_text(fate));
}

/* A bin that lies across an end of the file is not the whole truth, and would replace it. */
static void leave_out_edges(struct job *j, struct target *t)
{
	const int64_t bin_ms = (int64_t)j->bin_seconds * 1000;
	size_t kept = 0;
	for (size_t i = 0; i < t->bins.n; i++) {
		const int64_t start = t->bins.list[i].start * 1000;
		if (start >= t->from_ms && start + bin_ms <= t->to_ms)
			t->bins.list[kept++] = t->bins.list[i];
	}
	t->n_edge = t->bins.n - kept;
	t->bins.n = kept;
}

static enum err count_target(struct job *j, size_t number)
{
	struct target *t = &j->targets[number];
	struct counter_reading *readings = calloc(j->file.n + 1, sizeof(*readings));
	if (readings == NULL)
		return ERR_NOMEM;
	j->n_ports = 0;
	for (size_t i = 0; i < j->file.n; i++) {
		const struct import_row *row = &j->file.rows[i];
		if (j->target_of[row->port] != number)
			continue;
		if (i == 0 || row->port != row[-1].port) {
			j->rows[j->n_ports] = row;
			j->ports[j->n_ports++].readings = &readings[t->n_readings];
			j->ports[j->n_ports - 1].n = 0;
		}
		j->ports[j->n_ports - 1].n++;
		readings[t->n_readings++] = row->reading;
		const int64_t from = row->reading.at_ms - row->reading.period_ms;
		t->from_ms = from < t->from_ms ? from : t->from_ms;
		t->to_ms = row->reading.at_ms > t->to_ms ? row->reading.at_ms : t->to_ms;
	}
	t->n_ports = j->n_ports;
	const struct counter_rules rules = { .bin_seconds = j->bin_seconds,
		                             .speed_bps = t->speed_bps };
	const enum err e = counter_bins(j->ports, j->n_ports, &rules, note_fate, j, &t->bins);
	if (e == ERR_OK)
		leave_out_edges(j, t);
	free(readings);
	return e;
}

static enum ctl_exit count_all(struct job *j)
{
	enum err e = ERR_OK;
	j->ports = calloc(j->file.n_ports + 1, sizeof(*j->ports));
	j->rows = calloc(j->file.n_ports + 1, sizeof(*j->rows));
	if (j->ports == NULL || j->rows == NULL)
		e = ERR_NOMEM;
	for (size_t i = 0; e == ERR_OK && i < j->n_targets; i++)
		e = count_target(j, i);
	return e == ERR_OK ? CTL_OK : ctl_fail(CTL_USAGE, "out of memory");
}

/* ---- what comes of it ---- */

static size_t count_quality(const struct target *t, unsigned flag)
{
	size_t n = 0;
	for (size_t i = 0; i < t->bins.n; i++)
		n += (t->bins.list[i].quality & flag) != 0;
	return n;
}

static size_t count_gaps(const struct job *j, const struct target *t)
{
	if (t->bins.n == 0)
		return 0;
	const int64_t span = t->bins.list[t->bins.n - 1].start - t->bins.list[0].start;
	return (size_t)(span / j->bin_seconds) + 1 - t->bins.n;
}

static double total(const struct target *t, enum counter_way way)
{
	double sum = 0;
	for (size_t i = 0; i < t->bins.n; i++)
		sum += (double)t->bins.list[i].bytes[way];
	return sum;
}

static void print_targets(struct job *j)
{
	static const char *const heads[] = { "INTERCONNECT",   ">PORTS",   ">READINGS",
		                             ">BINS",          ">PARTIAL", ">ESTIMATED",
		                             ">DISCONTINUITY", ">GAPS",    ">LEFT OUT",
		                             ">OUT",           ">IN",      NULL };
	struct columns c;
	char cell[UNITS_SIZE];
	columns_begin(&c, heads);
	for (size_t i = 0; i < j->n_targets; i++) {
		const struct target *t = &j->targets[i];
		columns_add(&c, "%s", t->name);
		columns_add(&c, "%zu", t->n_ports);
		columns_add(&c, "%zu", t->n_readings);
		columns_add(&c, "%zu", t->bins.n);
		columns_add(&c, "%zu", count_quality(t, BIN_PARTIAL));
		columns_add(&c, "%zu", count_quality(t, BIN_ESTIMATED));
		columns_add(&c, "%zu", count_quality(t, BIN_DISCONTINUITY));
		columns_add(&c, "%zu", count_gaps(j, t));
		columns_add(&c, "%zu", t->n_edge);
		columns_add(&c, "%s", units_print(total(t, COUNTER_OUT), "B", cell));
		columns_add(&c, "%s", units_print(total(t, COUNTER_IN), "B", cell));
	}
	(void)columns_print(&c, stdout);
}

static void print_fates(const struct job *j)
{
	size_t fates[COUNTER_FATES] = { 0 };
	for (size_t i = 0; i < j->n_targets; i++)
		for (unsigned f = 0; f < COUNTER_FATES; f++)
			fates[f] += j->targets[i].bins.fates[f];
	printf("periods:");
	for (unsigned f = 0; f < COUNTER_FATES; f++)
		printf("%s %zu %s", f > 0 ? "," : "", fates[f], counter_fate_name(f));
	printf("\n");
}

static void put_bin(struct text *t, const struct target *of, const struct counter_bin *b)
{
	text_put(t, "{\"provider\":");
	text_json_string(t, of->provider);
	text_put(t, ",\"interconnect\":");
	text_json_string(t, of->id);
	text_printf(t,
	            ",\"bin\":%" PRId64 ",\"out_bytes\":\"%" PRIu64 "\",\"in_bytes\":\"%" PRIu64
	            "\",\"observed_seconds\":%" PRIu32 ",\"quality\":\"%s%s\"",
	            b->start, b->bytes[COUNTER_OUT], b->bytes[COUNTER_IN], b->observed_seconds,
	            (b->quality & BIN_ESTIMATED) != 0 ? "estimated " : "",
	            (b->quality & BIN_DISCONTINUITY) != 0 ? "discontinuity" : "");
	if (b->has_packets)
		text_printf(t, ",\"out_packets\":\"%" PRIu64 "\",\"in_packets\":\"%" PRIu64 "\"",
		            b->packets[COUNTER_OUT], b->packets[COUNTER_IN]);
	text_put(t, "}");
}

static enum ctl_exit send_body(const struct job *j, struct text *body, size_t *stored)
{
	struct text answer = { 0 };
	struct ctl_request r = { .method = "POST",
		                 .body = body,
		                 .content_type = "application/json" };
	text_put(body, "]");
	text_put(&r.path, "/v1/samples");
	const enum ctl_exit code = ctl_ask(j->c, &r, &answer);
	if (code == CTL_OK) {
		json_t *json = json_loadb(answer.bytes, answer.size, 0, NULL);
		*stored += (size_t)ctl_number(json, "stored");
		json_decref(json);
	}
	text_done(&answer);
	text_done(body);
	*body = (struct text){ 0 };
	return code;
}

static enum ctl_exit send_all(const struct job *j, size_t *stored)
{
	struct text body = { 0 };
	enum ctl_exit code = CTL_OK;
	size_t n = 0;
	for (size_t i = 0; i < j->n_targets; i++) {
		const struct target *t = &j->targets[i];
		for (size_t k = 0; code == CTL_OK && k < t->bins.n; k++) {
			text_put(&body, n++ == 0 ? "[" : ",");
			put_bin(&body, t, &t->bins.list[k]);
			if (n == SEND_MOST) {
				code = send_body(j, &body, stored);
				n = 0;
			}
		}
	}
	if (code == CTL_OK && n > 0)
		code = send_body(j, &body, stored);
	text_done(&body);
	return code;
}

/* ---- the command ---- */

static void swap_ways(struct import_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct counter_reading *r = &f->rows[i].reading;
		const uint64_t octets = r->octets[COUNTER_OUT], packets = r->packets[COUNTER_OUT];
		r->octets[COUNTER_OUT] = r->octets[COUNTER_IN];
		r->packets[COUNTER_OUT] = r->packets[COUNTER_IN];
		r->octets[COUNTER_IN] = octets;
		r->packets[COUNTER_IN] = packets;
	}
}

static void print_faults(const struct job *j, const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		ctl_say("%s: %s: %s", j->c->args[0], faults->list[i].where, faults->list[i].text);
	if (faults->more > 0)
		ctl_say("%s: and %zu more", j->c->args[0], faults->more);
}

static void print_notes(struct job *j)
{
	for (const char *at = j->file.notes.bytes; at != NULL && *at != '\0';) {
		const size_t size = strcspn(at, "\n");
		say(j, "%.*s", (int)size, at);
		at += size + 1;
	}
}

static enum ctl_exit read_file(struct job *j, enum import_format format)
{
	struct text text = { 0 };
	struct faults *faults = faults_new();
	if (faults == NULL)
		return ctl_fail(CTL_USAGE, "out of memory");
	enum ctl_exit code = CTL_USAGE;
	if (ctl_read_file(j->c->args[0], CTL_DOCUMENT_MAX, &text)) {
		const enum err e = import_read(format, text.bytes, text.size, &j->file, faults);
		code = e == ERR_OK ? CTL_OK : CTL_USAGE;
		if (e == ERR_NOMEM)
			(void)ctl_fail(CTL_USAGE, "out of memory");
		print_faults(j, faults);
	}
	if (code == CTL_OK)
		print_notes(j);
	if (code == CTL_OK && j->c->option[CTL_SWAP] != NULL)
		swap_ways(&j->file);
	faults_free(faults);
	text_done(&text);
	return code;
}

static enum ctl_exit finish(struct job *j)
{
	size_t stored = 0;
	if (j->said > SAY_MOST)
		ctl_say("%s: and %zu more", j->c->args[0], j->said - SAY_MOST);
	if (!j->c->json) {
		print_targets(j);
		print_fates(j);
	}
	if (j->c->option[CTL_DRY_RUN] != NULL) {
		printf("a dry run: nothing was sent\n");
		return CTL_OK;
	}
	const enum ctl_exit code = send_all(j, &stored);
	if (!j->c->json)
		printf("%zu bins stored\n", stored);
	return code;
}

enum ctl_exit ctl_samples_import(const struct ctl *c)
{
	struct job j = { .c = c };
	enum import_format format;
	if (c->option[CTL_FORMAT] == NULL || !import_format_of(c->option[CTL_FORMAT], &format))
		return ctl_fail(CTL_USAGE, "--format: say librenms, kentik, prometheus or csv");
	if (c->option[CTL_INTERCONNECT] == NULL && c->option[CTL_MAP] == NULL)
		return ctl_fail(CTL_USAGE, "say whose the ports are: --interconnect "
		                           "PROVIDER/INTERCONNECT, or --map FILE");
	enum ctl_exit code = read_file(&j, format);
	if (code == CTL_OK)
		code = assign_ports(&j);
	if (code == CTL_OK)
		code = ask_bin_seconds(&j);
	if (code == CTL_OK)
		code = ask_interconnects(&j);
	if (code == CTL_OK)
		code = count_all(&j);
	if (code == CTL_OK)
		code = finish(&j);
	for (size_t i = 0; i < j.n_targets; i++)
		counter_bins_done(&j.targets[i].bins);
	import_done(&j.file);
	free(j.targets);
	free(j.target_of);
	free(j.ports);
	free(j.rows);
	return code;
}
