/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every route against doubles of the modules below, because only a double is away, full or broken on
 * demand. tests/system/test_api.py asks the real ones.
 */
#include "tests/unit/api/asking.h"

#define A "/v1/providers/isp-a"
#define SAMPLE                                                 \
	"[{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\"," \
	"\"bin\":\"2026-11-21T10:05:00Z\",\"out_bytes\":\"18446744073709551615\",\"in_bytes\":1}]"
#define READING                                                              \
	"{\"readings\":[{\"provider\":\"isp-a\",\"interconnect\":\"a-b-1\"," \
	"\"at\":\"2026-11-21T10:05:00Z\",\"out_octets\":1,\"in_octets\":1}]}"
#define HASH "0123456789abcdef0123456789abcdef01234567"

static void answers_every_route(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "GET", A "/topology", "", "", 200, "{\"as\":\"sent\"}" },
		{ "HEAD", A "/costs", "version=2", "", 200, "" },
		{ "PUT", A "/topology", "", "{}", 201, "{\"version\":7,\"sha256\":\"abc\"" },
		{ "PUT", A "/costs", "", "{}", 201, "\"warnings\":[]" },
		{ "PUT", A "/costs", "dry_run=1", "{}", 200, "{\"version\":null" },
		{ "PUT", A "/topology", "dry_run=true", "{}", 200, "\"pids_added\":2" },
		{ "PUT", A "/topology", "dry_run=0", "{}", 201, "" },
		{ "GET", A "/versions", "", "", 200, "\"kind\":\"costs\"" },
		{ "POST", A "/versions/4/activate", "", "", 200, "\"version\":7" },
		{ "GET", "/v1/interconnects", "", "", 200, "\"ratio_limit\":1.800" },
		{ "GET", "/v1/interconnects", "provider=isp-b", "", 200, "[]" },
		{ "PUT", "/v1/interconnects/isp-a/a-b-1", "", "{\"ratio_limit\":2}", 200,
		  ":2.000" },
		{ "PUT", "/v1/interconnects/isp-a/a-b-1", "", "{\"ratio_limit\":null}", 200,
		  ":null" },
		{ "GET", "/v1/reports/balance", "", "", 200, "{\"balance\":1}" },
		{ "GET", "/v1/reports/balance", "format=csv", "", 200, "provider,interconnect" },
		{ "GET", "/v1/reports/steering", "", "", 200, "{\"steering\":1}" },
		{ "GET", "/v1/reports/steering", "format=csv", "", 200, "provider,policy" },
		{ "GET", "/v1/reports/series", "provider=a&interconnect=b&source=flow", "", 200,
		  "{" },
		{ "POST", "/v1/samples", "", SAMPLE, 200, "{\"stored\":1}" },
		{ "POST", "/v1/samples", "", "[]", 200, "{\"stored\":0}" },
		{ "GET", "/v1/tokens", "", "", 200, "\"role\":\"analyst\",\"provider\":\"p\"" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"x\",\"role\":\"admin\"}", 201,
		  "p4pd-secret" },
		{ "DELETE", "/v1/tokens/x", "", "", 204, "" },
		{ "GET", "/v1/access", "", "", 200, "[\"ab00000000" },
		{ "PUT", "/v1/access/" HASH, "", "", 204, "" },
		{ "DELETE", "/v1/access/" HASH, "", "", 204, "" },
		{ "GET", "/v1/passkeys", "", "", 200,
		  "\"max_peers\":5,\"announces_per_minute\":0,"
		  "\"created\":\"2026-11-21T10:05:00Z\",\"peers\":1,\"announces\":2,\"refused\":3}]}" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"eve\",\"max_peers\":2}", 201,
		  "\"passkey\":\"made\"}" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"eve\",\"passkey\":\"0123456789abcdef\"}",
		  201, "\"passkey\":\"0123456789abcdef\"}" },
		{ "DELETE", "/v1/passkeys/eve", "", "", 204, "" },
		{ "GET", "/v1/swarms", "", "", 200, "all" },
		{ "GET", "/v1/swarms", "format=bencode", "", 200, "all" },
		{ "GET", "/v1/swarms/" HASH "/explain", "address=10.1.0.1", "", 200, "{\"peers\"" },
		{ "GET", "/v1/exporters", "", "", 200, "{\"exporters\":\"of all\"}" },
		{ "GET", "/v1/denied", "", "", 200, "[\"de00000000" },
		{ "PUT", "/v1/denied/" HASH, "", "", 204, "" },
		{ "DELETE", "/v1/denied/" HASH, "", "", 204, "" },
		{ "GET", "/v1/denied-clients", "", "", 200, "{\"clients\":[\"-X\\\"00\"]}" },
		{ "PUT", "/v1/denied-clients/-XL00", "", "", 204, "" },
		{ "DELETE", "/v1/denied-clients/-XL00", "", "", 204, "" },
		{ "GET", "/v1/audit", "limit=5", "", 200, "2026-11-21T10:05:00Z" },
		{ "GET", "/metrics", "", "", 200, "p4pd_api_requests_total" },
		{ "GET", "/healthz", "", "", 200, "ok" },
		{ "GET", "/readyz", "", "", 200, "ready" },
		{ "GET", "/", "", "", 200, "<!doctype html>" },
		{ "GET", "/app.js", "", "", 200, "use strict" },
	};
	CHECK(rows);
	assert_int_equal(world.access_changes, 9);
	assert_true(world.stored.out_bytes == UINT64_MAX);
}

static void a_plan_has_the_impact_with_as_many_rows_as_asked_for(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "GET", A "/versions/4/plan", "", "", 200, "\"impact\":{\"limit\":100}}" },
		{ "GET", A "/versions/4/plan", "limit=0", "", 200, "\"impact\":{\"limit\":0}}" },
	};
	CHECK(rows);
}

static void asks_the_matrix_for_what_was_said(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "GET", "/v1/reports/matrix", "", "", 200, "{\"matrix\":\"0 1000\"}" },
		{ "GET", "/v1/reports/matrix", "level=interconnect&limit=7&format=csv", "", 200,
		  "2 7 csv" },
		{ "GET", "/v1/reports/top", "order=bytes", "", 200, "{\"places\":\"0 1000\"}" },
		{ "GET", "/v1/reports/top", "by=asn&order=cost", "", 200,
		  "{\"places\":\"1 1000 cost" },
		{ "GET", "/v1/reports/top", "by=swarm", "", 200, "{\"swarms\":\"0 1000\"}" },
	};
	CHECK(rows);
	world.who = (struct auth_who){ .name = "a", .role = STORE_ANALYST, .provider = "isp-a" };
	static const struct row scoped[] = {
		{ "GET", "/v1/reports/matrix", "", "", 200, "0 1000 scoped" },
	};
	CHECK(scoped);
	assert_string_equal(world.asked_provider, "isp-a");
}

static void answers_every_route_of_agreements(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "GET", A "/policies", "", "", 200,
		  "{\"provider\":\"isp-a\",\"policies\":[\n{\"id\":\"p-1\",\"version\":2," },
		{ "GET", A "/policies/p-1", "version=2", "", 200, "{\"as\":\"sent\"}" },
		{ "PUT", A "/policies/p-1", "", "{}", 201, "\"kind\":\"policy\",\"id\":\"p-1\"" },
		{ "DELETE", A "/policies/p-1", "", "", 204, "" },
		{ "GET", A "/policies/p-1/versions", "", "", 200,
		  "\"sha256\":null,\"author\":\"\"" },
		{ "GET", A "/contracts", "", "", 200, "\"document\":{\"as\":\"sent\"}}]}" },
		{ "GET", A "/contracts/c-1", "", "", 200, "{\"as\":\"sent\"}" },
		{ "PUT", A "/contracts/c-1", "", "{}", 201, "\"version\":2,\"sha256\":\"cafe\"" },
		{ "PUT", A "/contracts/c-1", "dry_run=1", "{}", 200, "\"version\":null" },
		{ "DELETE", A "/contracts/c-1", "", "", 204, "" },
		{ "GET", A "/contracts/c-1/versions", "", "", 200, "\"removed\":true" },
		{ "GET", "/v1/reports/contracts", "", "", 200, "{\"contracts\":1}" },
		{ "GET", "/v1/reports/contracts", "format=csv", "", 200, "provider,contracts" },
		{ "GET", "/v1/reports/policies", "", "", 200, "{\"policies\":1}" },
		{ "GET", "/v1/reports/policies", "at=yesterday", "", 400, "at: " },
		{ "GET", "/v1/reports/policies", "format=xml", "", 400, "format: " },
	};
	CHECK(rows);
}

static void expect_no_scripts(const char *policy)
{
	assert_non_null(strstr(policy, "default-src 'none'"));
	assert_null(strstr(policy, "script"));
}

#define ORDER "{\"provider\":\"isp-a\",\"contract\":\"c-1\",\"period\":\"2026-11\"}"

static void answers_every_route_of_statements(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "GET", "/v1/statements", "", "", 200, "{\"statements\":[\n{\"id\":7}]}" },
		{ "POST", "/v1/statements", "", ORDER, 201, "{\"id\":7,\"figures\":{}}" },
		{ "GET", "/v1/statements/7", "", "", 200, "{\"id\":7,\"figures\":{}}" },
		{ "GET", "/v1/statements/7", "format=csv", "", 200, "statement.id,7" },
		{ "GET", "/v1/statements/7", "format=html", "", 200, "<!doctype html>" },
		{ "GET", "/v1/statements/7", "format=pdf", "", 400, "format: " },
		{ "GET", "/v1/statements/404", "", "", 404, "there is no statement 404" },
		{ "GET", "/v1/statements/seven", "", "", 404, "there is no statement seven" },
		{ "GET", "/v1/statements/7/verify", "", "", 200,
		  "{\"id\":7,\"verified\":false,\"inputs_match_hash\":true,\"other_format\":null,"
		  "\"first_figure\":null,"
		  "\"first_bin\":{\"bin\":\"flow a-1\",\"statement\":\"1\",\"now\":\"2\"}}" },
		{ "GET", "/v1/statements/8/verify", "", "", 200, "\"verified\":true" },
		{ "POST", "/v1/statements", "", "{}", 422, "/provider" },
		{ "POST", "/v1/statements", "", "{\"provider\":\"p\",\"contract\":\"c\"}", 422,
		  "/period" },
		{ "POST", "/v1/statements", "",
		  "{\"provider\":\"p\",\"contract\":\"c\",\"period\":\"x\",\"y\":1}", 422,
		  "unknown-key" },
	};
	CHECK(rows);
	world.accept = "text/html,application/xhtml+xml";
	struct answer a = ask("GET", "/v1/statements/7", "", "");
	assert_string_equal(a.reply.content_type, "text/html; charset=utf-8");
	expect_no_scripts(header_of(&a, "Content-Security-Policy"));
	answer_done(&a);
}

static void freezing_says_what_is_in_the_way(void **state)
{
	(void)state;
	static const struct {
		enum err answer;
		unsigned status;
	} rows[] = { { ERR_NOT_FOUND, 404 },
		     { ERR_MALFORMED, 422 },
		     { ERR_BUSY, 409 },
		     { ERR_EXISTS, 409 },
		     { ERR_AWAY, 503 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.answer = rows[i].answer;
		struct answer a = ask("POST", "/v1/statements", "", ORDER);
		assert_int_equal(a.reply.status, rows[i].status);
		assert_string_equal(world.said, "isp-a c-1 2026-11 admin");
		answer_done(&a);
	}
}

static void a_scoped_token_sees_its_own_statements(void **state)
{
	(void)state;
	static const struct {
		const char *scope;
		enum store_role role;
		const char *method, *path, *query;
		unsigned status;
	} rows[] = {
		{ "isp-a", STORE_ANALYST, "GET", "/v1/statements/7", "", 200 },
		{ "isp-b", STORE_ANALYST, "GET", "/v1/statements/7", "", 404 },
		{ "isp-b", STORE_ANALYST, "GET", "/v1/statements/7/verify", "", 404 },
		{ "isp-a", STORE_ANALYST, "POST", "/v1/statements", "", 403 },
		{ "isp-a", STORE_OPERATOR, "POST", "/v1/statements", "", 201 },
		{ "isp-b", STORE_OPERATOR, "POST", "/v1/statements", "", 403 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.who = (struct auth_who){ .name = "t", .role = rows[i].role };
		(void)snprintf(world.who.provider, sizeof(world.who.provider), "%s", rows[i].scope);
		struct answer a = ask(rows[i].method, rows[i].path, rows[i].query, ORDER);
		assert_int_equal(a.reply.status, rows[i].status);
		answer_done(&a);
	}
	struct answer a = ask("GET", "/v1/statements", "provider=isp-a&contract=c", "");
	assert_string_equal(world.said, "isp-b ."); /* of others there is nothing */
	answer_done(&a);
}

static void a_report_of_agreements_is_of_what_was_asked(void **state)
{
	(void)state;
	static const struct {
		const char *scope, *query, *said;
	} rows[] = {
		{ "", "", "(all) (all) -1" },
		{ "", "provider=isp-b&contract=c-1&at=1793491200", "isp-b c-1 1793491200" },
		{ "isp-a", "", "isp-a (all) -1" },
		{ "isp-a", "provider=isp-a&contract=c-1", "isp-a c-1 -1" },
		{ "isp-a", "provider=isp-b&contract=c-1", "isp-a  -1" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.who.role = rows[i].scope[0] != '\0' ? STORE_ANALYST : STORE_ADMIN;
		(void)snprintf(world.who.provider, sizeof(world.who.provider), "%s", rows[i].scope);
		struct answer a = ask("GET", "/v1/reports/contracts", rows[i].query, "");
		assert_int_equal(a.reply.status, 200);
		assert_string_equal(world.said, rows[i].said);
		answer_done(&a);
	}
}

static void names_what_is_wrong_in_path_and_query(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "GET", "/v2", "", "", 404, "/v2" },
		{ "GET", "/v1/providers/isp-a", "", "", 404, "" },
		{ "DELETE", A "/topology", "", "", 405, "GET, HEAD, PUT" },
		{ "POST", "/metrics", "", "", 405, "" },
		{ "GET", A "/topology", "version=x", "", 400, "version: " },
		{ "PUT", A "/topology", "dry_run=maybe", "{}", 400, "dry_run: " },
		{ "POST", A "/versions/0/activate", "", "", 400, "version: " },
		{ "GET", A "/versions/4/plan", "limit=10001", "", 400, "limit: at most 10000" },
		{ "PUT", A "/costs", "dry_run=1&limit=x", "{}", 400, "limit: " },
		{ "GET", "/v1/interconnects", "all=x", "", 400, "all: " },
		{ "GET", "/v1/reports/balance", "from=yesterday", "", 400, "from: " },
		{ "GET", "/v1/reports/balance", "to=2026-13-01", "", 400, "to: " },
		{ "GET", "/v1/reports/balance", "from=2000&to=1000", "", 400, "from: " },
		{ "GET", "/v1/reports/balance", "format=xml", "", 400, "format: " },
		{ "GET", "/v1/reports/matrix", "level=x", "", 400,
		  "none of pid, as, interconnect" },
		{ "GET", "/v1/reports/matrix", "limit=0", "", 400, "limit: " },
		{ "GET", "/v1/reports/top", "by=address", "", 400, "by: " },
		{ "GET", "/v1/reports/top", "order=age", "", 400, "order: " },
		{ "GET", "/v1/reports/series", "provider=a&interconnect=b", "", 400, "source: " },
		{ "GET", "/v1/reports/series", "interconnect=b&source=flow", "", 400,
		  "provider: " },
		{ "GET", "/v1/reports/series", "provider=b&source=flow", "", 400,
		  "interconnect: " },
		{ "GET", "/v1/reports/series", "provider=a&interconnect=b&source=flow&from=0", "",
		  400, "from: " },
		{ "PUT", "/v1/access/0123", "", "", 400, "info-hash" },
		{ "PUT", "/v1/access/" HASH, "private=yes", "", 400, "private" },
		{ "PUT", "/v1/denied/0123", "", "", 400, "info-hash" },
		{ "GET", "/v1/swarms", "format=xml", "", 400, "format: " },
		{ "GET", "/v1/swarms", "format=csvcsvcsvcsvcsvcsv", "", 400, "format" },
		{ "GET", "/v1/swarms/0123/explain", "address=10.1.0.1", "", 400, "info-hash" },
		{ "GET", "/v1/swarms/" HASH "/explain", "", "", 400, "address: " },
		{ "GET", "/v1/swarms/" HASH "/explain", "address=10.1.0", "", 400,
		  "\\\"10.1.0\\\" is no IPv4 or IPv6 address" },
		{ "GET", "/v1/swarms/" HASH "/explain", "address=::1&port=65536", "", 400,
		  "port: at most 65535" },
		{ "GET", "/v1/swarms/" HASH "/explain", "address=::1&port=x", "", 400, "port: " },
		{ "GET", "/v1/swarms/" HASH "/explain", "address=::1&numwant=-1", "", 400,
		  "numwant: " },
		{ "GET", "/v1/swarms/" HASH "/explain", "address=::1&numwant=18446744073709551615",
		  "", 400, "numwant: " },
		{ "GET", "/v1/swarms/" HASH "/explain", "address=::1&left=half", "", 400,
		  "left: " },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a\",\"passkey\":\"short\"}", 400,
		  "passkey" },
		{ "PUT", "/v1/denied-clients/a%20b", "", "", 400, "client" },
		{ "PUT", "/v1/denied-clients/a%23b", "", "", 400, "client" },
		{ "PUT", "/v1/denied-clients/123456789012345678901", "", "", 400, "client" },
		{ "GET", "/v1/audit", "limit=0", "", 400, "limit: " },
		{ "GET", "/v1/audit", "limit=1001", "", 400, "limit: " },
		{ "GET", "/nothing.js", "", "", 404, "" },
	};
	CHECK(rows);
}

static void names_what_is_wrong_in_the_body(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "POST", "/v1/samples", "", "{", 422,
		  "\"code\":\"malformed\",\"where\":\"line 1\"" },
		{ "POST", "/v1/samples", "", "[{}]", 422, "\"where\":\"/0/provider\"" },
		{ "POST", "/v1/tokens", "", "[]", 422, "\"where\":\"line 1\"" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"a b\",\"role\":\"boss\"}", 422, "/name" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"a b\",\"role\":\"boss\"}", 422, "/role" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"admin\",\"role\":\"admin\"}", 422,
		  "reserved" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"p4pd\",\"role\":\"admin\"}", 422,
		  "p4pd itself" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"x\",\"role\":\"analyst\"}", 422,
		  "/provider" },
		{ "POST", "/v1/tokens", "", "{\"name\":1,\"role\":\"admin\"}", 422, "wrong-type" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"x\",\"rol\":\"admin\"}", 422,
		  "unknown-key" },
		{ "POST", "/v1/tokens", "",
		  "{\"name\":\"x\",\"role\":\"admin\",\"provider\":\"p\"}", 422, "/provider" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a b\"}", 422, "/name" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a\",\"max_peers\":-1}", 422,
		  "/max_peers" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a\",\"max_peers\":10001}", 422,
		  "10000" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a\",\"max_peers\":\"5\"}", 422,
		  "whole" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a\",\"announces_per_minute\":1000001}",
		  422, "/announces_per_minute" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a\",\"passkey\":7}", 422, "/passkey" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"a\",\"role\":\"x\"}", 422,
		  "announces_per_minute" },
		{ "PUT", "/v1/interconnects/a/b", "", "{}", 422, "ratio_limit" },
		{ "PUT", "/v1/interconnects/a/b", "", "{\"ratio_limit\":0.5}", 422,
		  "/ratio_limit" },
		{ "PUT", "/v1/interconnects/a/b", "", "{\"ratio_limit\":\"2\"}", 422,
		  "/ratio_limit" },
	};
	CHECK(rows);

	world.answer = ERR_MALFORMED;
	static const struct row refused[] = {
		{ "PUT", A "/topology", "", "{}", 422,
		  "\"faults\":[{\"code\":\"overlap\",\"where\":\"/pids/1/prefixes/0\",\"text\":\"is" },
		{ "POST", A "/versions/4/activate", "", "", 422, "overlap" },
		{ "GET", A "/versions/4/plan", "", "", 422, "overlap" },
	};
	CHECK(refused);
}

static void checks_the_media_type(void **state)
{
	(void)state;
	static const struct {
		const char *type, *path;
		unsigned status;
	} rows[] = {
		{ NULL, A "/topology", 201 },
		{ "application/json", A "/topology", 201 },
		{ "Application/JSON; charset=utf-8", A "/topology", 201 },
		{ "application/x-www-form-urlencoded", A "/topology", 201 },
		{ "text/csv", A "/topology", 415 },
		{ "application/jsonp", A "/costs", 415 },
		{ "text/xml", "/v1/interconnects/a/b", 415 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.content_type = rows[i].type;
		struct answer a = ask("PUT", rows[i].path, "", "{}");
		assert_int_equal(a.reply.status, rows[i].status);
		answer_done(&a);
	}
	world.content_type = "text/csv";
	struct answer a = ask("POST", "/v1/samples", "",
	                      "provider,interconnect,bin,out_bytes,in_bytes\n"
	                      "isp-a,a-b-1,1795255500,5,6\n");
	assert_int_equal(a.reply.status, 200);
	assert_int_equal(world.stored.in_bytes, 6);
	answer_done(&a);
}

static void says_what_became_of_each_reading(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "POST", "/v1/samples", "", READING, 200,
		  "{\"stored\":0,\"readings\":{\"stored\":1,\"bins\":2,\"bins_removed\":1," },
		{ "POST", "/v1/samples", "", READING, 200,
		  "\"reset\":1,\"impossible\":0,\"ambiguous\":0,\"gap\":0,\"overlap\":0," },
		{ "POST", "/v1/samples", "", READING, 200,
		  "\"warnings\":[{\"kind\":\"reset\",\"where\":\"/readings/0\"," },
	};
	CHECK(rows);
}

static void names_each_reading_that_came_too_late(void **state)
{
	(void)state;
	world.late = true;
	struct answer a = ask("POST", "/v1/samples", "", READING);
	assert_int_equal(a.reply.status, 422);
	assert_non_null(strstr(a.reply.body.bytes, "\"code\":\"late\",\"where\":\"/readings/0\""));
	assert_non_null(strstr(a.reply.body.bytes, "late_reading_seconds (77)"));
	answer_done(&a);
}

static void changes_the_list_that_was_named(void **state)
{
	(void)state;
	static const struct {
		const char *method, *path, *query, *said;
	} rows[] = {
		{ "PUT", "/v1/access/" HASH, "", "allowed on" },
		{ "PUT", "/v1/access/" HASH, "private=1", "allowed on private" },
		{ "PUT", "/v1/access/" HASH, "private=0", "allowed on" },
		{ "DELETE", "/v1/access/" HASH, "", "allowed off" },
		{ "PUT", "/v1/denied/" HASH, "", "denied on" },
		{ "DELETE", "/v1/denied/" HASH, "", "denied off" },
		{ "PUT", "/v1/denied-clients/-XL00", "", "-XL00 on" },
		{ "DELETE", "/v1/denied-clients/%2dXL00", "", "-XL00 off" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a = ask(rows[i].method, rows[i].path, rows[i].query, "");
		assert_int_equal(a.reply.status, 204);
		assert_string_equal(world.said, rows[i].said);
		answer_done(&a);
	}
}

static void a_passkey_has_the_limits_that_were_asked_for(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "{\"name\":\"eve\"}", "eve 0 0" },
		{ "{\"name\":\"eve\",\"max_peers\":10000,\"announces_per_minute\":1000000}",
		  "eve 10000 1000000" },
		{ "{\"name\":\"eve\",\"max_peers\":null,\"announces_per_minute\":7}", "eve 0 7" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a = ask("POST", "/v1/passkeys", "", rows[i][0]);
		assert_int_equal(a.reply.status, 201);
		assert_string_equal(world.said, rows[i][1]);
		answer_done(&a);
	}
}

static void asks_for_a_token_that_may(void **state)
{
	(void)state;
	static const struct {
		const char *token;
		enum store_role role;
		const char *method, *path;
		unsigned status;
	} rows[] = {
		{ NULL, STORE_ADMIN, "GET", "/v1/interconnects", 401 },
		{ "Bearer bad", STORE_ADMIN, "GET", "/v1/interconnects", 401 },
		{ "Bearer away", STORE_ADMIN, "GET", "/v1/interconnects", 503 },
		{ NULL, STORE_ADMIN, "GET", "/healthz", 200 },
		{ "Bearer good", STORE_OPERATOR, "PUT", A "/topology", 201 },
		{ "Bearer good", STORE_OPERATOR, "PUT", "/v1/providers/isp-b/topology", 403 },
		{ "Bearer good", STORE_OPERATOR, "GET", "/v1/providers/isp-b/versions", 403 },
		{ "Bearer good", STORE_OPERATOR, "GET", "/v1/tokens", 403 },
		{ "Bearer good", STORE_OPERATOR, "GET", "/v1/audit", 403 },
		{ "Bearer good", STORE_OPERATOR, "GET", "/v1/swarms", 403 },
		{ "Bearer good", STORE_OPERATOR, "GET", "/v1/swarms/" HASH "/explain", 400 },
		{ "Bearer good", STORE_ANALYST, "GET", "/v1/swarms/" HASH "/explain", 403 },
		{ "Bearer good", STORE_ANALYST, "GET", "/v1/exporters", 200 },
		{ "Bearer good", STORE_ANALYST, "GET", A "/costs", 200 },
		{ "Bearer good", STORE_ANALYST, "PUT", A "/costs", 403 },
		{ "Bearer good", STORE_ANALYST, "GET", A "/contracts/c-1", 200 },
		{ "Bearer good", STORE_ANALYST, "PUT", A "/contracts/c-1", 403 },
		{ "Bearer good", STORE_ANALYST, "DELETE", A "/policies/p-1", 403 },
		{ "Bearer good", STORE_OPERATOR, "PUT", "/v1/providers/isp-b/contracts/c-1", 403 },
		{ "Bearer good", STORE_ANALYST, "POST", A "/versions/1/activate", 403 },
		{ "Bearer good", STORE_ANALYST, "GET", A "/versions/1/plan", 200 },
		{ "Bearer good", STORE_ANALYST, "GET", "/v1/providers/isp-b/versions/1/plan", 403 },
		{ "Bearer good", STORE_ANALYST, "PUT", "/v1/access/" HASH, 403 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.authorization = rows[i].token;
		world.who = (struct auth_who){ .name = "t", .role = rows[i].role };
		if (rows[i].role != STORE_ADMIN)
			(void)snprintf(world.who.provider, sizeof(world.who.provider), "isp-a");
		struct answer a = ask(rows[i].method, rows[i].path, "", "{}");
		assert_int_equal(a.reply.status, rows[i].status);
		assert_int_equal(a.reply.status == 401,
		                 strncmp(header_of(&a, "WWW-Authenticate"), "Bearer", 6) == 0);
		answer_done(&a);
	}
}

static void shows_a_scoped_token_its_provider_only(void **state)
{
	(void)state;
	world.who = (struct auth_who){ .name = "t", .role = STORE_ANALYST, .provider = "isp-b" };
	static const struct row rows[] = {
		{ "GET", "/v1/interconnects", "", "", 200, "[]" },
		{ "GET", "/v1/interconnects", "provider=isp-a", "", 200, "[]" },
		{ "POST", "/v1/samples", "", SAMPLE, 403, "isp-b" },
		{ "GET", "/v1/reports/balance", "provider=isp-a&interconnect=a-b-1", "", 200, "" },
	};
	CHECK(rows);
	assert_string_equal(world.asked_provider, "isp-b");
	assert_string_equal(world.asked_interconnect, "");

	struct answer a = ask("GET", "/v1/reports/balance", "interconnect=x", "");
	assert_string_equal(world.asked_provider, "isp-b");
	assert_string_equal(world.asked_interconnect, "x");
	answer_done(&a);
}

static void passes_on_what_the_modules_say(void **state)
{
	(void)state;
	static const struct {
		enum err answer;
		unsigned status;
	} errs[] = {
		{ ERR_AWAY, 503 },   { ERR_BUSY, 503 },  { ERR_NOT_FOUND, 404 },
		{ ERR_SYSTEM, 500 }, { ERR_NOMEM, 500 },
	};
	static const struct row rows[] = {
		{ "GET", A "/topology", "", "", 0, "" },
		{ "PUT", A "/costs", "", "{}", 0, "" },
		{ "GET", A "/versions", "", "", 0, "" },
		{ "POST", A "/versions/4/activate", "", "", 0, "" },
		{ "GET", A "/versions/4/plan", "", "", 0, "" },
		{ "GET", A "/policies", "", "", 0, "" },
		{ "GET", A "/contracts/c", "", "", 0, "" },
		{ "PUT", A "/contracts/c", "", "{}", 0, "" },
		{ "DELETE", A "/policies/p", "", "", 0, "" },
		{ "GET", A "/policies/p/versions", "", "", 0, "" },
		{ "GET", "/v1/interconnects", "", "", 0, "" },
		{ "GET", "/v1/links", "", "", 0, "" },
		{ "PUT", "/v1/interconnects/a/b", "", "{\"ratio_limit\":2}", 0, "" },
		{ "GET", "/v1/reports/balance", "", "", 0, "" },
		{ "GET", "/v1/reports/series", "provider=a&interconnect=b&source=flow", "", 0, "" },
		{ "GET", "/v1/reports/contracts", "", "", 0, "" },
		{ "GET", "/v1/reports/policies", "", "", 0, "" },
		{ "POST", "/v1/samples", "", SAMPLE, 0, "" },
		{ "GET", "/v1/tokens", "", "", 0, "" },
		{ "POST", "/v1/tokens", "", "{\"name\":\"x\",\"role\":\"admin\"}", 0, "" },
		{ "DELETE", "/v1/tokens/x", "", "", 0, "" },
		{ "GET", "/v1/access", "", "", 0, "" },
		{ "PUT", "/v1/access/" HASH, "", "", 0, "" },
		{ "GET", "/v1/passkeys", "", "", 0, "" },
		{ "POST", "/v1/passkeys", "", "{\"name\":\"eve\"}", 0, "" },
		{ "DELETE", "/v1/passkeys/eve", "", "", 0, "" },
		{ "GET", "/v1/denied", "", "", 0, "" },
		{ "PUT", "/v1/denied/" HASH, "", "", 0, "" },
		{ "GET", "/v1/denied-clients", "", "", 0, "" },
		{ "PUT", "/v1/denied-clients/-XL00", "", "", 0, "" },
		{ "GET", "/v1/audit", "", "", 0, "" },
	};
	for (size_t e = 0; e < sizeof(errs) / sizeof(errs[0]); e++) {
		world.answer = errs[e].answer;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			const struct row *r = &rows[i];
			struct answer a = ask(r->method, r->path, r->query, r->body);
			assert_int_equal(a.reply.status, errs[e].status);
			assert_string_equal(a.reply.content_type, "application/problem+json");
			assert_int_equal(header_of(&a, "Retry-After")[0] != '\0',
			                 errs[e].status == 503);
			assert_int_equal(metrics_sum(a.metrics, errs[e].status >= 500
			                                                ? METRIC_API_FAILED
			                                                : METRIC_API_REFUSED),
			                 1);
			answer_done(&a);
		}
	}
	assert_int_equal(world.access_changes, 0);
}

static void tells_conflicts_and_what_is_missing(void **state)
{
	(void)state;
	static const struct row missing[] = {
		{ "GET", "/v1/providers/nobody/versions", "", "", 404, "nobody" },
		{ "GET", "/v1/providers/nobody/policies/p-1/versions", "", "", 404,
		  "provider nobody has no policy p-1" },
	};
	CHECK(missing);
	world.answer = ERR_EXISTS;
	static const struct row rows[] = {
		{ "POST", "/v1/tokens", "", "{\"name\":\"x\",\"role\":\"admin\"}", 409, "named x" }
	};
	CHECK(rows);
}

static void says_201_when_it_is_stored_and_whether_it_is_new(void **state)
{
	(void)state;
	struct answer a = ask("PUT", A "/topology", "", "{}");
	assert_int_equal(a.reply.status, 201);
	assert_string_equal(header_of(&a, "Location"), A "/topology?version=7");
	assert_int_equal(metrics_sum(a.metrics, METRIC_MAP_UPLOADS), 1);
	answer_done(&a);

	world.unchanged = true;
	a = ask("PUT", A "/topology", "", "{}");
	assert_int_equal(a.reply.status, 201);
	assert_non_null(strstr(a.reply.body.bytes, "\"unchanged\":true"));
	assert_int_equal(metrics_sum(a.metrics, METRIC_MAP_UPLOADS), 0);
	answer_done(&a);
}

static void changes_agreements_as_they_were_read(void **state)
{
	(void)state;
	static const struct {
		const char *method, *if_match;
		enum err answer;
		unsigned status;
		const char *said; /* to the modules; NULL: they were not asked */
	} rows[] = {
		{ "PUT", NULL, ERR_OK, 201, "isp-a p-1 -" },
		{ "PUT", "\"beef\"", ERR_OK, 201, "isp-a p-1 beef" },
		{ "PUT", "*", ERR_OK, 201, "isp-a p-1 *" },
		{ "PUT", "\"beef\"", ERR_DENIED, 412, "isp-a p-1 beef" },
		{ "PUT", "beef", ERR_OK, 400, NULL },
		{ "PUT", "\"beef\", \"cafe\"", ERR_OK, 400, NULL },
		{ "PUT", "\"\"", ERR_OK, 400, NULL },
		{ "PUT", NULL, ERR_MALFORMED, 422, "isp-a p-1 -" },
		{ "DELETE", "\"beef\"", ERR_OK, 204, "rm isp-a p-1 beef" },
		{ "DELETE", NULL, ERR_DENIED, 412, "rm isp-a p-1 -" },
		{ "DELETE", NULL, ERR_NOT_FOUND, 404, "rm isp-a p-1 -" },
		{ "DELETE", "x", ERR_OK, 400, NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.if_match = rows[i].if_match;
		world.answer = rows[i].answer;
		world.said[0] = '\0';
		struct answer a = ask(rows[i].method, A "/policies/p-1", "", "{}");
		assert_int_equal(a.reply.status, rows[i].status);
		assert_string_equal(world.said, rows[i].said != NULL ? rows[i].said : "");
		if (rows[i].status == 412)
			assert_non_null(
				strstr(a.reply.body.bytes, "policy p-1 version 2 is in force"));
		if (rows[i].status == 201) {
			assert_string_equal(header_of(&a, "ETag"), "\"cafe\"");
			assert_string_equal(header_of(&a, "Location"), A "/policies/p-1?version=2");
		}
		answer_done(&a);
	}
}

static void saves_the_body_when_the_client_has_it(void **state)
{
	(void)state;
	static const struct {
		const char *known;
		unsigned status;
	} rows[] = {
		{ NULL, 200 },         { "\"beef\"", 304 },
		{ "W/\"beef\"", 304 }, { "\"x\", \"beef\"", 304 },
		{ "*", 304 },          { "\"bee\"", 200 },
		{ "beef", 200 },       { "", 200 },
		{ ",", 200 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.if_none_match = rows[i].known;
		struct answer a = ask("GET", A "/topology", "", "");
		assert_int_equal(a.reply.status, rows[i].status);
		assert_string_equal(header_of(&a, "ETag"), "\"beef\"");
		assert_string_equal(header_of(&a, "P4P-Version"), "3");
		assert_int_equal(a.reply.body.size > 0, rows[i].status == 200);
		answer_done(&a);
	}
}

static void chooses_the_format(void **state)
{
	(void)state;
	world.accept = "text/csv";
	struct answer a = ask("GET", "/v1/reports/balance", "to=2026-11-21T10:05:00Z", "");
	assert_int_equal(world.asked.to, 1795255500);
	assert_true(world.asked.csv);
	assert_string_equal(a.reply.content_type, "text/csv; charset=utf-8");
	answer_done(&a);
	a = ask("GET", "/v1/reports/balance", "format=json", "");
	assert_false(world.asked.csv);
	assert_string_equal(a.reply.content_type, "application/json");
	answer_done(&a);
}

static void is_ready_when_the_daemon_is(void **state)
{
	(void)state;
	world.unready = true;
	struct answer a = ask("GET", "/readyz", "", "");
	assert_int_equal(a.reply.status, 503);
	assert_non_null(strstr(a.reply.body.bytes, "maps are loading"));
	answer_done(&a);
}

static void guards_the_page(void **state)
{
	(void)state;
	struct answer a = ask("GET", "/", "", "");
	assert_int_equal(
		strncmp(header_of(&a, "Content-Security-Policy"), "default-src 'self';", 19), 0);
	assert_true(strlen(header_of(&a, "ETag")) > 10);
	answer_done(&a);
}

#define TEST(name) cmocka_unit_test_setup(name, as_admin)

static const struct CMUnitTest tests[] = {
	TEST(answers_every_route),
	TEST(a_plan_has_the_impact_with_as_many_rows_as_asked_for),
	TEST(asks_the_matrix_for_what_was_said),
	TEST(answers_every_route_of_agreements),
	TEST(answers_every_route_of_statements),
	TEST(freezing_says_what_is_in_the_way),
	TEST(a_scoped_token_sees_its_own_statements),
	TEST(a_report_of_agreements_is_of_what_was_asked),
	TEST(names_what_is_wrong_in_path_and_query),
	TEST(names_what_is_wrong_in_the_body),
	TEST(checks_the_media_type),
	TEST(says_what_became_of_each_reading),
	TEST(names_each_reading_that_came_too_late),
	TEST(changes_the_list_that_was_named),
	TEST(a_passkey_has_the_limits_that_were_asked_for),
	TEST(asks_for_a_token_that_may),
	TEST(shows_a_scoped_token_its_provider_only),
	TEST(passes_on_what_the_modules_say),
	TEST(tells_conflicts_and_what_is_missing),
	TEST(says_201_when_it_is_stored_and_whether_it_is_new),
	TEST(changes_agreements_as_they_were_read),
	TEST(saves_the_body_when_the_client_has_it),
	TEST(chooses_the_format),
	TEST(is_ready_when_the_daemon_is),
	TEST(guards_the_page),
};

RUN_TESTS(tests)
