/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/api/call.h"

#include <string.h>

static void a_fault_does_not_say_whose_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *scope, *text, *read;
	} rows[] = {
		{ "", "10.1.0.0/16 of provider \"b\"", "10.1.0.0/16 of provider \\\"b\\\"" },
		{ "a", "10.1.0.0/16 of provider \"b\"", "10.1.0.0/16 of another provider" },
		{ "a", "of provider \"ab\", no", "of another provider, no" },
		{ "ab", "of provider \"a\"", "of another provider" },
		{ "a", "of provider \"a\", not provider \"b\" or provider \"c",
		  "of provider \\\"a\\\", not another provider or another provider" },
		{ "a", "is in PID \"b\"", "is in PID \\\"b\\\"" },
		{ "a", "of provider \"b\" (10.0.0.0/8), but (10.1.0.0/16) does",
		  "of another provider, but (10.1.0.0/16) does" },
		{ "a", "of provider \"a\" (10.0.0.0/8)", "of provider \\\"a\\\" (10.0.0.0/8)" },
		{ "", "of provider \"b\" (10.0.0.0/8)", "of provider \\\"b\\\" (10.0.0.0/8)" },
		{ "a", "of provider \"b\" (10.0", "of another provider\"" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call c = { .now = 0 };
		struct faults faults = { 0 };
		struct text t = { 0 };
		(void)snprintf(c.who.provider, sizeof(c.who.provider), "%s", rows[i].scope);
		(void)faults_add(&faults, ERR_EXISTS, "taken", "/x", "%s", rows[i].text);
		call_put_faults(&c, &t, &faults);
		if (strstr(t.bytes, rows[i].read) == NULL)
			fail_msg("%s: %s", rows[i].read, t.bytes);
		if (rows[i].scope[0] != '\0')
			assert_null(strstr(t.bytes, "ab\\\""));
		text_done(&t);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_fault_does_not_say_whose_it_is),
};

RUN_TESTS(tests)
