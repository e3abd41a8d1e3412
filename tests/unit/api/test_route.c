/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/api/route.h"

#include <stdio.h>
#include <string.h>

static void takes_the_parts_out(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path, *first, *second;
	} rows[] = {
		{ "/", "/", "", "" },
		{ "/{file}", "/app.js", "app.js", "" },
		{ "/v1/providers/{p}/topology", "/v1/providers/isp-a/topology", "isp-a", "" },
		{ "/v1/p/{p}/v/{v}/activate", "/v1/p/a/v/12/activate", "a", "12" },
		{ "/v1/i/{p}/{i}", "/v1/i/a%3ab/c%2Fd", "a:b", "c/d" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct route_parts p;
		assert_true(route_match(rows[i].pattern, rows[i].path, &p));
		assert_string_equal(p.part[0], rows[i].first);
		assert_string_equal(p.part[1], rows[i].second);
	}
}

static void fits_nothing_else(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "/", "" },
		{ "/", "//" },
		{ "/{file}", "/" },
		{ "/{file}", "/a/b" },
		{ "/v1/tokens", "/v1/tokens/" },
		{ "/v1/tokens", "/v1/token" },
		{ "/v1/tokens/{name}", "/v1/tokens/" },
		{ "/v1/tokens/{name}", "/v1/tokens/%" },
		{ "/v1/tokens/{name}", "/v1/tokens/%4" },
		{ "/v1/tokens/{name}", "/v1/tokens/%4g" },
		{ "/v1/tokens/{name}", "/v1/tokens/a%00b" },
		{ "/v1/p/{p}/costs", "/v1/p//costs" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct route_parts p = { { "kept" } };
		assert_false(route_match(rows[i][0], rows[i][1], &p));
		assert_string_equal(p.part[0], "kept");
	}
}

static void stops_at_the_longest_part(void **state)
{
	(void)state;
	char path[2 + ROUTE_PART_ROOM];
	struct route_parts p;
	(void)snprintf(path, sizeof(path), "/%0*d", ROUTE_PART_ROOM - 1, 7);
	assert_true(route_match("/{x}", path, &p));
	assert_int_equal(strlen(p.part[0]), ROUTE_PART_ROOM - 1);
	(void)snprintf(path, sizeof(path), "/%0*d", ROUTE_PART_ROOM, 7);
	assert_false(route_match("/{x}", path, &p));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(takes_the_parts_out),
	cmocka_unit_test(fits_nothing_else),
	cmocka_unit_test(stops_at_the_longest_part),
};

RUN_TESTS(tests)
