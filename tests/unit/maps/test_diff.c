/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/diff.h"
#include "tests/unit/map/documents.h"

#define HEAD "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64500],\"pids\":"

/* What the difference says, between braces. */
static struct text told(struct desk *d, const char *old, const char *now, size_t limit,
                        struct maps_change *change)
{
	struct text t = { 0 };
	const struct maps_rows rows = { .json = &t, .limit = limit };
	assert_int_equal(maps_diff_topology(old != NULL ? topology(d, old) : NULL, topology(d, now),
	                                    &rows, change),
	                 ERR_OK);
	return t;
}

static void every_member_is_told_as_it_was_and_will_be(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct maps_change change = { 0 };
	struct text t = told(
		&d,
		HEAD
		"[{\"pid\":\"a\",\"access\":\"dsl\",\"subscriber_up_mbps\":1},{\"pid\":\"b\"}],"
		"\"links\":[{\"id\":\"l\",\"a\":\"a\",\"b\":\"b\"}],\"interconnects\":["
		"{\"id\":\"x\",\"pid\":\"a\",\"neighbor_asn\":7,\"relation\":\"transit\","
		"\"reach\":\"any\"}]}",
		HEAD "[{\"pid\":\"a\",\"access\":\"fiber\",\"uploads\":\"avoid\","
		     "\"subscriber_up_mbps\":2.5,\"monthly_upload_gb\":9},{\"pid\":\"b\"}],"
		     "\"links\":[{\"id\":\"l\",\"a\":\"b\",\"b\":\"a\",\"weight\":3}],"
		     "\"interconnects\":[{\"id\":\"x\",\"pid\":\"b\",\"neighbor_asn\":8,"
		     "\"relation\":\"customer\",\"metro\":\"fra\",\"exporters\":[{\"address\":"
		     "\"192.0.2.1\",\"ifindex\":17}],\"reach\":{\"asns\":[9],\"prefixes\":"
		     "[\"1.0.0.0/8\"]}}]}",
		10, &change);
	assert_string_equal(
		t.bytes,
		",\"pids\":{\"rows\":[{\"change\":\"changed\",\"pid\":\"a\",\"members\":["
		"{\"member\":\"access\",\"old\":\"dsl\",\"new\":\"fiber\"},"
		"{\"member\":\"uploads\",\"old\":\"normal\",\"new\":\"avoid\"},"
		"{\"member\":\"monthly_upload_gb\",\"old\":null,\"new\":9},"
		"{\"member\":\"subscriber_up_mbps\",\"old\":1,\"new\":2.5}]}],\"more\":0},"
		"\"links\":{\"rows\":[{\"change\":\"changed\",\"link\":\"l\",\"members\":["
		"{\"member\":\"a\",\"old\":\"a\",\"new\":\"b\"},"
		"{\"member\":\"b\",\"old\":\"b\",\"new\":\"a\"},"
		"{\"member\":\"weight\",\"old\":1,\"new\":3}]}],\"more\":0},"
		"\"interconnects\":{\"rows\":[{\"change\":\"changed\",\"interconnect\":\"x\","
		"\"members\":[{\"member\":\"pid\",\"old\":\"a\",\"new\":\"b\"},"
		"{\"member\":\"neighbor_asn\",\"old\":7,\"new\":8},"
		"{\"member\":\"relation\",\"old\":\"transit\",\"new\":\"customer\"},"
		"{\"member\":\"reach\",\"old\":\"any\",\"new\":{\"asns\":[9],\"prefixes\":"
		"[\"1.0.0.0/8\"]}},"
		"{\"member\":\"metro\",\"old\":null,\"new\":\"fra\"},"
		"{\"member\":\"exporters\",\"old\":[],\"new\":[{\"address\":\"192.0.2.1\","
		"\"ifindex\":17}]}]}],\"more\":0}");
	assert_int_equal(change.pids_changed, 1);
	assert_int_equal(change.links_changed, 1);
	assert_int_equal(change.interconnects_changed, 1);
	text_done(&t);
	desk_free(&d);
}

static void a_list_ends_at_its_limit_and_counts_the_rest(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct maps_change change = { 0 };
	struct text t = told(&d, HEAD "[{\"pid\":\"z\"}]}",
	                     HEAD "[{\"pid\":\"c\"},{\"pid\":\"a\"},{\"pid\":\"b\"}]}", 2, &change);
	assert_int_equal(change.pids_added, 3);
	assert_int_equal(change.pids_removed, 1);
	assert_non_null(strstr(t.bytes, "\"pid\":\"a\""));
	assert_non_null(strstr(t.bytes, "\"pid\":\"b\""));
	assert_null(strstr(t.bytes, "\"pid\":\"c\""));
	assert_non_null(strstr(t.bytes, "],\"more\":2},\"links\""));
	text_done(&t);
	desk_free(&d);
}

static void a_long_member_is_cut(void **state)
{
	(void)state;
	struct desk d = desk_new();
	struct maps_change change = { 0 };
	struct text list = { 0 };
	text_put(&list, HEAD "[{\"pid\":\"a\"}],\"interconnects\":[{\"id\":\"x\",\"pid\":\"a\","
	                     "\"neighbor_asn\":7,\"relation\":\"transit\",\"reach\":{\"asns\":[1");
	for (unsigned asn = 100; asn < 1000; asn++)
		text_printf(&list, ",%u", asn);
	text_put(&list, "]}}]}");
	struct text t = told(&d, NULL, list.bytes, 10, &change);
	assert_true(t.size < 1500);
	assert_non_null(strstr(t.bytes, "...\"}"));
	text_done(&t);
	text_done(&list);
	desk_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_told_as_it_was_and_will_be),
		cmocka_unit_test(a_list_ends_at_its_limit_and_counts_the_rest),
		cmocka_unit_test(a_long_member_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
