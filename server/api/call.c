/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/call.h"

#include "common/map/check.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *title(unsigned status)
{
	static const struct {
		unsigned status;
		const char *title;
	} titles[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 503, "Service Unavailable" },
	};
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Internal Server Error";
}

struct text *call_json(struct call *c, unsigned status)
{
	text_done(&c->reply->body);
	c->reply->status = status;
	c->reply->content_type = "application/json";
	return &c->reply->body;
}

/* Leaves the object open for further members. */
static struct text *problem(struct call *c, unsigned status, const char *detail)
{
	struct text *t = call_json(c, status);
	c->reply->content_type = "application/problem+json";
	text_printf(t, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u", title(status),
	            status);
	call_put_string(t, "detail", detail);
	return t;
}

void call_problem(struct call *c, unsigned status, const char *fmt, ...)
{
	char detail[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	text_put(problem(c, status, detail), "}\n");
}

void call_failed(struct call *c, enum err e, const char *what)
{
	switch (e) {
	case ERR_NOT_FOUND:
		call_problem(c, 404, "%s", what);
		return;
	case ERR_EXISTS:
		call_problem(c, 409, "%s", what);
		return;
	case ERR_AWAY:
		metrics_add(c->slot, METRIC_STORE_FAILURES, 1);
		http_reply_header(c->reply, "Retry-After", "5");
		call_problem(c, 503, "the database does not answer now; asking again is safe");
		return;
	case ERR_BUSY:
		http_reply_header(c->reply, "Retry-After", "5");
		call_problem(c, 503, "too much at once; try again");
		return;
	case ERR_SYSTEM:
		metrics_add(c->slot, METRIC_STORE_FAILURES, 1);
		break;
	case ERR_OK:
	case ERR_NOMEM:
	case ERR_TRUNCATED:
	case ERR_MALFORMED:
	case ERR_RANGE:
	case ERR_DENIED:
	case ERR_COUNT_:
		break;
	}
	call_problem(c, 500, "the server failed (%s); its log says more", err_name(e));
}

void call_empty(struct call *c, enum err e, const char *what)
{
	if (e == ERR_OK)
		c->reply->status = 204;
	else
		call_failed(c, e, what);
}

static void put_refusal(struct call *c, unsigned status, const char *detail,
                        const struct faults *faults)
{
	struct text *t = problem(c, status, detail);
	text_put(t, ",\"faults\":");
	call_put_faults(c, t, faults);
	if (faults->more > 0)
		text_printf(t, ",\"more\":%zu", faults->more);
	text_put(t, "}\n");
}

void call_refused(struct call *c, const struct faults *faults)
{
	char detail[64];
	(void)snprintf(detail, sizeof(detail), "%zu fault%s; nothing was changed",
	               faults->count + faults->more, faults->count == 1 ? "" : "s");
	put_refusal(c, 422, detail, faults);
}

void call_objected(struct call *c, const struct faults *objections)
{
	put_refusal(c, 409,
	            "nothing was changed; force=1 (p4pctl: --force) overrides guards; a missing "
	            "approval must come from somebody else",
	            objections);
}

void call_put_faults(const struct call *c, struct text *t, const struct faults *faults)
{
	text_put(t, "[");
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *f = &faults->list[i];
		text_put(t, i > 0 ? ",{\"code\":" : "{\"code\":");
		text_json_string(t, f->kind);
		call_put_string(t, "where", f->where);
		struct text text = { 0 };
		map_fault_for(c->who.provider, f->text, &text);
		call_put_string(t, "text", text.bytes == NULL ? "" : text.bytes);
		t->bad = t->bad || text.bad;
		text_done(&text);
		text_put(t, "}");
	}
	text_put(t, "]");
}

void call_put_string(struct text *t, const char *key, const char *value)
{
	text_printf(t, ",\"%s\":", key);
	text_json_string(t, value);
}

void call_put_time(struct text *t, const char *key, int64_t unix_seconds)
{
	char printed[24];
	text_time_print(unix_seconds, printed);
	call_put_string(t, key, printed);
}

void call_put_ratio(struct text *t, const char *key, uint64_t milli)
{
	if (milli == 0)
		text_printf(t, ",\"%s\":null", key);
	else
		text_printf(t, ",\"%s\":%" PRIu64 ".%03u", key, milli / 1000,
		            (unsigned)(milli % 1000));
}

bool call_body_is(const struct call *c, const char *type)
{
	const char *said = http_header(c->request, "Content-Type");
	const bool json = strcmp(type, "application/json") == 0;
	if (said == NULL)
		return json;
	const size_t size = strcspn(said, "; \t");
	if (size == strlen(type) && strncasecmp(said, type, size) == 0)
		return true;
	/* curl's --data says this of anything it is given. */
	return json && size == 33 &&
	       strncasecmp(said, "application/x-www-form-urlencoded", 33) == 0;
}

static json_t *load(const struct http_request *r, json_error_t *why)
{
	/* jansson passes over a NUL behind a number. */
	if (r->body_size > 0 && memchr(r->body, '\0', r->body_size) != NULL) {
		*why = (json_error_t){ .line = 1, .text = "a NUL byte" };
		return NULL;
	}
	return json_loadb(r->body, r->body_size, JSON_REJECT_DUPLICATES, why);
}

struct json_t *call_body_object(struct call *c)
{
	if (!call_body_is(c, "application/json")) {
		call_problem(c, 415, "the body must be application/json");
		return NULL;
	}
	json_error_t why;
	json_t *body = load(c->request, &why);
	if (json_is_object(body))
		return body;

	struct faults faults = { 0 };
	char where[32];
	(void)snprintf(where, sizeof(where), "line %d", body == NULL ? why.line : 1);
	(void)faults_add(&faults, ERR_MALFORMED, "malformed", where, "%s",
	                 body == NULL ? why.text : "the body must be a JSON object");
	json_decref(body);
	call_refused(c, &faults);
	return NULL;
}

bool call_text(struct call *c, const char *name, char *out, size_t room)
{
	char value[512] = "";
	if (!http_has_parameter(c->request, name))
		return true;
	if (!http_parameter(c->request, name, value, sizeof(value)) || !text_is_utf8(value) ||
	    value[0] == '\0' || strlen(value) >= room) {
		call_problem(c, 400,
		             "%s: 1 to %zu bytes of UTF-8, percent-encoded where they must be",
		             name, room - 1);
		return false;
	}
	(void)snprintf(out, room, "%s", value);
	return true;
}

bool call_flag(struct call *c, const char *name, bool *out)
{
	char value[8] = "0";
	if (!call_text(c, name, value, sizeof(value)))
		return false;
	const bool yes = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	if (!yes && strcmp(value, "0") != 0 && strcmp(value, "false") != 0) {
		call_problem(c, 400, "%s: \"%s\" is neither 1 nor 0", name, value);
		return false;
	}
	*out = yes;
	return true;
}

bool call_number(struct call *c, const char *name, uint64_t *out)
{
	char value[32] = "";
	if (!call_text(c, name, value, sizeof(value)))
		return false;
	if (value[0] != '\0' && !text_u64(value, strlen(value), out)) {
		call_problem(c, 400, "%s: \"%s\" is no whole number", name, value);
		return false;
	}
	return true;
}

bool call_number_to(struct call *c, const char *name, uint64_t most, uint64_t *out)
{
	uint64_t n = 0;
	if (!call_number(c, name, &n))
		return false;
	if (n > most) {
		call_problem(c, 400, "%s: at most %" PRIu64 ", not %" PRIu64, name, most, n);
		return false;
	}
	if (http_has_parameter(c->request, name))
		*out = n;
	return true;
}

bool call_time(struct call *c, const char *name, int64_t *out)
{
	char value[48] = "";
	if (!call_text(c, name, value, sizeof(value)))
		return false;
	/* A plus that was not written %2B came as a blank. */
	char *offset = strlen(value) == 25 && value[19] == ' ' ? value + 19 : NULL;
	if (offset != NULL)
		*offset = '+';
	if (value[0] != '\0' && !text_time(value, out)) {
		call_problem(c, 400,
		             "%s: \"%s\" is neither a time such as 2026-11-21T10:05:00Z or "
		             "...+01:00, nor a date (UTC), nor seconds since 1970",
		             name, value);
		return false;
	}
	return true;
}

/* A member of the header's list, by weak comparison (RFC 9110 section 13.1.2). */
static bool lists(const char *header, const char *quoted)
{
	const size_t size = strlen(quoted);
	for (const char *at = header + strspn(header, " \t,"); *at != '\0';) {
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		const size_t item = strcspn(at, ", \t");
		if ((item == size && memcmp(at, quoted, size) == 0) || (item == 1 && *at == '*'))
			return true;
		at += item;
		at += strspn(at, " \t,");
	}
	return false;
}

bool call_info_hash(struct call *c, uint8_t out[static 20])
{
	const char *hex = c->path.part[0];
	if (text_unhex(hex, out, 20))
		return true;
	call_problem(c, 400, "info-hash: \"%.64s\" is none; one has 40 hexadecimal digits", hex);
	return false;
}

bool call_is_known(struct call *c, const char *tag)
{
	char quoted[96];
	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", tag);
	http_reply_header(c->reply, "ETag", quoted);
	const char *known = http_header(c->request, "If-None-Match"), *method = c->request->method;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return false; /* what was done is not undone by 304 */
	if (known == NULL || !lists(known, quoted))
		return false;
	c->reply->status = 304;
	return true;
}

bool call_expected(struct call *c, char out[static CALL_TAG_SIZE])
{
	const char *said = http_header(c->request, "If-Match");
	if (said == NULL)
		return true;
	const size_t size = strlen(said);
	if (strcmp(said, "*") == 0) {
		memcpy(out, said, 2);
		return true;
	}
	if (size < 3 || size - 2 >= CALL_TAG_SIZE || said[0] != '"' ||
	    strcspn(said + 1, "\"") != size - 2) {
		call_problem(c, 400, "If-Match: one ETag in quotes, as a GET gave it, or *");
		return false;
	}
	memcpy(out, said + 1, size - 2);
	out[size - 2] = '\0';
	return true;
}

/* One `"tag"` of the list at *at, behind a blank when it is not the first. */
static bool take_tag(const char **at, char *out, size_t room)
{
	const size_t n = strlen(out), size = **at == '"' ? strcspn(*at + 1, "\"") : 0;
	const char *tag = *at + 1;
	if (size == 0 || tag[size] != '"' || memchr(tag, ' ', size) != NULL || n + size + 2 > room)
		return false;
	(void)snprintf(out + n, room - n, "%s%.*s", n > 0 ? " " : "", (int)size, tag);
	*at = tag + size + 1;
	*at += strspn(*at, ", \t");
	return true;
}

bool call_expected_any(struct call *c, char out[static CALL_TAGS_SIZE])
{
	const char *said = http_header(c->request, "If-Match");
	out[0] = '\0';
	if (said != NULL && strcmp(said, "*") == 0) {
		memcpy(out, "*", 2);
		return true;
	}
	while (said != NULL && *said != '\0') {
		if (!take_tag(&said, out, CALL_TAGS_SIZE)) {
			call_problem(c, 400,
			             "If-Match: ETags in quotes with commas between them, as GETs "
			             "gave them, or versions in quotes, or *");
			return false;
		}
	}
	return true;
}

bool call_csv(struct call *c, bool *csv)
{
	char format[16] = "";
	if (!call_text(c, "format", format, sizeof(format)))
		return false;
	const char *accept = http_header(c->request, "Accept");
	const bool wants_csv = accept != NULL && strncmp(accept, "text/csv", 8) == 0;
	*csv = format[0] == '\0' ? wants_csv : strcmp(format, "csv") == 0;
	if (format[0] != '\0' && !*csv && strcmp(format, "json") != 0) {
		call_problem(c, 400, "format: \"%s\" is neither json nor csv", format);
		return false;
	}
	return true;
}

void call_file(struct call *c, const char *file)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "attachment; filename=\"%s\"", file);
	c->reply->content_type = "text/csv; charset=utf-8";
	http_reply_header(c->reply, "Content-Disposition", name);
}
