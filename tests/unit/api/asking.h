/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One request to the API among the doubles of world.h, and what its answer must be. */

#include "tests/unit/api/world.h"

struct answer {
	struct http_reply reply;
	struct metrics *metrics;
	struct map_office *office;
};

static inline enum err list_exporters(void *ctx, const char *provider, struct text *out)
{
	(void)ctx;
	text_printf(out, "{\"exporters\":\"of %s\"}", provider != NULL ? provider : "all");
	return ERR_OK;
}

static inline struct answer ask(const char *method, const char *path, const char *query,
                                const char *body)
{
	struct answer a = { .metrics = metrics_new(1), .office = map_office_new(snapshot_free) };
	const struct api_options options = { .metrics = a.metrics,
		                             .office = a.office,
		                             .report = { .bin_seconds = 300 },
		                             .late_seconds = 77,
		                             .ready = ready,
		                             .access_changed = access_changed,
		                             .passkey_use = passkey_use,
		                             .list_swarms = list_swarms,
		                             .explain = explain,
		                             .list_exporters = list_exporters };
	if (world.map != NULL)
		assert_int_equal(map_publish(a.office, world.map()), ERR_OK);
	struct api *api = api_new(&options);
	const struct http_request request = { .method = method,
		                              .path = path,
		                              .query = query,
		                              .body = body,
		                              .body_size = strlen(body) };
	api_http(api, &request, &a.reply);
	if (a.reply.status == 0)
		a.reply.status = 200;
	text_add(&a.reply.body, "", 0);
	api_free(api);
	return a;
}

static inline void answer_done(struct answer *a)
{
	map_office_free(a->office);
	text_done(&a->reply.body);
	metrics_free(a->metrics);
}

static inline const char *header_of(const struct answer *a, const char *name)
{
	for (size_t i = 0; i < a->reply.n_headers; i++)
		if (strcmp(a->reply.headers[i].name, name) == 0)
			return a->reply.headers[i].value;
	return "";
}

struct row {
	const char *method, *path, *query, *body;
	unsigned status;
	const char *part; /* of the answer's body */
};

static inline void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct answer a = ask(r->method, r->path, r->query, r->body);
		if (a.reply.status != r->status || strstr(a.reply.body.bytes, r->part) == NULL)
			fail_msg("%s %s?%s: %u %s", r->method, r->path, r->query, a.reply.status,
			         a.reply.body.bytes);
		if (a.reply.status >= 400 && strcmp(r->path, "/readyz") != 0)
			assert_string_equal(a.reply.content_type, "application/problem+json");
		assert_string_equal(header_of(&a, "X-Content-Type-Options"), "nosniff");
		answer_done(&a);
	}
}

#define CHECK(rows) check((rows), sizeof(rows) / sizeof((rows)[0]))

static inline int as_admin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.authorization = "Bearer good";
	world.who = (struct auth_who){ .name = "admin", .role = STORE_ADMIN };
	return 0;
}
