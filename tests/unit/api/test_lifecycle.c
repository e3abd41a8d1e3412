/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/api/asking.h"

#define A "/v1/providers/isp-a"

static void answers_each_step_of_a_maps_life(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "PUT", A "/topology", "draft=1&source=a.json", "{}", 201, "\"state\":\"draft\"" },
		{ "PUT", A "/topology", "", "{}", 201, "\"state\":\"in force\"" },
		{ "PUT", A "/topology", "dry_run=1", "{}", 200, "\"state\":null" },
		{ "GET", A "/versions", "", "", 200, "\"approved\":{\"by\":\"carol\"," },
		{ "GET", A "/versions", "", "", 200, "\"state\":\"in force\"" },
		{ "POST", A "/versions/4/approve", "", "", 204, "" },
		{ "POST", A "/versions/4/activate", "with=5&force=1&watch=60", "", 200,
		  "in force" },
		{ "POST", A "/versions/4/activate", "at=4102444800", "", 202, "scheduled" },
		{ "DELETE", A "/versions/4/activate", "", "", 204, "" },
		{ "POST", A "/rollback", "to=3&reason=night", "", 200, "in force" },
		{ "GET", A "/settings", "", "", 200, "{\"approvals\":1,\"guards\":\"warn\"," },
		{ "PUT", A "/settings", "", "{\"guards\":\"refuse\"}", 200,
		  "{\"approvals\":0,\"guards\":\"refuse\",\"watch_seconds\":1800,"
		  "\"watch_points\":5}" },
	};
	CHECK(rows);
}

static void reads_what_must_be_in_force(void **state)
{
	(void)state;
	static const struct {
		const char *said, *words;
		unsigned status;
	} rows[] = {
		{ NULL, "", 200 },       { "*", "*", 200 },
		{ "\"12\"", "12", 200 }, { "\"beef\", \"0\"", "beef 0", 200 },
		{ "12", "", 400 },       { "\"12", "", 400 },
		{ "\"\"", "", 400 },     { "W/\"12\"", "", 400 },
		{ "\"1 2\"", "", 400 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.if_match = rows[i].said;
		world.said[0] = '\0';
		struct answer a = ask("POST", A "/versions/4/activate", "", "");
		assert_int_equal(a.reply.status, rows[i].status);
		assert_string_equal(world.said, rows[i].words);
		answer_done(&a);
	}
}

static void names_what_is_wrong(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "PUT", A "/topology", "draft=x", "{}", 400, "draft: " },
		{ "POST", A "/versions/x/approve", "", "", 400, "version: " },
		{ "POST", A "/versions/4/activate", "at=1000", "", 400, "at: that time is over" },
		{ "POST", A "/versions/4/activate", "watch=604801", "", 400, "watch: " },
		{ "POST", A "/versions/4/activate", "watch=18446744073709551615", "", 400,
		  "watch: " },
		{ "POST", A "/versions/4/activate", "with=x", "", 400, "with: " },
		{ "POST", A "/rollback", "to=x", "", 400, "to: " },
		{ "PUT", A "/settings", "", "{\"approvals\":2}", 422, "/approvals" },
		{ "PUT", A "/settings", "", "{\"guards\":\"shout\"}", 422, "/guards" },
		{ "PUT", A "/settings", "", "{\"guards\":7}", 422, "/guards" },
		{ "PUT", A "/settings", "", "{\"watch_points\":0}", 422, "/watch_points" },
		{ "PUT", A "/settings", "", "{\"watch_second\":1}", 422, "watch_seconds" },
		{ "PUT", "/v1/providers/%20/settings", "", "{}", 404,
		  "no provider has such a name" },
	};
	CHECK(rows);
}

static void tells_objections_races_and_what_is_the_authors_own(void **state)
{
	(void)state;
	static const struct row objections[] = {
		{ "POST", A "/versions/4/activate", "", "", 409, "\"code\":\"guard-prefixes\"" },
	};
	world.answer = ERR_RANGE;
	CHECK(objections);
	static const struct row denied[] = {
		{ "PUT", A "/topology", "", "{}", 412,
		  "it is costs version 5 and topology version 4:" },
		{ "POST", A "/versions/4/activate", "", "", 412, "topology version 4:" },
		{ "POST", A "/rollback", "", "", 412, "topology version 4:" },
		{ "POST", "/v1/providers/isp-c/rollback", "", "", 412, "now it is nothing:" },
		{ "PUT", A "/settings", "", "{}", 412, "now it is version 0 of the settings" },
		{ "POST", A "/versions/4/approve", "", "", 403, "somebody else" },
	};
	world.answer = ERR_DENIED;
	CHECK(denied);
	static const struct row missing[] = {
		{ "POST", A "/versions/4/approve", "", "", 404, "no version 4" },
		{ "DELETE", A "/versions/4/activate", "", "", 404, "scheduled" },
		{ "POST", A "/rollback", "", "", 404, "nothing of provider isp-a" },
		{ "POST", A "/rollback", "to=3", "", 404, "never in force" },
		{ "POST", A "/versions/4/activate", "with=5", "", 404, "no version 5" },
	};
	world.answer = ERR_NOT_FOUND;
	CHECK(missing);
}

static void asks_for_the_rights_of_each_step(void **state)
{
	(void)state;
	static const struct {
		enum store_role role;
		const char *method, *path, *body;
		unsigned status;
	} rows[] = {
		{ STORE_OPERATOR, "POST", A "/versions/4/activate", "", 200 },
		{ STORE_OPERATOR, "POST", A "/versions/4/approve", "", 403 },
		{ STORE_APPROVER, "POST", A "/versions/4/approve", "", 204 },
		{ STORE_APPROVER, "POST", A "/rollback", "", 200 },
		{ STORE_APPROVER, "PUT", A "/settings", "{\"approvals\":1}", 403 },
		{ STORE_OPERATOR, "PUT", A "/settings", "{\"approvals\":1}", 200 },
		{ STORE_OPERATOR, "PUT", A "/settings", "{\"approvals\":0}", 403 },
		{ STORE_ADMIN, "PUT", A "/settings", "{\"approvals\":0}", 200 },
		{ STORE_ANALYST, "POST", A "/rollback", "", 403 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.who = (struct auth_who){ .name = "t", .role = rows[i].role };
		if (rows[i].role != STORE_ADMIN)
			(void)snprintf(world.who.provider, sizeof(world.who.provider), "isp-a");
		struct answer a = ask(rows[i].method, rows[i].path, "", rows[i].body);
		assert_int_equal(a.reply.status, rows[i].status);
		answer_done(&a);
	}
	world.who.role = STORE_APPROVER;
	(void)snprintf(world.who.provider, sizeof(world.who.provider), "isp-a");
	struct answer a = ask("POST", A "/versions/4/activate", "", "");
	assert_true(world.activation.approved_only); /* it may not upload */
	answer_done(&a);
}

#define TEST(name) cmocka_unit_test_setup(name, as_admin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_each_step_of_a_maps_life),
		TEST(reads_what_must_be_in_force),
		TEST(names_what_is_wrong),
		TEST(tells_objections_races_and_what_is_the_authors_own),
		TEST(asks_for_the_rights_of_each_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
