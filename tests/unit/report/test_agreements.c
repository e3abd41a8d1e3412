/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/report/agreements.h"
#include "tests/support/db.h"

#include <stdlib.h>
#include <string.h>

static struct store *s;

static int open_store(void **state)
{
	(void)state;
	static const struct store_interconnect interconnects[] = {
		{ .id = "a-b-1", .pid = "c", .relation = "settlement-free", .neighbor_asn = 64501 },
	};
	s = db_store(NULL);
	db_map(s, interconnects, 1);
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	store_free(s);
	return 0;
}

static struct faults *faults;

static enum err put(enum store_agreement_kind kind, const char *body, bool dry_run,
                    struct agreement_change *change)
{
	const struct agreement_upload u = { .kind = kind,
		                            .provider = "isp-a",
		                            .id = "x-1",
		                            .body = body,
		                            .size = strlen(body),
		                            .author = "alice",
		                            .dry_run = dry_run };
	memset(faults, 0, sizeof(*faults));
	return agreement_put(s, &u, change, faults);
}

#define POLICY                                                                \
	"{\"format\":\"p4p-policy/1\",\"provider\":\"isp-a\",\"id\":\"x-1\"," \
	"\"peer_asn\":64501,\"tz\":\"Europe/Berlin\",\"ratio\":{\"limit\":2}}"

static void a_good_one_is_stored_once(void **state)
{
	(void)state;
	struct agreement_change change;
	faults = faults_new();
	assert_int_equal(put(STORE_POLICY, POLICY, true, &change), ERR_OK);
	assert_int_equal(change.version, 0);
	assert_int_equal(put(STORE_POLICY, POLICY, false, &change), ERR_OK);
	assert_true(change.version == 1 && !change.unchanged);
	char found[160];
	db_ask("SELECT encode(sha256(document::bytea), 'hex') = sha256 FROM agreements", found,
	       sizeof(found));
	assert_string_equal(found, "t");
	assert_int_equal(put(STORE_POLICY, POLICY, false, &change), ERR_OK);
	assert_true(change.version == 1 && change.unchanged);
	faults_free(faults);
}

static void names_that_are_nowhere_are_faults(void **state)
{
	(void)state;
	static const struct {
		enum store_agreement_kind kind;
		const char *body, *kinds; /* of the faults, in their order */
	} rows[] = {
		{ STORE_CONTRACT,
		  "{\"format\":\"p4p-contract/1\",\"provider\":\"isp-b\",\"id\":\"x-2\","
		  "\"interconnects\":[\"a-b-1\",\"a-z\"],\"model\":\"flat\",\"commit_mbps\":1,"
		  "\"unit_price\":\"1\",\"currency\":\"EUR\",\"tz\":\"Europe/Nowhere\"}",
		  "provider /provider, id /id, time-zone /tz, unknown-interconnect "
		  "/interconnects/1, " },
		{ STORE_POLICY,
		  "{\"format\":\"p4p-policy/1\",\"provider\":\"isp-a\",\"id\":\"x-1\","
		  "\"peer_asn\":64502,\"ratio\":{\"limit\":2}}",
		  "unknown-peer /peer_asn, " },
		{ STORE_POLICY, "{", "syntax , " },
	};
	struct agreement_change change;
	faults = faults_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char told[512] = "";
		assert_int_equal(put(rows[i].kind, rows[i].body, false, &change), ERR_MALFORMED);
		for (size_t k = 0; k < faults->count; k++) {
			const size_t n = strlen(told);
			(void)snprintf(told + n, sizeof(told) - n, "%s %s, ", faults->list[k].kind,
			               faults->list[k].where);
		}
		assert_string_equal(told, rows[i].kinds);
	}
	char found[16];
	db_ask("SELECT count(*) FROM agreements WHERE kind = 'contract'", found, sizeof(found));
	assert_string_equal(found, "0");
	faults_free(faults);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(a_good_one_is_stored_once, open_store, close_store),
	cmocka_unit_test_setup_teardown(names_that_are_nowhere_are_faults, open_store, close_store),
};

RUN_TESTS(tests)
