/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/web/web.h"

#include <string.h>

static void finds_every_file_with_its_type(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "/", "text/html; charset=utf-8" },
		{ "/index.html", "text/html; charset=utf-8" },
		{ "/app.js", "text/javascript; charset=utf-8" },
		{ "/style.css", "text/css; charset=utf-8" },
		{ "/icon.svg", "image/svg+xml" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct embed_file *f = web_find(rows[i][0]);
		assert_non_null(f);
		assert_string_equal(web_type(f), rows[i][1]);
		assert_true(f->size > 100);
	}
	assert_ptr_equal(web_find("/"), web_find("/index.html"));
}

static void finds_nothing_else(void **state)
{
	(void)state;
	static const char *const rows[] = { "/x", "/app.js/", "/../app.js", "/APP.JS" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_null(web_find(rows[i]));
}

/* The page must work without any request to another origin, and under its own CSP. */
static void names_no_other_origin_and_no_inline_code(void **state)
{
	(void)state;
	const struct embed_file *page = web_find("/");
	const char *text = (const char *)page->bytes;
	static const char *const bad[] = { "http:",  "https:",   "src=\"//", "href=\"//",
		                           "style=", "onclick=", "<style",   "<script>" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strstr(text, bad[i]) != NULL)
			fail_msg("the page has %s", bad[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_every_file_with_its_type),
	cmocka_unit_test(finds_nothing_else),
	cmocka_unit_test(names_no_other_origin_and_no_inline_code),
};

RUN_TESTS(tests)
