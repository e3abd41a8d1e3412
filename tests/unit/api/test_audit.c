/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/asking.h"

#define CHAIN "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff"

static void tells_what_was_found(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "GET", "/v1/audit/verify", "", "", 200,
		  "{\"intact\":true,\"rows\":3,\"head\":{\"number\":3,\"chain\":\"ab\"},\"broken\":null}" },
		{ "GET", "/v1/audit/verify", "number=7&chain=" CHAIN, "", 200,
		  "\"broken\":{\"number\":7,\"text\":\"not 00ff\"}" },
		{ "GET", "/v1/audit/verify", "number=7", "", 400, "64 hexadecimal" },
		{ "GET", "/v1/audit/verify", "chain=" CHAIN, "", 400, "64 hexadecimal" },
		{ "GET", "/v1/audit/verify", "number=7&chain=00ff", "", 400, "64 hexadecimal" },
		{ "GET", "/v1/audit/verify", "number=x&chain=" CHAIN, "", 400, "number" },
	};
	CHECK(rows);
	world.answer = ERR_AWAY;
	static const struct row away[] = { { "GET", "/v1/audit/verify", "", "", 503, "" } };
	CHECK(away);
}

static void an_auditor_is_shown_its_provider_alone(void **state)
{
	(void)state;
	static const struct row good[] = {
		{ "GET", "/v1/audit", "", "", 200, "\"author\":\"admin\"" },
		{ "GET", "/v1/audit/verify", "", "", 200, "" },
		{ "GET", "/v1/tokens", "", "", 403, "" },
	};
	static const struct row bad[] = {
		{ "GET", "/v1/audit", "", "", 403, "" },
		{ "GET", "/v1/audit/verify", "", "", 403, "" },
	};
	world.who = (struct auth_who){ .name = "t", .role = STORE_AUDITOR, .provider = "isp-a" };
	CHECK(good);
	assert_string_equal(world.asked_provider, "isp-a");
	world.who.role = STORE_OPERATOR;
	CHECK(bad);
}

#define TEST(name) cmocka_unit_test_setup(name, as_admin)

static const struct CMUnitTest tests[] = {
	TEST(tells_what_was_found),
	TEST(an_auditor_is_shown_its_provider_alone),
};

RUN_TESTS(tests)
