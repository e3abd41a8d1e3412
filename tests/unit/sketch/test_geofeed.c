/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sketch/drawing.h"

static void cities_become_pids(void **state)
{
	(void)state;
	struct drawing d = { .files = { "\xef\xbb\xbf# a comment\r\n"
		                        "\r\n"
		                        "23.0.0.0/16,US,US-TX,Dallas-Fort Worth,\r\n"
		                        "23.1.0.0/16,us,us-tx,DALLAS-FORT WORTH, # the same\r\n"
		                        "2a00::/32,DE,DE-NW,K\xc3\xb6ln,\n"
		                        "23.2.0.1,HK,,Hong Kong,\n"
		                        "23.3.0.0/16,JP,,,\n"
		                        "23.4.0.0/16,,,,\n"
		                        "23.5.0.0/16,ZZ,,,",
		                        NULL } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_OK);
	assert_string_equal(
		d.topology.bytes,
		"{\"format\": \"p4p-topology/1\", \"provider\": \"isp\", \"asns\": [64500],\n"
		" \"pids\": [\n"
		"  {\"pid\": \"us-tx-dallas-fort-worth\", \"prefixes\": [\"23.0.0.0/16\", "
		"\"23.1.0.0/16\"]},\n"
		"  {\"pid\": \"de-nw-koln\", \"prefixes\": [\"2a00::/32\"]},\n"
		"  {\"pid\": \"hk-hong-kong\", \"prefixes\": [\"23.2.0.1/32\"]},\n"
		"  {\"pid\": \"jp\", \"prefixes\": [\"23.3.0.0/16\"]},\n"
		"  {\"pid\": \"unplaced\", \"prefixes\": [\"23.4.0.0/16\", \"23.5.0.0/16\"]}],\n"
		" \"links\": [],\n"
		" \"interconnects\": []}\n");
	drawing_says(&d, "f1: 2 entries name no place, as RFC 8805 allows; they are PID");
	drawing_says(&d, "f1: 1 entries name no city; their PID is that of the region or country");
	drawing_done(&d);
}

static void regions_and_countries_become_pids(void **state)
{
	(void)state;
	static const char feed[] = "23.0.0.0/16,US,US-TX,Dallas,\n23.1.0.0/16,US,US-TX,Austin,\n"
				   "23.2.0.0/16,US,US-CA,Fresno,\n";
	struct drawing d = { .files = { feed }, .ask.by = "region" };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "{\"pid\": \"us-tx\", \"prefixes\": [\"23.0.0.0/16\", \"23.1.0.0/16\"]}");
	drawing_has(&d, "{\"pid\": \"us-ca\", \"prefixes\": [\"23.2.0.0/16\"]}");
	drawing_done(&d);

	struct drawing by = { .files = { feed }, .ask.by = "country", .rules.minimize = true };
	drawing_make(&by, "geofeed");
	drawing_expect(&by, ERR_OK);
	drawing_has(&by, "{\"pid\": \"us\", \"prefixes\": [\"23.0.0.0/15\", \"23.2.0.0/16\"]}");
	drawing_says(&by, "3 prefixes became 2");
	drawing_done(&by);

	struct drawing no = { .files = { feed }, .ask.by = "continent" };
	drawing_make(&no, "geofeed");
	drawing_expect(&no, ERR_MALFORMED);
	drawing_says(&no, "--by must be city, region or country, not \"continent\"");
	drawing_done(&no);
}

static void spellings_of_a_place_are_one_pid(void **state)
{
	(void)state;
	struct drawing d = { .files = { "23.0.0.0/16,CH,CH-ZH,Z\xc3\xbcrich,\n"
		                        "23.1.0.0/16,CH,CH-ZH,Zurich,\n"
		                        "23.2.0.0/16,CH,CH-ZH,Zurich,\n" } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_OK);
	drawing_has(&d, "{\"pid\": \"ch-zh-zurich\", \"prefixes\": [\"23.0.0.0/16\", "
	                "\"23.1.0.0/16\", \"23.2.0.0/16\"]}");
	drawing_done(&d);
}

static void every_fault_has_its_line_and_what_would_be_right(void **state)
{
	(void)state;
	struct drawing d = { .files = { "23.0.0.1/16,US,,,\n"
		                        "nonsense,USA,TX,,\n"
		                        ",US,,,\n"
		                        "# fine\n"
		                        "23.1.0.0/16,US,DE-BE,Berlin,\n"
		                        "23.2.0.0/16,US,,\"Open,\n"
		                        "23.3.0.0/33,US,,,\n"
		                        "23.4.0.0/16,CH,,Z\xfcrich,\n" } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f1: line 1: \"23.0.0.1/16\" has host bits set; did you mean "
	                 "23.0.0.0/16? [host-bits]");
	drawing_says(&d, "FAULT f1: line 2: must have a prefix");
	drawing_says(&d, "FAULT f1: line 2: the second field must be a country of two letters");
	drawing_says(&d, "FAULT f1: line 2: the third field must be a region of ISO 3166-2");
	drawing_says(&d, "FAULT f1: line 3: must have a prefix");
	drawing_says(&d, "FAULT f1: line 5: the region DE-BE must be one of the country US");
	drawing_says(&d, "FAULT f1: line 6: must be PREFIX,COUNTRY,REGION,CITY,POSTAL");
	drawing_says(&d, "FAULT f1: line 7: must have a prefix");
	drawing_says(&d, "FAULT f1: line 8: must be UTF-8");
	assert_int_equal(d.s.faults->count, 9);
	assert_int_equal(d.topology.size, 0);
	drawing_done(&d);
}

static void an_entry_that_comes_again_is_a_fault(void **state)
{
	(void)state;
	struct drawing d = { .files = { "23.0.0.0/16,US,,,\n23.0.0.0/16,US,,,\n",
		                        "23.0.0.0/16,DE,,,\n" } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_MALFORMED);
	drawing_says(&d, "FAULT f1: line 2: 23.0.0.0/16 must come once, but is in f1, line 1, too");
	drawing_says(
		&d, "FAULT f2: line 1: 23.0.0.0/16 must have one PID only: here \"de\", but \"us\" "
		    "in f1, line 1");
	drawing_done(&d);
}

static void fields_that_are_not_used_are_told(void **state)
{
	(void)state;
	struct drawing d = { .files = { "23.0.0.0/16,US\n23.1.0.0/16,US,,,75201\n"
		                        "23.2.0.0/16,US,,,,more\n" } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_OK);
	drawing_says(&d, "f1: 1 lines have less than the five fields");
	drawing_says(&d, "f1: 1 lines have more than the five fields");
	drawing_says(&d, "f1: 1 lines have a postal code");
	drawing_done(&d);
}

static void a_published_feed_goes_through(void **state)
{
	(void)state;
	static char feed[1 << 20];
	FILE *f = open_recorded("geofeed/netflix-geofeed.csv");
	if (f == NULL)
		return;
	feed[fread(feed, 1, sizeof(feed) - 1, f)] = '\0';
	(void)fclose(f);
	struct drawing d = { .files = { feed } };
	drawing_make(&d, "geofeed");
	drawing_expect(&d, ERR_OK);
	assert_int_equal(d.s.n_pids, 96);
	assert_int_equal(d.s.n_prefixes, 604);

	/* What came out goes in again, and nothing is lost or changed. */
	struct drawing again = { .files = { "" }, .into = d.topology.bytes };
	drawing_make(&again, "geofeed");
	drawing_expect(&again, ERR_OK);
	assert_string_equal(again.topology.bytes, d.topology.bytes);
	drawing_done(&again);
	drawing_done(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cities_become_pids),
	cmocka_unit_test(regions_and_countries_become_pids),
	cmocka_unit_test(spellings_of_a_place_are_one_pid),
	cmocka_unit_test(every_fault_has_its_line_and_what_would_be_right),
	cmocka_unit_test(an_entry_that_comes_again_is_a_fault),
	cmocka_unit_test(fields_that_are_not_used_are_told),
	cmocka_unit_test(a_published_feed_goes_through),
};

RUN_TESTS(tests)
