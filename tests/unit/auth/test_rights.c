/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/auth/rights.h"

#include <string.h>

/* One letter a right, in their order; '-' where a role has it not. */
static void a_role_may_what_is_written(void **state)
{
	(void)state;
	static const struct {
		enum store_role role;
		const char *rights;
	} rows[] = {
		/*                 VRSUTPXA: view, read, samples, upload, activate, approve, audit, admin */
		{ STORE_OPERATOR, "VRSUT---" }, { STORE_APPROVER, "VR--TP--" },
		{ STORE_ANALYST, "VRS-----" },  { STORE_AUDITOR, "VR----X-" },
		{ STORE_VIEWER, "V-------" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct auth_who who = { .name = "n",
			                      .role = rows[i].role,
			                      .provider = "isp-a" };
		const struct auth_who nobodys = { .name = "n", .role = rows[i].role };
		for (enum auth_right r = AUTH_VIEW; r <= AUTH_ADMIN; r++) {
			assert_int_equal(auth_may(&who, r, "isp-a"), rows[i].rights[r] != '-');
			assert_false(auth_may(&who, r, "isp-ab"));
			assert_false(auth_may(&who, r, "isp-"));
			assert_false(auth_may(&who, r, ""));
			assert_false(auth_may(&who, r, NULL));
			assert_false(auth_may(&nobodys, r, NULL));
		}
	}
}

static void an_admin_may_everything_everywhere(void **state)
{
	(void)state;
	const struct auth_who who = { .name = "admin", .role = STORE_ADMIN };
	for (enum auth_right r = AUTH_VIEW; r <= AUTH_ADMIN; r++) {
		assert_true(auth_may(&who, r, "isp-a"));
		assert_true(auth_may(&who, r, NULL));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_role_may_what_is_written),
	cmocka_unit_test(an_admin_may_everything_everywhere),
};

RUN_TESTS(tests)
