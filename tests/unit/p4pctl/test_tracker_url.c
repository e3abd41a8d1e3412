/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/tracker_url.h"

#include <string.h>

static void finds_scheme_host_and_port(void **state)
{
	(void)state;
	static const struct {
		const char *url, *host; /* NULL: refused */
		enum tracker_scheme scheme;
		uint16_t port;
	} rows[] = {
		{ "http://t.example/announce", "t.example", SCHEME_HTTP, 80 },
		{ "HTTPS://t.example", "t.example", SCHEME_HTTPS, 443 },
		{ "udp://t.example:6969", "t.example", SCHEME_UDP, 6969 },
		{ "udp://t.example/announce", "t.example", SCHEME_UDP, 0 },
		{ "ws://t.example", "t.example", SCHEME_WS, 80 },
		{ "wss://t.example/?key=a@b:1", "t.example", SCHEME_WSS, 443 },
		{ "http://user:word@t.example:8080/x", "t.example", SCHEME_HTTP, 8080 },
		{ "http://[2001:db8::1]:6969/announce", "2001:db8::1", SCHEME_HTTP, 6969 },
		{ "http://[2001:db8::1]", "2001:db8::1", SCHEME_HTTP, 80 },
		{ "http://t.example?passkey=x:99999", "t.example", SCHEME_HTTP, 80 },
		{ "dht://x", "x", SCHEME_OTHER, 0 },
		{ "", NULL, 0, 0 },
		{ "t.example:6969", NULL, 0, 0 },
		{ "://t.example", NULL, 0, 0 },
		{ "http://", NULL, 0, 0 },
		{ "http:///announce", NULL, 0, 0 },
		{ "http://:80/", NULL, 0, 0 },
		{ "http://[::1/", NULL, 0, 0 },
		{ "http://[::1]x/", NULL, 0, 0 },
		{ "http://t.example:0/", NULL, 0, 0 },
		{ "http://t.example:65536/", NULL, 0, 0 },
		{ "http://t.example:80a/", NULL, 0, 0 },
		{ "http://t.example:/", NULL, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracker_url u = { .port = 7 };
		const bool good = tracker_url_parse(rows[i].url, strlen(rows[i].url), &u);
		assert_int_equal(good, rows[i].host != NULL);
		if (!good) {
			assert_int_equal(u.port, 7); /* untouched */
			continue;
		}
		assert_int_equal(u.scheme, rows[i].scheme);
		assert_int_equal(u.port, rows[i].port);
		assert_int_equal(u.host_size, strlen(rows[i].host));
		assert_memory_equal(u.host, rows[i].host, u.host_size);
	}
}

static void a_tracker_is_its_host_and_port(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same, same_host;
	} rows[] = {
		{ "http://t.example:6969/announce", "udp://T.example:6969", true, true },
		{ "http://t.example:6969/key/announce", "http://t.example:6969/announce", true,
		  true },
		{ "http://t.example", "https://t.example", false, true },
		{ "http://t.example:6969", "udp://t.example:6970", false, true },
		{ "http://t.example", "http://t.example.net", false, false },
		{ "http://t.example", "http://u.example", false, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracker_url a, b;
		assert_true(tracker_url_parse(rows[i].a, strlen(rows[i].a), &a));
		assert_true(tracker_url_parse(rows[i].b, strlen(rows[i].b), &b));
		assert_int_equal(tracker_url_same(&a, &b, true), rows[i].same);
		assert_int_equal(tracker_url_same(&a, &b, false), rows[i].same_host);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_scheme_host_and_port),
	cmocka_unit_test(a_tracker_is_its_host_and_port),
};

RUN_TESTS(tests)
