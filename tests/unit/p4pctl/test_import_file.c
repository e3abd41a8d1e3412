/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "tools/p4pctl/import_file.h"

#include <inttypes.h>
#include <string.h>

static enum err read_text(enum import_format format, const char *text, struct import_file *f,
                          struct faults *faults)
{
	char *copy = strdup(text); /* exactly its size, for a sanitizer */
	assert_non_null(copy);
	const enum err e = import_read(format, copy, strlen(copy), f, faults);
	free(copy);
	return e;
}

/* "port@ms period out/in bits uptime", a row each. */
static const char *rows_of(const struct import_file *f)
{
	static char said[4096];
	size_t n = 0;
	said[0] = '\0';
	for (size_t i = 0; i < f->n; i++) {
		const struct counter_reading *r = &f->rows[i].reading;
		n += (size_t)snprintf(said + n, sizeof(said) - n,
		                      "%s%s@%" PRId64 " %" PRIu32 " %" PRIu64 "/%" PRIu64
		                      " %u %" PRIu32,
		                      i > 0 ? "; " : "", f->ports[f->rows[i].port], r->at_ms,
		                      r->period_ms, r->octets[COUNTER_OUT], r->octets[COUNTER_IN],
		                      r->bits, r->has_uptime ? r->uptime : 0);
	}
	return said;
}

static void reads(enum import_format format, const char *text, const char *rows, const char *notes)
{
	struct import_file f;
	struct faults *faults = faults_new();
	const enum err e = read_text(format, text, &f, faults);
	if (e != ERR_OK && faults->count > 0)
		print_message("# %s: %s\n", faults->list[0].where, faults->list[0].text);
	assert_int_equal(e, ERR_OK);
	assert_string_equal(rows_of(&f), rows);
	if (f.notes.bytes == NULL || strstr(f.notes.bytes, notes) == NULL)
		assert_string_equal(f.notes.bytes != NULL ? f.notes.bytes : "", notes);
	import_done(&f);
	faults_free(faults);
}

static void reads_librenms_bill_data(void **state)
{
	(void)state;
	/* mysql --batch: tabs; the first row has no period; rows of two bills in the order of time. */
	reads(IMPORT_LIBRENMS,
	      "bill_id\ttimestamp\tperiod\tdelta\tin_delta\tout_delta\n"
	      "7\t1795255200\t0\t0\t0\t0\n"
	      "7\t1795255501\t301\t300\t100\t200\n"
	      "8\t1795255502\t303\t30\t10\t20\n"
	      "7\t1795255800\t299\t300\t101\t199\n",
	      "bill 7@1795255501000 301000 200/100 0 0; bill 7@1795255800000 299000 199/101 0 0; "
	      "bill 8@1795255502000 303000 20/10 0 0",
	      "line 2: a period of 0 seconds");
	/* A DATETIME has no zone. */
	reads(IMPORT_LIBRENMS, "timestamp,period,in_delta,out_delta\n2026-11-21 10:05:00,300,1,2\n",
	      "-@1795255500000 300000 2/1 0 0", "line 2: times have no zone");
	/* Issue 3571: a repeated delta is nobody's traffic. Zeros are. */
	reads(IMPORT_LIBRENMS,
	      "bill_id,timestamp,period,in_delta,out_delta\n7,1795255500,300,5,6\n"
	      "7,1795255800,300,5,6\n7,1795256100,300,5,6\n7,1795256400,300,0,0\n"
	      "7,1795256700,300,0,0\n",
	      "bill 7@1795255500000 300000 6/5 0 0; bill 7@1795256400000 300000 0/0 0 0; "
	      "bill 7@1795256700000 300000 0/0 0 0",
	      "line 4: both deltas are those of the row before");
}

static void reads_rates_of_kentik(void **state)
{
	(void)state;
	reads(IMPORT_KENTIK,
	      "Timestamp,Device,Interface,Inbound (Mbits/s),Outbound (Mbits/s)\n"
	      "2026-11-21T10:05:00Z,edge1,et-0/0/1,8,0.000001\n"
	      "2026-11-21 10:10:00 UTC,edge1,et-0/0/1,400000.5,0.0000001\n",
	      "edge1/et-0/0/1@1795255800000 300000 38/300000000 0 0; "
	      "edge1/et-0/0/1@1795256100000 300000 4/15000018750000 0 0",
	      "");
	reads(IMPORT_KENTIK, "time,egress bps,ingress Gbps\n1795255500,80,1\n",
	      "-@1795255800000 300000 3000/37500000000 0 0", "");
}

static void reads_readings_and_periods_of_our_own(void **state)
{
	(void)state;
	reads(IMPORT_CSV,
	      "port,at,out_octets,in_octets,counter_bits,sys_uptime,comment\n"
	      "e,1795255500.25,18446744073709551615,2,64,77,x\n",
	      "e@1795255500250 0 18446744073709551615/2 64 77", "");
	reads(IMPORT_CSV, "start,seconds,out_bytes,in_bytes\n1795255500,39,1,2\n",
	      "-@1795255539000 39000 1/2 0 0", "");
}

#define SERIES(name, more, values)                                            \
	"{\"metric\":{\"__name__\":\"" name "\",\"instance\":\"r1:161\"" more \
	"},\"values\":[" values "]}"
#define ANSWER(result) \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" result "]}}"
#define ETH ",\"ifIndex\":\"3\",\"ifName\":\"eth3\""

static void reads_answers_of_prometheus(void **state)
{
	(void)state;
#define IN_3  SERIES("ifHCInOctets", ETH, "[1795255500.781,\"1.5e+3\"],[1795255560.781,\"1600\"]")
#define OUT_3 SERIES("ifHCOutOctets", ETH, "[1795255500.781,\"100\"],[1795255620.781,\"5\"]")
#define FOUR  ",\"ifIndex\":\"4\""
#define IN_4  SERIES("ifHCInOctets", FOUR, "[1795255500.781,\"7\"]")
#define OUT_4 SERIES("ifHCOutOctets", FOUR, "[1795255500.781,\"8\"]")
#define UP    SERIES("sysUpTime", "", "[1795255500.781,\"4200\"]")
	static const char text[] = ANSWER(IN_3 "," IN_4) "\n" ANSWER(OUT_3 "," OUT_4 "," UP);
	reads(IMPORT_PROMETHEUS, text,
	      "r1:161/4@1795255500781 0 8/7 53 4200; "
	      "r1:161/eth3@1795255500781 0 100/1500 53 4200",
	      "2 values of one direction");
	reads(IMPORT_PROMETHEUS,
	      ANSWER(SERIES("ifHCInOctets", ETH, "[1795255500,\"18014398509481984\"]") "," SERIES(
		      "sysUpTime", "", "[1795255400,\"1\"]") "," SERIES("ifHCOutOctets", ETH,
	                                                                "[1795255500,\"1\"]")),
	      "r1:161/eth3@1795255500000 0 1/18014398509481984 64 0", "rounded");
}

static void reads_the_text_that_snmp_exporter_writes(void **state)
{
	(void)state;
	/* Prometheus's /federate: instances and milliseconds; what else a page has says nothing. */
	reads(IMPORT_PROMETHEUS,
	      "# HELP ifHCInOctets The total number of octets\n# TYPE ifHCInOctets counter\n"
	      "ifHCInOctets{ifAlias=\"a \\\"b\\\", } c\",ifName=\"eth3\",instance=\"r1\"} 1.5e+3 "
	      "1795255500781\r\n"
	      "ifMtu{ifName=\"eth3\"} 1500\nsnmp_scrape_duration_seconds 0.2\n\n"
	      "ifHCOutOctets { ifName = \"eth3\" , instance=\"r1\", } 100 1795255500.781\n"
	      "sysUpTime{instance=\"r1\"} 4200 1795255500781\n",
	      "r1/eth3@1795255500781 0 100/1500 53 4200", "");
	/* Its own pages know neither. */
	reads(IMPORT_PROMETHEUS,
	      "# scraped 1795255500 r1\nifHCInOctets{ifIndex=\"3\"} 7\nifHCOutOctets{ifIndex=\"3\"} 8\n"
	      "sysUpTime 4200\n# scraped 1795255800.5\nifHCInOctets{ifIndex=\"3\"} 9",
	      "r1/3@1795255500000 0 8/7 53 4200", "1 values of one direction");
}

static void names_each_fault_and_its_place(void **state)
{
	(void)state;
	static const struct {
		enum import_format format;
		const char *text, *where, *part;
	} rows[] = {
		{ IMPORT_LIBRENMS, "", "line 1", "no header row" },
		{ IMPORT_LIBRENMS, "timestamp,in_delta,out_delta\n", "line 1", "no column period" },
		{ IMPORT_LIBRENMS, "timestamp,period,in_delta,out_delta\n1,2,3\n", "line 2",
		  "as long as the header" },
		{ IMPORT_LIBRENMS, "timestamp,period,in_delta,out_delta\n1,2,3,-4\n", "line 2",
		  "\"-4\" is not a whole number" },
		{ IMPORT_LIBRENMS, "timestamp,period,in_delta,out_delta\n21.11.2026,2,3,4\n",
		  "line 2", "is not a time" },
		{ IMPORT_KENTIK, "time,in,out\n", "line 1", "a unit such as Mbits/s" },
		{ IMPORT_KENTIK, "time,in bps,out bps\n1795255500,1e6,0\n", "line 2", "a rate" },
		{ IMPORT_KENTIK, "time,in bps,inbound mbps,out bps\n", "line 1", "say the same" },
		{ IMPORT_CSV, "at,out_octets,in_octets,counter_bits\n1795255500,1,2,16\n", "line 2",
		  "32, 53 or 64" },
		{ IMPORT_CSV, "at,out_octets,in_octets\n1795255500,\"1,2\n", "line 2", "quotes" },
		{ IMPORT_PROMETHEUS, "", "answer 1", "" },
		{ IMPORT_PROMETHEUS, ANSWER("") "{", "answer 2", "" },
		{ IMPORT_PROMETHEUS, "\nifHCInOctets{ifIndex=\"3\"} 7\n", "line 2", "# scraped" },
		{ IMPORT_PROMETHEUS, "# scraped at noon\n", "line 1", "seconds since 1970" },
		{ IMPORT_PROMETHEUS, "ifHCInOctets{ifIndex=\"3} 7 1795255500781", "line 1",
		  "labels" },
		{ IMPORT_PROMETHEUS, "ifHCInOctets{} NaN 1795255500781", "line 1", "no count" },
		{ IMPORT_PROMETHEUS, "ifHCInOctets 7 noon\n", "line 1", "no time" },
		{ IMPORT_PROMETHEUS, "up 1 1795255500781\n", "line 1", "neither" },
		{ IMPORT_PROMETHEUS, "{\"status\":\"error\",\"error\":\"too many\"}", "/status",
		  "too many" },
		{ IMPORT_PROMETHEUS,
		  "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
		  "/data/result", "\"vector\"" },
		{ IMPORT_PROMETHEUS, ANSWER("{\"metric\":{},\"values\":[]}"), "/data/result/0",
		  "not for rate()" },
		{ IMPORT_PROMETHEUS, ANSWER(SERIES("ifHCInOctets", ETH, "[1795255500,\"NaN\"]")),
		  "/data/result/0", "value 0" },
		{ IMPORT_PROMETHEUS, ANSWER(SERIES("ifHCInOctets", ETH, "[1795255500,5]")),
		  "/data/result/0", "value 0" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct import_file f;
		struct faults *faults = faults_new();
		assert_int_equal(read_text(rows[i].format, rows[i].text, &f, faults),
		                 ERR_MALFORMED);
		assert_true(faults->count > 0);
		assert_string_equal(faults->list[0].where, rows[i].where);
		if (strstr(faults->list[0].text, rows[i].part) == NULL)
			assert_string_equal(faults->list[0].text, rows[i].part);
		import_done(&f);
		faults_free(faults);
	}
	enum import_format format;
	assert_true(import_format_of("kentik", &format) && format == IMPORT_KENTIK);
	assert_false(import_format_of("cacti", &format));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_librenms_bill_data),
	cmocka_unit_test(reads_rates_of_kentik),
	cmocka_unit_test(reads_readings_and_periods_of_our_own),
	cmocka_unit_test(reads_answers_of_prometheus),
	cmocka_unit_test(reads_the_text_that_snmp_exporter_writes),
	cmocka_unit_test(names_each_fault_and_its_place),
};

RUN_TESTS(tests)
