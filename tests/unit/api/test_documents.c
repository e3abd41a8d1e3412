/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/asking.h"

#define A "/v1/providers/isp-a"

struct early {
	const char *method, *path, *authorization, *content_type;
	enum http_upload_state state;
	unsigned status; /* 0: it may be read */
	size_t max;      /* then */
};

static void check_early(const struct early *e)
{
	struct answer a = { .metrics = metrics_new(1) };
	const struct api_options options = { .metrics = a.metrics, .upload_max = 5000 };
	struct api *api = api_new(&options);
	const struct http_request request = {
		.method = e->method, .path = e->path, .query = "", .body = ""
	};
	struct http_upload upload = { e->state, 100 };
	world.authorization = e->authorization;
	world.content_type = e->content_type;
	const bool goes_on = api_admit(api, &request, &upload, &a.reply);
	if (goes_on != (e->status == 0) || (!goes_on && a.reply.status != e->status) ||
	    (goes_on && upload.max != e->max))
		fail_msg("%s %s %s: %u, %zu", e->method, e->path, e->content_type, a.reply.status,
		         upload.max);
	if (!goes_on)
		assert_string_equal(a.reply.content_type, "application/problem+json");
	if (a.reply.status == 503 && e->state == HTTP_UPLOAD_NO_ROOM)
		assert_string_equal(header_of(&a, "Retry-After"), "5");
	api_free(api);
	answer_done(&a);
}

static void judges_a_long_body_before_it_comes(void **state)
{
	(void)state;
	static const char good[] = "Bearer good", json[] = "application/json", csv[] = "text/csv";
	static const struct early cases[] = {
		{ "PUT", A "/topology", good, json, HTTP_UPLOAD_ASKS, 0, 5000 },
		{ "PUT", A "/costs", good, NULL, HTTP_UPLOAD_ASKS, 0, 5000 },
		{ "POST", "/v1/samples", good, csv, HTTP_UPLOAD_ASKS, 0, 5000 },
		{ "POST", "/v1/samples", good, json, HTTP_UPLOAD_ASKS, 0, 5000 },
		{ "POST", "/v1/tokens", good, json, HTTP_UPLOAD_ASKS, 0, 100 },
		{ "PUT", A "/settings", good, json, HTTP_UPLOAD_ASKS, 0, 100 },
		{ "PUT", A "/topology", NULL, json, HTTP_UPLOAD_ASKS, 401, 0 },
		{ "PUT", A "/topology", "Bearer wrong", json, HTTP_UPLOAD_ASKS, 401, 0 },
		{ "PUT", A "/topology", "Bearer away", json, HTTP_UPLOAD_ASKS, 503, 0 },
		{ "PUT", "/v1/nothing/here", good, json, HTTP_UPLOAD_ASKS, 404, 0 },
		{ "POST", A "/topology", good, json, HTTP_UPLOAD_ASKS, 405, 0 },
		{ "PUT", A "/topology", good, csv, HTTP_UPLOAD_ASKS, 415, 0 },
		{ "PUT", A "/costs", good, "text/xml", HTTP_UPLOAD_ASKS, 415, 0 },
		{ "POST", "/v1/samples", good, "text/xml", HTTP_UPLOAD_ASKS, 415, 0 },
		{ "PUT", A "/topology", good, json, HTTP_UPLOAD_TOO_LONG, 413, 0 },
		{ "PUT", A "/topology", good, json, HTTP_UPLOAD_NO_ROOM, 503, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_early(&cases[i]);
	world.who = (struct auth_who){ .name = "b", .role = STORE_OPERATOR, .provider = "isp-b" };
	static const struct early scoped[] = {
		{ "PUT", A "/topology", good, json, HTTP_UPLOAD_ASKS, 403, 0 },
		{ "PUT", "/v1/providers/isp-b/topology", good, json, HTTP_UPLOAD_ASKS, 0, 5000 },
	};
	for (size_t i = 0; i < sizeof(scoped) / sizeof(scoped[0]); i++)
		check_early(&scoped[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(judges_a_long_body_before_it_comes, as_admin),
};

RUN_TESTS(tests)
