/* SPDX-License-Identifier: Apache-2.0 */

/* Recorded datagrams of many makes, from the tests of logstash-codec-netflow and of tcpdump. */

#include "tests/unit/flow/build.h"
#include "tests/unit/flow/captures.h"

enum { FILES_MAX = 8 };

/* Files in the order they were sent, templates first, and what they hold. */
struct recording {
	const char *files[FILES_MAX];
	uint64_t records, bytes, learnt, options, other, before_template;
};

/* Records and bytes as tshark 4.0 counts them. Of `other` it says they have no bytes, or 0. */
static const struct recording recordings[] = {
	{ { "ipfix" }, 6, 10563, 3, 1, 0, 0 },
	{ { "ipfix_test_barracuda_tpl", "ipfix_test_barracuda_data256" }, 4, 388, 1, 0, 4, 0 },
	{ { "ipfix_test_barracuda_extended_uniflow_tpl256",
	    "ipfix_test_barracuda_extended_uniflow_data256" },
	  0,
	  0,
	  1,
	  0,
	  2,
	  0 },
	{ { "ipfix_test_ixia_tpldata256", "ipfix_test_ixia_tpldata271" }, 2, 492, 6, 0, 1, 0 },
	{ { "ipfix_test_juniper_mx240_junos151r6s3_opttpl512",
	    "ipfix_test_juniper_mx240_junos151r6s3_data512" },
	  0,
	  0,
	  1,
	  1,
	  0,
	  0 },
	{ { "ipfix_test_mikrotik_tpl", "ipfix_test_mikrotik_data258",
	    "ipfix_test_mikrotik_data259" },
	  46,
	  103235,
	  2,
	  0,
	  0,
	  0 },
	{ { "ipfix_test_netscaler_tpl", "ipfix_test_netscaler_data" }, 3, 3106, 7, 0, 0, 1 },
	{ { "ipfix_test_nokia_bras_tpl", "ipfix_test_nokia_bras_data256" }, 0, 0, 2, 0, 1, 0 },
	{ { "ipfix_test_openbsd_pflow_tpl", "ipfix_test_openbsd_pflow_data" },
	  26,
	  99323,
	  2,
	  0,
	  0,
	  0 },
	{ { "ipfix_test_procera_tpl52935", "ipfix_test_procera_data52935" }, 0, 0, 1, 0, 8, 0 },
	{ { "ipfix_test_viptela_tpl257", "ipfix_test_viptela_data257" }, 1, 775, 1, 0, 0, 0 },
	{ { "ipfix_test_vmware_vds_tpl", "ipfix_test_vmware_vds_data264",
	    "ipfix_test_vmware_vds_data266", "ipfix_test_vmware_vds_data266_267" },
	  5,
	  806,
	  13,
	  0,
	  0,
	  0 },
	{ { "netflow5" }, 2, 534, 0, 0, 0, 0 },
	{ { "netflow5_test_microtik" }, 30, 40812, 0, 0, 0, 0 },
	{ { "netflow9_cisco_asr1001x_tpl259" }, 25, 38255, 1, 0, 0, 0 },
	{ { "netflow9_test_0length_fields_tpl_data" }, 2, 64, 2, 0, 8, 0 },
	{ { "netflow9_test_cisco_1941K9" }, 29, 70258, 1, 0, 0, 0 },
	{ { "netflow9_test_cisco_aci_tpl256-258", "netflow9_test_cisco_aci_data256" },
	  3,
	  297,
	  3,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_cisco_asr9k_opttpl256", "netflow9_test_cisco_asr9k_opttpl257",
	    "netflow9_test_cisco_asr9k_opttpl334", "netflow9_test_cisco_asr9k_tpl260",
	    "netflow9_test_cisco_asr9k_tpl266", "netflow9_test_cisco_asr9k_data256",
	    "netflow9_test_cisco_asr9k_data260" },
	  21,
	  208031,
	  5,
	  19,
	  0,
	  0 },
	{ { "netflow9_test_cisco_nbar_opttpl260", "netflow9_test_cisco_nbar_tpl262",
	    "netflow9_test_cisco_nbar_data262" },
	  5,
	  3064,
	  2,
	  15,
	  0,
	  0 },
	{ { "netflow9_test_cisco_wlc_8510_tpl_262" }, 0, 0, 4, 0, 0, 0 },
	{ { "netflow9_test_cisco_wlc_tpl", "netflow9_test_cisco_wlc_data261" },
	  19,
	  142991108,
	  2,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_field_layer2segmentid_tpl", "netflow9_test_field_layer2segmentid_data" },
	  1,
	  52,
	  1,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_fortigate_fortios_521_tpl",
	    "netflow9_test_fortigate_fortios_521_data256",
	    "netflow9_test_fortigate_fortios_521_data257" },
	  1,
	  152,
	  5,
	  1,
	  0,
	  0 },
	{ { "netflow9_test_fortigate_fortios_542_appid_tpl258-269",
	    "netflow9_test_fortigate_fortios_542_appid_data258_262" },
	  17,
	  29492,
	  14,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_h3c_netstream_varstring_tpl3281",
	    "netflow9_test_h3c_netstream_varstring_data3281" },
	  1,
	  702,
	  1,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_huawei_netstream_tpl", "netflow9_test_huawei_netstream_data" },
	  1,
	  200,
	  1,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_iptnetflow_reduced_size_encoding_tpldata260" }, 12, 7598, 1, 0, 0, 6 },
	{ { "netflow9_test_juniper_srx_tplopt" }, 0, 0, 2, 1, 0, 0 },
	{ { "netflow9_test_macaddr_tpl", "netflow9_test_macaddr_data" }, 0, 0, 3, 1, 29, 0 },
	{ { "netflow9_test_nprobe_tpl", "netflow9_test_nprobe_data", "netflow9_test_nprobe_dpi" },
	  2,
	  282,
	  4,
	  1,
	  0,
	  0 },
	{ { "netflow9_test_paloalto_81_tpl256-263",
	    "netflow9_test_paloalto_81_data257_1flowset_in_large_zerofilled_packet" },
	  1,
	  363,
	  8,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_paloalto_panos_tpl", "netflow9_test_paloalto_panos_data" },
	  8,
	  617,
	  8,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_softflowd_tpl_data" }, 7, 1128, 2, 0, 0, 0 },
	{ { "netflow9_test_streamcore_tpl_data256", "netflow9_test_streamcore_tpl_data260" },
	  4,
	  7295,
	  6,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_ubnt_edgerouter_tpl", "netflow9_test_ubnt_edgerouter_data1024",
	    "netflow9_test_ubnt_edgerouter_data1025" },
	  16,
	  20418,
	  4,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_unknown_tpl266_292_data" }, 2, 310, 4, 0, 0, 0 },
	{ { "netflow9_test_valid01" }, 7, 1128, 2, 0, 0, 0 },
};

/*
 * Where tshark says less. YAF counts both directions in totals, the ASAs in initiator's and responder's
 * octets; H3C repeats a set that tshark calls malformed; the MX80 samples one of 1000 and the exporter of
 * invalid01 one of 100, which makes its last template useless to tshark.
 * The two invalid ones of v5 announce more records than they hold.
 */
static const struct recording beyond[] = {
	{ { "ipfix_test_yaf_tpl45841", "ipfix_test_yaf_tpls_option_tpl", "ipfix_test_yaf_data45841",
	    "ipfix_test_yaf_data45873", "ipfix_test_yaf_data53248" },
	  4,
	  596,
	  14,
	  1,
	  0,
	  0 },
	{ { "netflow5_test_invalid01" }, 0, 0, 0, 0, 0, 0 },
	{ { "netflow5_test_invalid02" }, 0, 0, 0, 0, 0, 0 },
	{ { "netflow5_test_juniper_mx80" }, 29, 3989000, 0, 0, 0, 0 },
	{ { "netflow9_test_cisco_asa_1_tpl", "netflow9_test_cisco_asa_1_data" },
	  14,
	  888,
	  13,
	  0,
	  0,
	  0 },
	{ { "netflow9_test_cisco_asa_2_tpl_26x", "netflow9_test_cisco_asa_2_tpl_27x",
	    "netflow9_test_cisco_asa_2_data" },
	  30,
	  130362,
	  30,
	  0,
	  4,
	  0 },
	{ { "netflow9_test_h3c_tpl3281", "netflow9_test_h3c_data3281" }, 16, 8729687, 1, 0, 0, 0 },
	{ { "netflow9_test_invalid01" }, 2, 19400, 3, 1, 0, 0 },
};

static FILE *open_flow(const char *folder, const char *name, const char *suffix)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "flow/%s/%s%s", folder, name, suffix);
	return open_recorded(path);
}

static void take(void *ctx, const uint8_t *bytes, size_t size)
{
	(void)decode(ctx, bytes, size);
}

static bool play(struct bench *b, const char *folder, const char *name, const char *suffix)
{
	FILE *f = open_flow(folder, name, suffix);
	if (f == NULL)
		return false;
	assert_true(read_capture(f, take, b) > 0);
	(void)fclose(f);
	return true;
}

static void replay(const struct recording *r)
{
	struct bench b;
	bool all = true;
	begin(&b, NULL);
	for (size_t i = 0; i < FILES_MAX && r->files[i] != NULL; i++)
		all &= play(&b, "logstash-codec-netflow", r->files[i], ".dat");
	const struct flow_stats s = flow_decoder_stats(b.d);
	if (all && (b.count != r->records || b.bytes_sum != r->bytes || s.learnt != r->learnt ||
	            s.options != r->options || s.other != r->other ||
	            s.before_template != r->before_template || s.refused != 0))
		fail_msg("%s: %zu records, %lu bytes, %lu templates (%lu refused), %lu options, "
		         "%lu others, %lu sets before their template",
		         r->files[0], b.count, (unsigned long)b.bytes_sum, (unsigned long)s.learnt,
		         (unsigned long)s.refused, (unsigned long)s.options, (unsigned long)s.other,
		         (unsigned long)s.before_template);
	end(&b);
}

static void counts_what_tshark_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++)
		replay(&recordings[i]);
}

static void counts_more_where_there_is_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		replay(&beyond[i]);
}

/* What tcpdump prints of a capture. */
struct printed {
	size_t packets, counters;
	uint64_t octets; /* in and out */
};

static uint64_t number_after(const char *line, const char *words)
{
	const char *at = strstr(line, words);
	return at != NULL ? strtoull(at + strlen(words), NULL, 10) : 0;
}

static struct printed read_printed(FILE *f)
{
	struct printed p = { 0 };
	char line[1024];
	while (fgets(line, sizeof(line), f) != NULL) {
		p.packets += strstr(line, "enterprise 0 Raw packet (1)") != NULL;
		p.counters += strstr(line, "enterprise 0, Generic counter (1)") != NULL;
		p.octets += number_after(line, "In octets ") + number_after(line, "Out octets ");
	}
	(void)fclose(f);
	return p;
}

static void counts_what_tcpdump_counts(void **state)
{
	static const char *const names[] = { "sflow-print-v6", "sflow_multiple_counter_30_pdus",
		                             "sflow_expanded" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bench b;
		begin(&b, NULL);
		FILE *text = open_flow("tcpdump", names[i], ".out");
		if (text != NULL && play(&b, "tcpdump", names[i], ".pcap")) {
			const struct printed p = read_printed(text);
			const struct flow_stats s = flow_decoder_stats(b.d);
			/* NetFlow v5 came to the same port, which tcpdump does not print. */
			assert_int_equal(s.of[FLOW_SFLOW5].records, p.packets);
			assert_int_equal(s.counters, p.counters);
			assert_int_equal(b.octets, p.octets);
			assert_int_equal(s.of[FLOW_SFLOW5].malformed, 0);
		}
		end(&b);
	}
}

static void refuses_what_tcpdump_refuses(void **state)
{
	struct bench b;
	(void)state;
	begin(&b, NULL);
	if (play(&b, "tcpdump", "sflow_print-segv", ".pcap"))
		assert_int_equal(flow_decoder_stats(b.d).of[FLOW_SFLOW5].malformed, 1);
	end(&b);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(counts_what_tshark_counts),
	cmocka_unit_test(counts_more_where_there_is_more),
	cmocka_unit_test(counts_what_tcpdump_counts),
	cmocka_unit_test(refuses_what_tcpdump_refuses),
};

RUN_TESTS(tests)
