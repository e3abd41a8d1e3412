/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/impact.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* free() it. */
static char *printed(const char *json, bool colour)
{
	json_t *impact = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(impact);
	assert_non_null(out);
	impact_print(impact, colour, out);
	assert_int_equal(fclose(out), 0);
	json_decref(impact);
	return text;
}

static const char *const topology =
	"{\"limit\":1,\"moves\":{\"rows\":[{\"from\":\"a\",\"to\":null,\"prefixes\":1234,"
	"\"ipv4_addresses\":65536,\"ipv6_networks\":3,\"examples\":[\"10.1.0.0/16\","
	"\"2001:db8::/64\"]}],\"more\":7,\"ipv4_addresses\":1000000,\"ipv6_networks\":3},"
	"\"pids\":{\"rows\":[{\"change\":\"changed\",\"pid\":\"a\",\"members\":[{\"member\":"
	"\"uploads\",\"old\":\"normal\",\"new\":\"avoid\"},{\"member\":\"access\",\"old\":null,"
	"\"new\":\"dsl\"}]}],\"more\":0},\"links\":{\"rows\":[{\"change\":\"removed\",\"link\":"
	"\"l\",\"members\":[{\"member\":\"weight\",\"old\":2,\"new\":null}]}],\"more\":1200},"
	"\"interconnects\":{\"rows\":[{\"change\":\"added\",\"interconnect\":\"x\",\"members\":["
	"{\"member\":\"neighbor_asn\",\"old\":null,\"new\":7}]}],\"more\":0},"
	"\"live\":{\"peers\":2000,\"moved\":500,\"moved_percent\":25.0,\"default_before\":0,"
	"\"default_after\":100,\"default_before_percent\":0.0,\"default_after_percent\":5.0},"
	"\"bytes\":{\"all\":2000000,\"changed\":500000,\"changed_percent\":25.0,\"unplaced\":1000,"
	"\"before\":{\"local_bytes\":1000000,\"local_share\":0.5,\"out_bytes\":800000,"
	"\"in_bytes\":200000,\"ratio\":4.0,\"unknown_out_bytes\":0,\"unknown_in_bytes\":0,"
	"\"left_bytes\":0,\"cost\":1.5},\"after\":{\"local_bytes\":1500000,\"local_share\":0.75,"
	"\"out_bytes\":400000,\"in_bytes\":0,\"ratio\":null,\"unknown_out_bytes\":0,"
	"\"unknown_in_bytes\":0,\"left_bytes\":100000,\"cost\":0.25},\"interconnects\":[{"
	"\"interconnect\":\"x\",\"neighbor_asn\":7,\"relation\":\"transit\",\"before\":null,"
	"\"after\":{\"out_bytes\":400000,\"in_bytes\":0,\"ratio\":null}}],\"more\":0}}";

static void people_can_read_it(void **state)
{
	(void)state;
	char *text = printed(topology, false);
	assert_string_equal(
		text,
		"addresses that change their PID: 1,000,000 of IPv4 and 3 /64s\n"
		"    a -> no PID: 65,536 of IPv4 and 3 /64s (10.1.0.0/16, 2001:db8::/64 and 1,232 "
		"more)\n"
		"    and 7 more\n"
		"~ pid a\n"
		"    uploads: normal -> avoid\n"
		"    access: not said -> dsl\n"
		"- link l\n"
		"    weight: 2\n"
		"  and 1,200 more\n"
		"+ interconnect x\n"
		"    neighbor_asn: 7\n"
		"live peers: 500 of 2,000 change their PID (25.0 %); in no PID 0.0 % -> 5.0 %\n"
		"the last 24 hours under it (announces, an estimate): 2.00 MB, of which 500 kB "
		"(25.0 %) would change a PID or the way; of 1.00 kB only the crossing is known\n"
		"                           BEFORE    AFTER\n"
		"    local share            50.0 %   75.0 %\n"
		"    inside the provider   1.00 MB  1.50 MB\n"
		"    out                    800 kB   400 kB\n"
		"    in                     200 kB      0 B\n"
		"    no more in this book      0 B   100 kB\n"
		"    out:in                 4.00:1        -\n"
		"    cost, in units          1.500    0.250\n"
		"    INTERCONNECT  RELATION  OUT  OUT AFTER  IN  IN AFTER  RATIO  RATIO AFTER\n"
		"    x             transit     -     400 kB   -       0 B      -            -\n");
	free(text);
}

static void a_terminal_gets_colours(void **state)
{
	(void)state;
	char *text = printed(topology, true);
	assert_non_null(strstr(text, "\033[31m    a -> no PID: \033[0m"));
	assert_non_null(strstr(text, "\033[32m+ interconnect x\033[0m\n"));
	assert_non_null(strstr(text, "\033[33m~ pid a\033[0m\n"));
	free(text);
}

static void costs_and_what_is_not_known_are_said(void **state)
{
	(void)state;
	char *text =
		printed("{\"limit\":9,\"costs\":{\"rows\":[{\"change\":\"changed\",\"from\":\"a\","
	                "\"to\":\"b\",\"members\":[{\"member\":\"cost\",\"old\":1,\"new\":5}]},"
	                "{\"change\":\"added\",\"from\":\"t\",\"to\":\"/out\",\"members\":["
	                "{\"member\":\"cost\",\"old\":null,\"new\":9}]}],\"more\":0},"
	                "\"live\":null,\"live_missing\":\"costs move nobody\",\"bytes\":null,"
	                "\"bytes_missing\":\"the database does not answer\"}",
	                false);
	assert_string_equal(text, "~ cost from a to b\n"
	                          "    cost: 1 -> 5\n"
	                          "+ cost of t, out\n"
	                          "    cost: 9\n"
	                          "live peers: not known; costs move nobody\n"
	                          "the last 24 hours under it: not known; the database does not "
	                          "answer\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_can_read_it),
		cmocka_unit_test(a_terminal_gets_colours),
		cmocka_unit_test(costs_and_what_is_not_known_are_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
