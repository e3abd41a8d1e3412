/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/asking.h"

static void answers_changes_and_rotations(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "PATCH", "/v1/tokens/x", "", "{\"role\":\"viewer\",\"expires\":null}", 200,
		  "\"role\":\"viewer\",\"provider\":\"p\"" },
		{ "PATCH", "/v1/tokens/x", "", "{\"expires\":\"2099-01-01\"}", 200,
		  "\"expires\":\"2099-01-01T00:00:00Z\"" },
		{ "POST", "/v1/tokens/x/rotate", "", "", 200, "\"token\":\"p4pd-other\"" },
		{ "POST", "/v1/tokens/x/rotate", "", "{\"grace_seconds\":60}", 200,
		  "\"previous_until\":\"1970-01-01T00:01:00Z\"" },
	};
	CHECK(rows);
}

static void names_what_is_wrong(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "POST", "/v1/tokens", "",
		  "{\"name\":\"x\",\"role\":\"admin\",\"expires\":\"2001-01-01\"}", 422,
		  "in the future" },
		{ "POST", "/v1/tokens", "",
		  "{\"name\":\"x\",\"role\":\"admin\",\"expires\":\"2101-01-01\"}", 422, "2100" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"x\"}", 422, "/role" },
		{ "PATCH", "/v1/tokens/x", "", "{\"role\":\"boss\",\"expires\":7}", 422,
		  "/expires" },
		{ "PATCH", "/v1/tokens/x", "", "{\"role\":\"boss\",\"expires\":7}", 422, "/role" },
		{ "PATCH", "/v1/tokens/x", "", "{\"expires\":\"soon\"}", 422, "malformed" },
		{ "PATCH", "/v1/tokens/x", "", "{\"name\":\"y\"}", 422, "unknown-key" },
		{ "POST", "/v1/tokens/x/rotate", "", "{\"grace_seconds\":-1}", 422,
		  "/grace_seconds" },
		{ "POST", "/v1/tokens/x/rotate", "", "{\"grace_seconds\":2592001}", 422,
		  "2592000" },
		{ "POST", "/v1/tokens/x/rotate", "", "{\"grace_seconds\":1.5}", 422,
		  "/grace_seconds" },
	};
	CHECK(rows);
	world.answer = ERR_RANGE; /* of the modules */
	static const struct row refused[] = {
		{ "PATCH", "/v1/tokens/x", "", "{\"role\":\"admin\"}", 422, "/role" },
		{ "POST", "/v1/tokens/x/rotate", "", "", 422, "/expires" },
	};
	CHECK(refused);
	world.answer = ERR_NOT_FOUND;
	static const struct row missing[] = {
		{ "PATCH", "/v1/tokens/x", "", "{}", 404, "no token named x" },
		{ "POST", "/v1/tokens/admin/rotate", "", "", 404, "state folder" },
		{ "DELETE", "/v1/tokens/admin", "", "", 404, "state folder" },
	};
	CHECK(missing);
	world.answer = ERR_AWAY;
	static const struct row away[] = {
		{ "PATCH", "/v1/tokens/x", "", "{}", 503, "" },
		{ "POST", "/v1/tokens/x/rotate", "", "", 503, "" },
	};
	CHECK(away);
}

static void a_secret_is_for_no_cache(void **state)
{
	(void)state;
	struct answer a = ask("POST", "/v1/tokens/x/rotate", "", "");
	assert_string_equal(header_of(&a, "Cache-Control"), "no-store");
	answer_done(&a);
	a = ask("POST", "/v1/tokens", "", "{\"name\":\"x\",\"role\":\"admin\"}");
	assert_string_equal(header_of(&a, "Cache-Control"), "no-store");
	answer_done(&a);
}

/* It may not live longer by itself, nor do so with what it had before. */
static void a_token_rotates_itself_and_no_other(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool rotated;
		const char *body;
		unsigned status;
	} rows[] = {
		{ "t", false, "", 200 },
		{ "t", false, "{\"expires\":\"2099-01-01\"}", 403 },
		{ "t", false, "{\"expires\":null}", 403 },
		{ "t", true, "", 403 },
		{ "other", false, "", 403 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.who = (struct auth_who){ "", STORE_VIEWER, "isp-a", rows[i].rotated };
		(void)snprintf(world.who.name, sizeof(world.who.name), "%s", rows[i].name);
		struct answer a = ask("POST", "/v1/tokens/t/rotate", "", rows[i].body);
		assert_int_equal(a.reply.status, rows[i].status);
		answer_done(&a);
		a = ask("PATCH", "/v1/tokens/t", "", "{}");
		assert_int_equal(a.reply.status, 403);
		answer_done(&a);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, as_admin)

static const struct CMUnitTest tests[] = {
	TEST(answers_changes_and_rotations),
	TEST(names_what_is_wrong),
	TEST(a_secret_is_for_no_cache),
	TEST(a_token_rotates_itself_and_no_other),
};

RUN_TESTS(tests)
