/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rights/vrps.h"

#include "common/rights/claims.h"

#include <stdarg.h>

/* Hijacks are told from the provider's own by these. */
static const char known[] =
	"{\"roas\":["
	"{\"asn\":64500,\"prefix\":\"20.0.0.0/12\",\"maxLength\":14,\"ta\":\"ripe\"},"
	"{\"asn\":64501,\"prefix\":\"20.1.0.0/16\",\"maxLength\":24,\"ta\":\"ripe\"},"
	"{\"asn\":64501,\"prefix\":\"20.32.0.0/16\",\"maxLength\":24,\"ta\":\"arin\"},"
	"{\"asn\":64502,\"prefix\":\"20.32.0.0/12\",\"maxLength\":12,\"ta\":\"arin\"},"
	"{\"asn\":0,\"prefix\":\"20.64.0.0/12\",\"maxLength\":32,\"ta\":\"arin\"},"
	"{\"asn\":64500,\"prefix\":\"2400::/32\",\"maxLength\":32,\"ta\":\"apnic\"},"
	"{\"asn\":64503,\"prefix\":\"30.1.0.0/16\",\"maxLength\":16,\"ta\":\"lacnic\"},"
	"{\"asn\":64500,\"prefix\":\"40.1.0.0/16\",\"maxLength\":16,\"ta\":\"lacnic\"}]}";

struct court {
	struct vrp_table *vrps;
	struct faults *faults, *warnings;
	struct claims_rules rules;
	struct claims_rights rights;
};

static struct court court_new(void)
{
	struct court c = { .faults = faults_new(), .warnings = faults_new() };
	c.vrps = read_vrps(known, 100, c.faults);
	assert_non_null(c.vrps);
	c.rules = (struct claims_rules){ .rpki = true, .vrps = c.vrps };
	return c;
}

static void court_free(struct court *c)
{
	vrp_table_free(c->vrps);
	faults_free(c->faults);
	faults_free(c->warnings);
}

static const char *names(const struct faults *f)
{
	static char out[2][512];
	static unsigned turn;
	char *text = out[turn++ % 2];
	size_t n = 0;
	text[0] = '\0';
	for (size_t i = 0; i < f->count; i++)
		n += (size_t)snprintf(text + n, 512 - n, "%s%s %s", i > 0 ? ", " : "",
		                      f->list[i].kind, f->list[i].where);
	return text;
}

/* What is said of a topology of AS64500 with these prefixes in one PID, ended by NULL. */
static void expect(struct court *c, const char *faults, const char *warnings, ...)
{
	struct ip_prefix prefixes[8];
	uint32_t asns[] = { 64500 };
	struct map_pid pid = { .name = "p", .prefixes = prefixes };
	const struct map_topology t = {
		.provider = "isp-a", .asns = asns, .n_asns = 1, .pids = &pid, .n_pids = 1
	};
	va_list ap;
	va_start(ap, warnings);
	for (const char *p; (p = va_arg(ap, const char *)) != NULL;)
		assert_int_equal(ip_prefix_parse(p, &prefixes[pid.n_prefixes++]), ERR_OK);
	va_end(ap);
	c->faults->count = c->warnings->count = 0;
	const enum err e = claims_check(&t, &c->rules, &c->rights, c->faults, c->warnings);
	assert_string_equal(names(c->faults), faults);
	assert_string_equal(names(c->warnings), warnings);
	assert_int_equal(e, faults[0] != '\0' ? ERR_MALFORMED : ERR_OK);
}

static const uint32_t mine[] = { 64500 };

static void what_own_vrps_cover_is_own_whatever_the_max_length(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	expect(&c, "", "", "20.0.0.0/12", "20.0.0.0/24", "20.8.0.0/14", "2400::/64", NULL);
	court_free(&c);
}

static void a_hijack_is_refused_and_the_vrp_named(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	expect(&c, "rpki-invalid /pids/0/prefixes/1", "", "20.0.0.0/12", "20.32.5.0/24", NULL);
	assert_string_equal(c.faults->list[0].text,
	                    "must be covered by a VRP of this provider's ASNs, but 20.32.5.0/24 is "
	                    "covered by 20.32.0.0/16 (max length 24, AS64501, arin) only");
	/* AS 0: nobody's at all, also of one whose ASNs could not be read */
	expect(&c, "rpki-invalid /pids/0/prefixes/0", "", "20.64.0.0/16", NULL);
	static const uint32_t unread[] = { 64500, 0 };
	c.rights.asns = unread;
	c.rights.n_asns = 2;
	expect(&c, "rpki-invalid /pids/0/prefixes/0", "", "20.64.0.0/16", NULL);
	court_free(&c);
}

static void a_nearer_vrp_of_another_is_a_warning(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	expect(&c, "", "rpki-nearer /pids/0/prefixes/0", "20.1.2.0/24", NULL);
	court_free(&c);
}

static void what_holds_others_vrps_is_no_unknown(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	expect(&c, "rpki-invalid /pids/0/prefixes/0", "", "30.0.0.0/8", NULL);
	assert_string_equal(c.faults->list[0].text,
	                    "must be covered by a VRP of this provider's ASNs, because 30.0.0.0/8 "
	                    "holds 30.1.0.0/16 (max length 16, AS64503, lacnic)");
	expect(&c, "", "rpki-unknown /pids/0/prefixes/0", "40.0.0.0/8", NULL); /* its own */
	court_free(&c);
}

static void the_unknown_is_the_options_business(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	expect(&c, "", "rpki-unknown /pids/0/prefixes/2", "50.2.0.0/16", "51.0.0.0/16",
	       "50.1.0.0/16", NULL);
	assert_memory_equal(c.warnings->list[0].text, "3 prefixes", 10);
	c.rules.unknown = CLAIMS_REFUSE;
	expect(&c, "rpki-unknown /pids/0/prefixes/0, rpki-unknown /pids/0/prefixes/1", "",
	       "50.1.0.0/16", "51.0.0.0/16", NULL);
	c.rules.unknown = CLAIMS_DELEGATED;
	expect(&c, "rpki-unknown /pids/0/prefixes/0", "", "50.1.0.0/16", NULL);
	assert_string_equal(c.faults->list[0].text,
	                    "50.1.0.0/16 is unproved: no VRP covers it, and no admin has delegated "
	                    "it (p4pctl delegation add)");
	court_free(&c);
}

static void a_delegation_proves_the_unknown_and_nothing_else(void **state)
{
	(void)state;
	struct court c = court_new();
	struct claims_delegation d[] = { { .own = true }, { .own = true }, { .own = false } };
	assert_int_equal(ip_prefix_parse("50.0.0.0/8", &d[0].prefix), ERR_OK);
	assert_int_equal(ip_prefix_parse("20.32.0.0/16", &d[1].prefix), ERR_OK);
	assert_int_equal(ip_prefix_parse("50.9.0.0/16", &d[2].prefix), ERR_OK);
	c.rights = (struct claims_rights){
		.asns = mine, .n_asns = 1, .delegations = d, .n_delegations = 3
	};
	c.rules.unknown = CLAIMS_DELEGATED;
	expect(&c, "", "", "50.1.0.0/16", "50.0.0.0/8", NULL);
	expect(&c, "rpki-invalid /pids/0/prefixes/0", "", "20.32.0.0/16", NULL);
	expect(&c, "delegated /pids/0/prefixes/0", "", "50.9.1.0/24", NULL);
	c.rules.unknown = CLAIMS_REFUSE;
	expect(&c, "rpki-unknown /pids/0/prefixes/0", "", "50.1.0.0/16", NULL);
	c.rules.unknown = CLAIMS_WARN;
	expect(&c, "delegated /pids/0/prefixes/0", "", "50.9.1.0/24", NULL);
	expect(&c, "delegated /pids/0/prefixes/0", "", "48.0.0.0/6", NULL); /* holds it */
	court_free(&c);
}

static void asns_are_the_admins_word(void **state)
{
	(void)state;
	static const uint32_t others[] = { 64501, 64502 };
	struct court c = court_new();
	expect(&c, "", "unbound /asns", "20.0.0.0/12", NULL); /* believed */
	c.rules.bound_only = true;
	expect(&c, "not-bound /asns", "", "20.0.0.0/12", NULL);
	c.rights = (struct claims_rights){ .asns = others, .n_asns = 2 };
	expect(&c, "not-bound /asns/0, rpki-invalid /pids/0/prefixes/0", "", "20.0.0.0/12", NULL);
	court_free(&c);
}

static void asns_that_are_bound_to_another_are_not_believed(void **state)
{
	(void)state;
	static const uint32_t others[] = { 64501, 64500 };
	struct court c = court_new();
	c.rights = (struct claims_rights){ .others = others, .n_others = 1 };
	expect(&c, "", "unbound /asns", "20.0.0.0/12", NULL);
	c.rights.n_others = 2;
	expect(&c, "not-bound /asns/0", "unbound /asns", "20.0.0.0/12", NULL);
	c.rights.asns = mine; /* to both: one network, two providers */
	c.rights.n_asns = 1;
	expect(&c, "", "", "20.0.0.0/12", NULL);
	court_free(&c);
}

static void without_vrps_only_the_options_decide(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	c.rules.vrps = NULL; /* the file is broken */
	expect(&c, "", "rpki-unchecked /pids", "20.32.0.0/16", NULL);
	c.rules.unknown = CLAIMS_DELEGATED;
	expect(&c, "rpki-unknown /pids/0/prefixes/0", "", "20.32.0.0/16", NULL);
	c.rules.unknown = CLAIMS_WARN;
	c.rules.rpki = false; /* nobody asked for RPKI */
	expect(&c, "", "", "20.32.0.0/16", NULL);
	court_free(&c);
}

static void private_prefixes_are_anybodys_in_a_lab_only(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	c.rules.unknown = CLAIMS_REFUSE;
	expect(&c, "rpki-unknown /pids/0/prefixes/0", "", "10.1.0.0/16", NULL);
	c.rules.lab = true;
	expect(&c, "", "", "10.1.0.0/16", NULL);
	expect(&c, "rpki-unknown /pids/0/prefixes/0", "", "50.1.0.0/16", NULL);
	court_free(&c);
}

static void a_prefix_in_two_places_is_judged_once(void **state)
{
	(void)state;
	struct court c = court_new();
	c.rights = (struct claims_rights){ .asns = mine, .n_asns = 1 };
	expect(&c, "rpki-invalid /pids/0/prefixes/0", "", "30.1.0.0/16", "30.1.0.0/16", NULL);
	court_free(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_own_vrps_cover_is_own_whatever_the_max_length),
	cmocka_unit_test(a_hijack_is_refused_and_the_vrp_named),
	cmocka_unit_test(a_nearer_vrp_of_another_is_a_warning),
	cmocka_unit_test(what_holds_others_vrps_is_no_unknown),
	cmocka_unit_test(the_unknown_is_the_options_business),
	cmocka_unit_test(a_delegation_proves_the_unknown_and_nothing_else),
	cmocka_unit_test(asns_are_the_admins_word),
	cmocka_unit_test(asns_that_are_bound_to_another_are_not_believed),
	cmocka_unit_test(without_vrps_only_the_options_decide),
	cmocka_unit_test(private_prefixes_are_anybodys_in_a_lab_only),
	cmocka_unit_test(a_prefix_in_two_places_is_judged_once),
};
RUN_TESTS(tests)
