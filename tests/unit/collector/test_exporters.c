/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/collector/exporters.h"

static void each_address_is_one_exporter(void **state)
{
	(void)state;
	struct names *names = names_new();
	struct exporters *all = exporters_new();
	for (uint32_t i = 0; i < EXPORTERS_STRANGERS; i++) {
		const struct ip_addr a = ip_v4(i * 65537);
		assert_null(exporters_find(all, &a));
		struct exporter *e = exporters_add(all, names, &a, false);
		assert_non_null(e);
		e->records = i;
	}
	for (uint32_t i = 0; i < EXPORTERS_STRANGERS; i++) {
		const struct ip_addr a = ip_v4(i * 65537);
		char text[IP_TEXT_SIZE];
		const struct exporter *e = exporters_find(all, &a);
		assert_non_null(e);
		assert_int_equal(e->records, i);
		ip_print(&a, text);
		assert_string_equal(names_key(names, e->name), text);
		assert_ptr_equal(exporters_at(all, i), e);
	}
	exporters_free(all);
	names_free(names);
}

static void strangers_and_routers_of_topologies_leave_each_other_room(void **state)
{
	(void)state;
	struct names *names = names_new();
	struct exporters *all = exporters_new();
	uint32_t i = 0;
	struct ip_addr a = ip_v4(i);
	for (unsigned kind = 0; kind < 3; kind++) /* strangers after half of the routers */
		for (; exporters_add(all, names, &a, kind != 1) != NULL; a = ip_v4(++i))
			if (kind == 0 && i + 1 == EXPORTERS_MAX / 2) {
				a = ip_v4(++i);
				break;
			}
	assert_int_equal(i, EXPORTERS_MAX + EXPORTERS_STRANGERS);
	assert_int_equal(exporters_count(all), EXPORTERS_MAX + EXPORTERS_STRANGERS);
	assert_null(exporters_find(all, &a));
	exporters_free(all);
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_is_one_exporter),
		cmocka_unit_test(strangers_and_routers_of_topologies_leave_each_other_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
