/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/asking.h"

#define A "/v1/providers/isp-a/topology"

/* One request from `from`, with what the world's headers say. */
static struct answer ask_from(const struct api_front *front, const char *from, const char *method,
                              const char *path)
{
	struct answer a = { .metrics = metrics_new(1) };
	const struct api_options options = { .metrics = a.metrics };
	struct api *api = api_new(&options);
	struct http_request request = { .method = method, .path = path, .query = "", .body = "" };
	assert_int_equal(ip_parse(from, &request.from), ERR_OK);
	assert_int_equal(api_front(api, front), ERR_OK);
	api_http(api, &request, &a.reply);
	text_add(&a.reply.body, "", 0);
	api_free(api);
	return a;
}

static void counts_wrong_tokens_of_whom_a_listed_proxy_names(void **state)
{
	(void)state;
	static const struct {
		const char *from, *header, *is;
	} rows[] = {
		{ "10.0.0.1", "192.0.2.7", "192.0.2.7" },
		{ "10.0.0.1", "198.51.100.9, 192.0.2.7", "192.0.2.7" },
		{ "10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7" },
		{ "10.0.0.1", NULL, "10.0.0.1" },
		{ "10.0.0.1", "nonsense", "10.0.0.1" },
		{ "192.0.2.8", "192.0.2.7", "192.0.2.8" }, /* nobody's proxy */
	};
	struct ip_prefix proxy;
	assert_int_equal(ip_prefix_parse("10.0.0.0/24", &proxy), ERR_OK);
	const struct api_front front = { .proxies = &proxy, .n_proxies = 1, .cors_origins = "" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char is[IP_TEXT_SIZE];
		world.forwarded = rows[i].header;
		struct answer a = ask_from(&front, rows[i].from, "GET", A);
		ip_print(&world.from, is);
		assert_string_equal(is, rows[i].is);
		answer_done(&a);
	}
}

static void answers_pages_of_listed_origins(void **state)
{
	(void)state;
	static const char here[] = "https://noc.example.net";
	static const struct {
		const char *origins, *origin, *method, *preflight;
		unsigned status;
		bool allowed;
	} rows[] = {
		{ "http://a.b https://noc.example.net", here, "GET", NULL, 200, true },
		{ "https://noc.example.net", here, "OPTIONS", "PUT", 204, true },
		{ "https://noc.example.net", here, "OPTIONS", NULL, 405, true },
		{ "https://noc.example.net", NULL, "GET", NULL, 200, false },
		{ "https://noc.example.net", "null", "OPTIONS", "PUT", 405, false },
		{ "https://noc.example.net", "https://noc.example.ne", "GET", NULL, 200, false },
		{ "https://noc.example.net", "https://noc.example.net.evil", "OPTIONS", "PUT", 405,
		  false },
		{ "https://noc.example.net", "http://noc.example.net", "OPTIONS", "GET", 405,
		  false },
		{ "", here, "OPTIONS", "PUT", 405, false },
		{ "", "", "OPTIONS", "PUT", 405, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct api_front front = { .cors_origins = rows[i].origins };
		world.origin = rows[i].origin;
		world.preflight = rows[i].preflight;
		struct answer a = ask_from(&front, "192.0.2.1", rows[i].method, A);
		assert_int_equal(a.reply.status == 0 ? 200 : a.reply.status, rows[i].status);
		assert_string_equal(header_of(&a, "Access-Control-Allow-Origin"),
		                    rows[i].allowed ? here : "");
		assert_string_equal(header_of(&a, "Vary"),
		                    rows[i].origins[0] != '\0' ? "Origin" : "");
		assert_string_equal(header_of(&a, "Access-Control-Allow-Credentials"), "");
		assert_string_equal(header_of(&a, "Access-Control-Allow-Headers"),
		                    rows[i].status == 204
		                            ? "Authorization, Content-Type, If-Match, "
		                              "If-None-Match"
		                            : "");
		answer_done(&a);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(counts_wrong_tokens_of_whom_a_listed_proxy_names, as_admin),
	cmocka_unit_test_setup(answers_pages_of_listed_origins, as_admin),
};

RUN_TESTS(tests)
