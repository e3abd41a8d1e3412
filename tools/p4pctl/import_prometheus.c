/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of Prometheus: {"status": "success", "data": {"resultType": "matrix", "result": [{"metric":
 * {"__name__": "ifHCInOctets", "instance": ..., "ifIndex": ..., "ifName": ...}, "values": [[time, "value"],
 * ...]}, ...]}}. (https://prometheus.io/docs/prometheus/latest/querying/api/, "Range vectors".) The series of
 * in, out and sysUpTime of one scrape have the same times, and are put together by them.
 *
 * Or the text that snmp_exporter itself and Prometheus's /federate answer: ifHCInOctets{ifIndex="3",
 * ifName="eth3"} 1.5e+09 1795255500781. (https://prometheus.io/docs/instrumenting/exposition_formats/)
 */
#include "tools/p4pctl/import_file.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_IN, KIND_OUT, KIND_UPTIME, KINDS };
static const char *const metrics[KINDS] = { "ifHCInOctets", "ifHCOutOctets", "sysUpTime" };

struct point {
	const char *whose; /* the port; of sysUpTime the instance */
	const char *instance;
	int64_t at_ms;
	enum kind kind;
	uint64_t value;
};

struct points {
	struct point *list;
	size_t n, room;
	struct import_file *file;
	struct faults *faults;
	bool no_memory, is_rounded;
};

static const char *label(const json_t *metric, const char *name)
{
	const char *value = json_string_value(json_object_get(metric, name));
	return value != NULL ? value : "";
}

static const char *keep(struct points *p, const char *a, const char *b)
{
	const size_t size = strlen(a) + strlen(b) + 2;
	char *name = arena_take(p->file->arena, size);
	p->no_memory |= name == NULL;
	if (name != NULL)
		(void)snprintf(name, size, "%s%s%s", a, *a != '\0' && *b != '\0' ? "/" : "", b);
	return name;
}

static void add_point(struct points *p, const struct point *point)
{
	if (p->n == p->room) {
		const size_t room = p->room > 0 ? 2 * p->room : 1024;
		struct point *more = realloc(p->list, room * sizeof(*more));
		p->no_memory |= more == NULL;
		if (more == NULL)
			return;
		p->list = more;
		p->room = room;
	}
	p->list[p->n++] = *point;
}

/* "1.25e+09" */
static bool read_count(struct points *p, const char *text, uint64_t *out)
{
	const double exact = 9007199254740992; /* 2^53 */
	char *end = NULL;
	const double value = text != NULL ? strtod(text, &end) : -1;
	if (text == NULL || end == text || *end != '\0' ||
	    !(value >= 0 && value < 18446744073709549568.0))
		return false;
	p->is_rounded |= value >= exact;
	*out = (uint64_t)value;
	return true;
}

/* [1795255500.781, "1.25e+09"] */
static bool read_pair(struct points *p, const json_t *pair, struct point *out)
{
	const double at = json_number_value(json_array_get(pair, 0));
	if (!(at > 0 && at < 1e11) ||
	    !read_count(p, json_string_value(json_array_get(pair, 1)), &out->value))
		return false;
	out->at_ms = llround(at * 1000);
	return true;
}

static enum kind kind_of(const char *metric)
{
	enum kind kind = KIND_IN;
	while (kind < KINDS && strcmp(metric, metrics[kind]) != 0)
		kind++;
	return kind;
}

static void name_port(struct points *p, struct point *point, const char *instance, const char *port)
{
	point->instance = keep(p, instance, "");
	point->whose = point->kind == KIND_UPTIME ? point->instance : keep(p, instance, port);
}

static void read_series(struct points *p, const json_t *series, const char *where)
{
	const json_t *metric = json_object_get(series, "metric");
	const json_t *values = json_object_get(series, "values");
	const char *name = label(metric, "__name__");
	struct point point = { .kind = kind_of(name) };
	if (point.kind == KINDS) {
		(void)faults_add(
			p->faults, ERR_MALFORMED, "unknown-metric", where,
			"\"%.64s\" is none of ifHCInOctets, ifHCOutOctets, sysUpTime; ask for "
			"the counters themselves, not for rate() of them",
			name);
		return;
	}
	const char *port = label(metric, "ifName");
	name_port(p, &point, label(metric, "instance"),
	          *port != '\0' ? port : label(metric, "ifIndex"));
	if (json_array_size(values) == 0)
		(void)faults_add(p->faults, ERR_MALFORMED, "missing", where, "has no values");
	for (size_t i = 0; i < json_array_size(values) && !p->no_memory; i++) {
		if (read_pair(p, json_array_get(values, i), &point)) {
			add_point(p, &point);
			continue;
		}
		(void)faults_add(p->faults, ERR_MALFORMED, "malformed", where,
		                 "value %zu is no [time, \"count\"]", i);
	}
}

static void read_answer(struct points *p, const json_t *document, size_t number)
{
	const json_t *data = json_object_get(document, "data");
	const json_t *result = json_object_get(data, "result");
	char where[64];
	(void)snprintf(where, sizeof(where), "/data/result");
	if (strcmp(label(document, "status"), "success") != 0) {
		(void)faults_add(p->faults, ERR_MALFORMED, "refused", "/status",
		                 "Prometheus refused query %zu: %.100s", number,
		                 label(document, "error"));
		return;
	}
	if (strcmp(label(data, "resultType"), "matrix") != 0 || !json_is_array(result)) {
		(void)faults_add(
			p->faults, ERR_MALFORMED, "wrong-type", where,
			"is a \"%.32s\"; ask /api/v1/query for ifHCInOctets[1d], or query_range",
			label(data, "resultType"));
		return;
	}
	for (size_t i = 0; i < json_array_size(result); i++) {
		(void)snprintf(where, sizeof(where), "/data/result/%zu", i);
		read_series(p, json_array_get(result, i), where);
	}
}

/* ---- the text ---- */

enum { LABEL_MAX = 256 };

struct line {
	const char *at, *end;
};

struct page {
	struct points *p;
	size_t number; /* of the line */
	int64_t at_ms; /* what "# scraped" said last; 0: nothing */
	char instance[LABEL_MAX];
};

struct labels {
	char instance[LABEL_MAX], name[LABEL_MAX], index[LABEL_MAX];
};

static void skip_blanks(struct line *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t'))
		l->at++;
}

/* Up to a blank or one of `ends`. false: there is none, or it is too long. */
static bool next_word(struct line *l, const char *ends, char out[LABEL_MAX])
{
	size_t n = 0;
	skip_blanks(l);
	while (l->at < l->end && *l->at != ' ' && *l->at != '\t' && strchr(ends, *l->at) == NULL &&
	       n + 1 < LABEL_MAX)
		out[n++] = *l->at++;
	out[n] = '\0';
	return n > 0 && n + 1 < LABEL_MAX;
}

static bool next_is(struct line *l, char c)
{
	skip_blanks(l);
	if (l->at == l->end || *l->at != c)
		return false;
	l->at++;
	return true;
}

/* "value", in which \\, \" and \n are escaped; what is too long for `out` is cut. */
static bool next_quoted(struct line *l, char out[LABEL_MAX])
{
	size_t n = 0;
	if (!next_is(l, '"'))
		return false;
	while (l->at < l->end && *l->at != '"') {
		char c = *l->at++;
		if (c == '\\' && l->at < l->end)
			c = *l->at++ == 'n' ? '\n' : l->at[-1];
		if (n + 1 < LABEL_MAX)
			out[n++] = c;
	}
	out[n] = '\0';
	return next_is(l, '"');
}

static bool read_labels(struct line *l, struct labels *out)
{
	char name[LABEL_MAX], value[LABEL_MAX];
	if (!next_is(l, '{'))
		return true;
	while (!next_is(l, '}')) {
		if (!next_word(l, "=", name) || !next_is(l, '=') || !next_quoted(l, value))
			return false;
		char *to = strcmp(name, "instance") == 0  ? out->instance
		           : strcmp(name, "ifName") == 0  ? out->name
		           : strcmp(name, "ifIndex") == 0 ? out->index
		                                          : NULL;
		if (to != NULL)
			memcpy(to, value, sizeof(value));
		if (!next_is(l, ',') && (l->at == l->end || *l->at != '}'))
			return false;
	}
	return true;
}

/* Milliseconds, as in the text format, or seconds, as in OpenMetrics; the former are past 1973. */
static bool read_time(const char *word, int64_t *at_ms)
{
	char *end;
	const double at = strtod(word, &end);
	if (end == word || *end != '\0' || !(at > 0 && at < 1e14))
		return false;
	*at_ms = llround(at < 1e11 ? at * 1000 : at);
	return true;
}

/* "# scraped TIME [INSTANCE]", written by whoever kept the page; other comments say nothing to us. */
static const char *read_comment(struct page *page, struct line *l)
{
	char word[LABEL_MAX];
	if (!next_word(l, "", word) || strcmp(word, "scraped") != 0)
		return NULL;
	if (!next_word(l, "", word) || !read_time(word, &page->at_ms))
		return "must be # scraped TIME [INSTANCE], the time in seconds since 1970";
	if (!next_word(l, "", page->instance))
		page->instance[0] = '\0';
	return NULL;
}

/* What is wrong with the line; NULL: nothing. */
static const char *read_line(struct page *page, struct line *l)
{
	char word[LABEL_MAX];
	struct labels labels = { .instance = "" };
	if (next_is(l, '#'))
		return read_comment(page, l);
	struct point point = { .kind = next_word(l, "{", word) ? kind_of(word) : KINDS };
	if (point.kind == KINDS)
		return NULL;
	if (!read_labels(l, &labels))
		return "its labels are not {name=\"value\",...}";
	if (!next_word(l, "", word) || !read_count(page->p, word, &point.value))
		return "has no count";
	point.at_ms = page->at_ms;
	if (next_word(l, "", word) && !read_time(word, &point.at_ms))
		return "ends in something that is no time";
	if (point.at_ms == 0)
		return "has no time, for snmp_exporter writes none; put a line \"# scraped TIME "
		       "INSTANCE\" before each page, or ask Prometheus for /federate";
	name_port(page->p, &point, labels.instance[0] != '\0' ? labels.instance : page->instance,
	          labels.name[0] != '\0' ? labels.name : labels.index);
	if (!page->p->no_memory)
		add_point(page->p, &point);
	return NULL;
}

static void read_page(struct points *p, const char *text, size_t size)
{
	struct page page = { .p = p };
	const char *const end = text + size;
	char where[32];
	while (text < end && !p->no_memory) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		struct line l = { text, newline != NULL ? newline : end };
		text = newline != NULL ? newline + 1 : end;
		page.number++;
		if (l.end > l.at && l.end[-1] == '\r')
			l.end--;
		const char *wrong = read_line(&page, &l);
		if (wrong == NULL)
			continue;
		(void)snprintf(where, sizeof(where), "line %zu", page.number);
		(void)faults_add(p->faults, ERR_MALFORMED, "malformed", where, "%s", wrong);
	}
	if (p->n == 0 && p->faults->count == 0)
		(void)faults_add(p->faults, ERR_MALFORMED, "missing", "line 1",
		                 "has neither answers of Prometheus's API nor lines of "
		                 "ifHCInOctets and ifHCOutOctets");
}

/* By instance and time, and in it first what is known of the instance. */
static int by_scrape(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	const int instance = strcmp(x->instance, y->instance);
	if (instance != 0)
		return instance;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if ((x->kind == KIND_UPTIME) != (y->kind == KIND_UPTIME))
		return x->kind == KIND_UPTIME ? -1 : 1;
	const int whose = strcmp(x->whose, y->whose);
	return whose != 0 ? whose : (x->kind > y->kind) - (x->kind < y->kind);
}

/* In and out of one port and time, and the uptime of their scrape, make a reading. */
static enum err put_together(struct points *p)
{
	const struct point *uptime = NULL;
	size_t alone = 0;
	enum err e = ERR_OK;
	if (p->n > 0)
		qsort(p->list, p->n, sizeof(*p->list), by_scrape);
	for (size_t i = 0; e == ERR_OK && i < p->n; i++) {
		const struct point *in = &p->list[i], *out = in + 1;
		if (in->kind == KIND_UPTIME) {
			uptime = in;
			continue;
		}
		if (in->kind != KIND_IN || i + 1 == p->n || out->kind != KIND_OUT ||
		    out->at_ms != in->at_ms || strcmp(in->whose, out->whose) != 0) {
			alone++;
			continue;
		}
		struct counter_reading r = { .at_ms = in->at_ms, .bits = p->is_rounded ? 64 : 53 };
		r.octets[COUNTER_IN] = in->value;
		r.octets[COUNTER_OUT] = out->value;
		r.has_uptime = uptime != NULL && uptime->at_ms == in->at_ms &&
		               strcmp(uptime->instance, in->instance) == 0;
		r.uptime = r.has_uptime ? (uint32_t)uptime->value : 0;
		e = import_add(p->file, in->whose, 0, &r);
		i++;
	}
	if (alone > 0)
		text_printf(
			&p->file->notes,
			"%zu values of one direction have none of the other at their time; left out\n",
			alone);
	if (p->is_rounded)
		text_put(&p->file->notes,
		         "counters beyond 2^53 were rounded on their way through a double; let "
		         "snmp_exporter wrap them (--snmp.wrap-large-counters, its default)\n");
	return e;
}

static enum err read_answers(struct points *p, const char *text, size_t size)
{
	size_t at = 0, number = 1;
	do {
		json_error_t why;
		json_t *document = json_loadb(text + at, size - at, JSON_DISABLE_EOF_CHECK, &why);
		if (document == NULL) {
			char where[32];
			(void)snprintf(where, sizeof(where), "answer %zu", number);
			return faults_add(p->faults, ERR_MALFORMED, "malformed", where,
			                  "line %d: %s", why.line, why.text);
		}
		read_answer(p, document, number++);
		json_decref(document);
		at += (size_t)why.position;
		at += strspn(text + at, " \t\r\n");
	} while (at < size && !p->no_memory);
	return ERR_OK;
}

enum err import_prometheus(const char *text, size_t size, struct import_file *f,
                           struct faults *faults)
{
	struct points p = { .file = f, .faults = faults };
	const size_t blank = strspn(text, " \t\r\n");
	enum err e = ERR_OK;
	if (blank == size || text[blank] == '{')
		e = read_answers(&p, text + blank, size - blank);
	else
		read_page(&p, text, size);
	if (e == ERR_OK && p.no_memory)
		e = ERR_NOMEM;
	if (e == ERR_OK)
		e = put_together(&p);
	free(p.list);
	return e;
}
