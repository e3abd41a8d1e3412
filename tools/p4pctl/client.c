/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP, and what to tell a person when it went wrong. */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"
#include "tools/p4pctl/pointer.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

bool ctl_read_file(const char *path, size_t max, struct text *out)
{
	char part[16384];
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (f == NULL) {
		(void)ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
		return false;
	}
	text_add(out, "", 0);
	for (size_t n; out->size <= max && (n = fread(part, 1, sizeof(part), f)) > 0;)
		text_add(out, part, n);
	const bool good = !ferror(f) && !out->bad && out->size <= max;
	if (out->size > max)
		(void)ctl_fail(CTL_USAGE, "%s: has more than %zu bytes, which is too much", path,
		               max);
	else if (!good)
		(void)ctl_fail(CTL_USAGE, "%s: %s", path,
		               out->bad ? "out of memory" : strerror(errno));
	if (f != stdin)
		(void)fclose(f);
	return good;
}

struct json_t *ctl_read_json(const char *path, struct text *body)
{
	json_error_t why;
	if (!ctl_read_file(path, CTL_DOCUMENT_MAX, body))
		return NULL;
	if (body->size >= 3 && memcmp(body->bytes, "\xef\xbb\xbf", 3) == 0) {
		(void)ctl_fail(CTL_USAGE,
		               "%s:1: begins with a byte order mark; save it as UTF-8 without one",
		               path);
		return NULL;
	}
	json_t *json = json_loadb(body->bytes, body->size, 0, &why);
	if (json == NULL)
		(void)ctl_fail(CTL_USAGE, "%s:%d: %s%s", path, why.line, why.text,
		               json_error_code(&why) == json_error_invalid_utf8
		                       ? "; save it as UTF-8"
		                       : "");
	return json;
}

static void put_escaped(struct text *path, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0);
	if (escaped == NULL)
		path->bad = true;
	else
		text_put(path, escaped);
	curl_free(escaped);
}

void ctl_segment(struct text *path, const char *segment)
{
	text_put(path, "/");
	put_escaped(path, segment);
}

void ctl_parameter(struct text *path, const char *name, const char *value)
{
	if (value == NULL)
		return;
	const bool first = path->bytes == NULL || strchr(path->bytes, '?') == NULL;
	text_printf(path, "%c%s=", first ? '?' : '&', name);
	put_escaped(path, value);
}

static size_t keep(char *bytes, size_t one, size_t n, void *ctx)
{
	struct text *answer = ctx;
	(void)one; /* always 1 */
	text_add(answer, bytes, n);
	return answer->bad ? 0 : n;
}

const char *ctl_string(const struct json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s != NULL ? s : "";
}

double ctl_number(const struct json_t *object, const char *key)
{
	const json_t *n = json_object_get(object, key);
	return json_is_number(n) ? json_number_value(n) : -1;
}

void ctl_fault(const char *file, const struct text *body, const char *where, const char *text,
               const char *kind)
{
	char line[40] = "";
	if (where[0] == '/' && body != NULL)
		(void)snprintf(line, sizeof(line), " (line %zu)",
		               pointer_line(body->bytes, body->size, where));
	ctl_say("%s: %s%s%s [%s]%s", file, where, where[0] != '\0' ? ": " : "", text, kind, line);
}

static void print_faults(const struct ctl_request *r, const json_t *problem)
{
	const char *file = r->file != NULL ? r->file : "p4pctl";
	size_t i;
	json_t *fault;
	json_array_foreach(json_object_get(problem, "faults"), i, fault)
	{
		/* The lines of a body that we made say nothing to anybody. */
		ctl_fault(file, r->file != NULL ? r->body : NULL, ctl_string(fault, "where"),
		          ctl_string(fault, "text"), ctl_string(fault, "code"));
	}
	const double more = ctl_number(problem, "more");
	if (more > 0)
		ctl_say("%s: and %.0f more", file, more);
}

/* Of what the API itself does not answer: TLS, probes. Pages of a proxy in front of it say nothing to us. */
static void first_line(const struct text *answer, char out[static 256])
{
	if (answer->size > 0 && answer->bytes[0] != '<')
		(void)snprintf(out, 256, "%.*s", (int)strcspn(answer->bytes, "\r\n"),
		               answer->bytes);
}

/* Explains an answer that is no success. */
static enum ctl_exit explain(const struct ctl *c, const struct ctl_request *r, long status,
                             const struct text *answer)
{
	json_t *problem =
		answer->size > 0 ? json_loadb(answer->bytes, answer->size, 0, NULL) : NULL;
	char line[256] = "";
	if (problem == NULL)
		first_line(answer, line);
	const char *detail = problem != NULL ? ctl_string(problem, "detail") : line;
	if (c->json && answer->size > 0)
		(void)fwrite(answer->bytes, 1, answer->size, stdout);
	print_faults(r, problem);
	enum ctl_exit code = CTL_REFUSED;
	if (status == 413 && detail[0] == '\0')
		detail = "is longer than the server, or a proxy before it, takes";
	if (status == 401 && c->token == NULL)
		code = ctl_fail(CTL_AWAY,
		                "no token: give --token, --token-file or P4PD_TOKEN, or run where "
		                "var/admin.token is");
	else if (status == 401 || status == 403 || status >= 500)
		code = ctl_fail(CTL_AWAY, "%s (%ld)", detail[0] ? detail : "the server failed",
		                status);
	else if (r->file != NULL && (status == 413 || status == 415)) /* about it as a whole */
		ctl_say("%s: %s (%ld)", r->file, detail[0] ? detail : "refused", status);
	else
		(void)ctl_fail(code, "%s (%ld)", detail[0] ? detail : "refused", status);
	json_decref(problem);
	return code;
}

static void prepare(CURL *curl, const struct ctl *c, const struct ctl_request *r,
                    struct curl_slist **headers)
{
	struct text line = { 0 };
	if (c->token != NULL) {
		text_printf(&line, "Authorization: Bearer %s", c->token);
		*headers = curl_slist_append(*headers, line.bytes);
		text_done(&line);
	}
	if (r->if_match != NULL) {
		text_printf(&line, "If-Match: %s", r->if_match);
		*headers = curl_slist_append(*headers, line.bytes);
		text_done(&line);
	}
	if (c->cacert != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, c->cacert);
	if (c->cert != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_SSLCERT, c->cert);
	if (c->key != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_SSLKEY, c->key);
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
	if (r->body != NULL) {
		text_printf(&line, "Content-Type: %s", r->content_type);
		*headers = curl_slist_append(*headers, line.bytes);
		text_done(&line);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body->bytes);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		                       (curl_off_t)r->body->size);
		/* Above a MiB libcurl asks first: sent all the same, what is too long would be cut
		 * off before the server's reason is read. */
		(void)curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 10000L);
	}
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 600L);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

/* One exchange. CTL_AWAY: the server was not reached, and we said so. */
static enum ctl_exit exchange(CURL *curl, const struct ctl *c, const char *url, struct text *answer)
{
	char why[CURL_ERROR_SIZE] = "";
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	const CURLcode e = curl_easy_perform(curl);
	if (e == CURLE_OK)
		return CTL_OK;
	return ctl_fail(CTL_AWAY, "cannot reach %s: %s; is p4pd running? (--url, P4PD_URL)", c->url,
	                why[0] != '\0' ? why : curl_easy_strerror(e));
}

static void keep_tag(CURL *curl, struct ctl_request *r)
{
	struct curl_header *tag;
	if (curl_easy_header(curl, "ETag", 0, CURLH_HEADER, -1, &tag) == CURLHE_OK &&
	    strlen(tag->value) < sizeof(r->etag))
		memcpy(r->etag, tag->value, strlen(tag->value) + 1);
}

enum ctl_exit ctl_ask(const struct ctl *c, struct ctl_request *r, struct text *answer)
{
	struct text url = { 0 };
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	size_t base = strlen(c->url);
	while (base > 0 && c->url[base - 1] == '/')
		base--;
	text_add(&url, c->url, base);
	text_add(&url, r->path.bytes, r->path.size);
	enum ctl_exit code = CTL_AWAY;
	if (curl == NULL || url.bad || r->path.bad) {
		(void)ctl_fail(code, "out of memory");
	} else {
		long status = 0;
		prepare(curl, c, r, &headers);
		code = exchange(curl, c, url.bytes, answer);
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		keep_tag(curl, r);
		if (code == CTL_OK && (status < 200 || status > 299))
			code = explain(c, r, status, answer);
		else if (code == CTL_OK && c->json && answer->size > 0)
			(void)fwrite(answer->bytes, 1, answer->size, stdout);
	}
	if (code != CTL_OK)
		text_done(answer);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	text_done(&url);
	text_done(&r->path);
	return code;
}

struct json_t *ctl_get(const struct ctl *c, struct text path, enum ctl_exit *code)
{
	struct ctl_request r = { .method = "GET", .path = path };
	struct text answer = { 0 };
	json_error_t why;
	json_t *json = NULL;
	*code = ctl_ask(c, &r, &answer);
	if (*code == CTL_OK) {
		/* Totals may pass 2^63; tables round them, and --json prints every digit. */
		json = json_loadb(answer.bytes, answer.size, JSON_DECODE_INT_AS_REAL, &why);
		if (json == NULL)
			*code = ctl_fail(CTL_AWAY, "the server's answer is no JSON: %s", why.text);
	}
	text_done(&answer);
	return json;
}

static void add_row(struct columns *t, const json_t *row, const char *const *heads,
                    const char *const *members)
{
	for (size_t k = 0; heads[k] != NULL; k++)
		if (heads[k][0] == '>')
			columns_add(t, "%.0f", ctl_number(row, members[k]));
		else
			columns_add(t, "%s", ctl_string(row, members[k]));
}

enum ctl_exit ctl_table(const struct ctl *c, struct text path, const char *list,
                        const char *const *heads, const char *const *members)
{
	enum ctl_exit code;
	json_t *json = ctl_get(c, path, &code);
	if (json != NULL && !c->json) {
		struct columns t;
		columns_begin(&t, heads);
		const json_t *rows = json_object_get(json, list);
		for (size_t i = 0; i < json_array_size(rows); i++)
			add_row(&t, json_array_get(rows, i), heads, members);
		(void)columns_print(&t, stdout);
	}
	json_decref(json);
	return code;
}
