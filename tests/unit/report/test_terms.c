/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/report/terms.h"

#include <dirent.h>
#include <string.h>

static const struct bad {
	const char *file, *kind, *where;
} bad[] = {
	{ "empty.contract.json", "syntax", "" },
	{ "array.contract.json", "type", "" },
	{ "cut-short.policy.json", "syntax", "" },
	{ "twice.policy.json", "duplicate-key", "" },
	{ "other-kind.contract.json", "format", "/format" },
	{ "other-kind.policy.json", "format", "/format" },
	{ "no-provider.contract.json", "missing", "" },
	{ "no-currency.contract.json", "missing", "" },
	{ "no-interconnects.contract.json", "count", "/interconnects" },
	{ "twice.contract.json", "duplicate", "/interconnects/1" },
	{ "bad-name.contract.json", "name", "/interconnects/0" },
	{ "misspelt.contract.json", "unknown-key", "/teirs" },
	{ "model.contract.json", "choice", "/model" },
	{ "number-price.contract.json", "type", "/unit_price" },
	{ "comma-price.contract.json", "money", "/unit_price" },
	{ "long-price.contract.json", "money", "/unit_price" },
	{ "negative-price.contract.json", "out-of-range", "/unit_price" },
	{ "tier-order.contract.json", "out-of-order", "/tiers/1/from_mbps" },
	{ "tier-below.contract.json", "out-of-range", "/tiers/0/from_mbps" },
	{ "tier-key.contract.json", "unknown-key", "/tiers/0/prize" },
	{ "tier-shape.contract.json", "type", "/tiers/0" },
	{ "flat-tiers.contract.json", "contradiction", "/tiers" },
	{ "currency.contract.json", "malformed", "/currency" },
	{ "cycle-day.contract.json", "range", "/cycle_day" },
	{ "percentile.contract.json", "range", "/percentile" },
	{ "rank.contract.json", "choice", "/rank" },
	{ "direction.contract.json", "choice", "/direction" },
	{ "missing-rule.contract.json", "choice", "/missing" },
	{ "no-sets.contract.json", "missing", "/method" },
	{ "idle-sets.contract.json", "choice", "/sets" },
	{ "set-left-out.contract.json", "in-no-set", "/sets" },
	{ "set-twice.contract.json", "duplicate", "/sets/1" },
	{ "set-stranger.contract.json", "unknown-interconnect", "/sets/1" },
	{ "estimate.contract.json", "choice", "/source" },
	{ "charge-amount.contract.json", "type", "/charges/0/amount" },
	{ "charge-per.contract.json", "choice", "/charges/0/per" },
	{ "charge-name.contract.json", "text", "/charges/0/name" },
	{ "statements.contract.json", "choice", "/statements" },
	{ "huge-commit.contract.json", "range", "/commit_mbps" },
	{ "long-zone.contract.json", "text", "/tz" },
	{ "nobody.policy.json", "missing", "" },
	{ "both.policy.json", "choice", "/interconnects" },
	{ "asks-nothing.policy.json", "out-of-range", "" },
	{ "asn.policy.json", "range", "/peer_asn" },
	{ "limit-string.policy.json", "type", "/ratio/limit" },
	{ "limit-low.policy.json", "out-of-range", "/ratio/limit" },
	{ "limit-high.policy.json", "range", "/ratio/limit" },
	{ "orientation.policy.json", "choice", "/ratio/orientation" },
	{ "metric.policy.json", "choice", "/ratio/metric" },
	{ "bit-mile.policy.json", "choice", "/ratio/metric" },
	{ "window.policy.json", "choice", "/ratio/window" },
	{ "scope.policy.json", "choice", "/ratio/scope" },
	{ "ratio-key.policy.json", "unknown-key", "/ratio/minimum" },
	{ "min-volume.policy.json", "missing", "/min_volume" },
	{ "min-metric.policy.json", "choice", "/min_volume/metric" },
	{ "warn-at.policy.json", "range", "/warn_at" },
	{ "breach-after.policy.json", "range", "/breach_after_periods" },
	{ "notice.policy.json", "range", "/notice_days" },
	{ "checked-on.policy.json", "text", "/checked_on" },
	{ "note.policy.json", "text", "/note" },
	{ "depth.policy.json", "depth", "" },
};

static void path_of(const char *name, char out[static 512])
{
	const char *root = getenv("P4P_SOURCE_ROOT");
	(void)snprintf(out, 512, "%s/%s", root != NULL ? root : ".", name);
}

static char *read_all(const char *name, size_t *size)
{
	enum { ROOM = 1 << 17 };
	char path[512], *text = calloc(1, ROOM);
	path_of(name, path);
	FILE *f = fopen(path, "rb");
	if (f == NULL || text == NULL)
		fail_msg("no %s", path);
	*size = fread(text, 1, ROOM - 1, f);
	(void)fclose(f);
	return text;
}

static enum err parse(const char *name, const char *text, size_t size, struct arena *arena,
                      struct faults *faults)
{
	struct terms_contract *c;
	struct terms_policy *p;
	if (strstr(name, ".contract.") != NULL)
		return terms_contract_parse(text, size, arena, &c, faults);
	return terms_policy_parse(text, size, arena, &p, faults);
}

static void every_bad_document_has_its_one_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char name[128];
		size_t size;
		(void)snprintf(name, sizeof(name), "tests/fixtures/agreements/bad/%s", bad[i].file);
		char *text = read_all(name, &size);
		struct arena *arena = arena_new(TERMS_ARENA);
		struct faults *faults = faults_new();
		const enum err e = parse(name, text, size, arena, faults);
		const struct fault *f = &faults->list[0];
		if (e != ERR_MALFORMED || faults->count != 1 || strcmp(f->kind, bad[i].kind) != 0 ||
		    strcmp(f->where, bad[i].where) != 0)
			fail_msg("%s: %s, %zu faults, %s at \"%s\": %s", bad[i].file, err_name(e),
			         faults->count, f->kind, f->where, f->text);
		faults_free(faults);
		arena_free(arena);
		free(text);
	}
}

static size_t count_files(const char *folder)
{
	char path[512];
	size_t files = 0;
	path_of(folder, path);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		files += strstr(e->d_name, ".json") != NULL;
	(void)closedir(dir);
	return files;
}

static void every_bad_document_is_in_the_table(void **state)
{
	(void)state;
	assert_int_equal(count_files("tests/fixtures/agreements/bad"),
	                 sizeof(bad) / sizeof(bad[0]));
}

/* ---- good ones ---- */

struct desk {
	struct arena *arena;
	struct faults *faults;
	char *text;
	size_t size;
};

static struct desk open_good(const char *name)
{
	char path[128];
	struct desk d = { .arena = arena_new(TERMS_ARENA), .faults = faults_new() };
	(void)snprintf(path, sizeof(path), "tests/fixtures/agreements/good/%s", name);
	d.text = read_all(path, &d.size);
	return d;
}

static void close_good(struct desk *d)
{
	faults_free(d->faults);
	arena_free(d->arena);
	free(d->text);
}

static void assert_money(struct decimal d, const char *text)
{
	char printed[DECIMAL_TEXT_SIZE];
	assert_true(decimal_print(d, printed));
	assert_string_equal(printed, text);
}

static void a_contract_says_what_was_written(void **state)
{
	(void)state;
	struct terms_contract *t;
	struct desk d = open_good("full.contract.json");
	assert_int_equal(terms_contract_parse(d.text, d.size, d.arena, &t, d.faults), ERR_OK);
	const struct contract *c = &t->contract;
	assert_string_equal(t->provider, "isp-a");
	assert_string_equal(t->id, "c-17");
	assert_int_equal(t->interconnects.n, 2);
	assert_string_equal(t->interconnects.name[1], "a-t-1");
	assert_true(t->set[0] == 0 && t->set[1] == 1);
	assert_true(t->has_source && t->source == STORE_COUNTER && t->automatic);
	assert_string_equal(t->note, "renewal on 2027-03-01");
	assert_true(c->model == CONTRACT_COMMIT_BLENDED && c->commit_bps == 5000000000U);
	assert_money(c->unit_price, "0.80");
	assert_money(c->fee, "100.00");
	assert_int_equal(c->n_tiers, 2);
	assert_true(c->tiers[1].from_bps == 12000000000U);
	assert_money(c->tiers[1].price, "0.60");
	assert_string_equal(c->currency, "USD");
	assert_int_equal(c->cycle_day, 15);
	assert_string_equal(c->time_zone, "Europe/Berlin");
	assert_true(c->rule.percentile == 95 && c->rule.rank == RANK_CACTI);
	assert_true(c->rule.combine == COMBINE_SETS && c->rule.missing == MISSING_CARRY);
	assert_true(c->rule.direction == DIRECTION_MAX_PER_SAMPLE);
	assert_int_equal(c->n_charges, 4);
	assert_string_equal(c->charges[0].name, "cross connect, Frankfurt");
	assert_true(c->charges[1].per == CONTRACT_YEAR && c->charges[2].per == CONTRACT_ONCE);
	assert_money(c->charges[3].amount, "-10.00");
	close_good(&d);
}

static void what_a_contract_leaves_out_is_the_usual(void **state)
{
	(void)state;
	struct terms_contract *t;
	struct desk d = open_good("minimal.contract.json");
	assert_int_equal(terms_contract_parse(d.text, d.size, d.arena, &t, d.faults), ERR_OK);
	const struct contract *c = &t->contract;
	assert_false(t->has_source || t->automatic);
	assert_null(t->note);
	assert_string_equal(c->time_zone, "UTC");
	assert_int_equal(c->cycle_day, 1);
	assert_true(c->rule.percentile == 95 && c->rule.rank == RANK_NEAREST);
	assert_true(c->rule.combine == COMBINE_SUM_OF_PEAKS && c->rule.missing == MISSING_DROP);
	assert_true(c->rule.direction == DIRECTION_MAX_IN_OUT);
	close_good(&d);
	d = open_good("flat.contract.json");
	assert_int_equal(terms_contract_parse(d.text, d.size, d.arena, &t, d.faults), ERR_OK);
	assert_true(t->contract.model == CONTRACT_FLAT);
	assert_money(t->contract.fee, "4000");
	close_good(&d);
}

static void a_policy_says_what_was_written(void **state)
{
	(void)state;
	struct terms_policy *t;
	struct desk d = open_good("full.policy.json");
	assert_int_equal(terms_policy_parse(d.text, d.size, d.arena, &t, d.faults), ERR_OK);
	const struct policy *p = &t->policy;
	assert_int_equal(t->peer_asn, 0);
	assert_int_equal(t->interconnects.n, 1);
	assert_true(p->ratio.limit_milli == 500 && p->ratio.orientation == RATIO_IN_OUT);
	assert_int_equal(p->ratio.warn_milli, 900);
	assert_true(p->metric == POLICY_P95 && p->window == POLICY_ROLLING_30D);
	assert_true(p->scope == POLICY_INTERCONNECT);
	assert_true(p->min_bps == 1500000000U && p->min_metric == POLICY_P95_MAX && p->min_more);
	assert_int_equal(p->consecutive_periods, 3);
	assert_int_equal(p->qualify_periods, 3);
	assert_int_equal(p->notice_days, 30);
	assert_string_equal(t->time_zone, "America/New_York");
	assert_string_equal(t->source, "https://example.net/peering");
	assert_string_equal(t->checked_on, "2026-11-21");
	close_good(&d);

	d = open_good("minimal.policy.json");
	assert_int_equal(terms_policy_parse(d.text, d.size, d.arena, &t, d.faults), ERR_OK);
	assert_int_equal(t->peer_asn, 64501);
	assert_true(t->policy.ratio.limit_milli == 1800 && t->policy.ratio.warn_milli == 850);
	assert_true(t->policy.window == POLICY_CALENDAR_MONTH && t->policy.scope == POLICY_PEER);
	assert_int_equal(t->policy.consecutive_periods, 1);
	assert_string_equal(t->time_zone, "UTC");
	close_good(&d);
	d = open_good("volume.policy.json");
	assert_int_equal(terms_policy_parse(d.text, d.size, d.arena, &t, d.faults), ERR_OK);
	assert_true(t->policy.ratio.limit_milli == 0 && t->policy.min_bps == 10000000000U);
	close_good(&d);
}

/* ---- all at once ---- */

static void a_reader_is_told_all_that_is_wrong(void **state)
{
	(void)state;
	static const char document[] =
		"{\"format\":\"p4p-contract/1\",\"provider\":\"isp a\",\"interconnects\":[],"
		"\"model\":\"flatt\",\"commit_mbps\":-1,\"unit_prise\":\"1\",\"currency\":5,"
		"\"tiers\":[{\"from_mbps\":1.5,\"price\":\"x\"}]}";
	static const char *const expected[] = { "unknown-key /unit_prise",
		                                "missing ",
		                                "count /interconnects",
		                                "name /provider",
		                                "choice /model",
		                                "range /commit_mbps",
		                                "range /tiers/0/from_mbps",
		                                "money /tiers/0/price",
		                                "type /currency" };
	struct arena *arena = arena_new(TERMS_ARENA);
	struct faults *faults = faults_new();
	struct terms_contract *t = NULL;
	assert_int_equal(terms_contract_parse(document, sizeof(document) - 1, arena, &t, faults),
	                 ERR_MALFORMED);
	assert_null(t);
	for (size_t k = 0; k < sizeof(expected) / sizeof(expected[0]); k++) {
		bool found = false;
		for (size_t i = 0; i < faults->count; i++) {
			char shown[256];
			(void)snprintf(shown, sizeof(shown), "%s %s", faults->list[i].kind,
			               faults->list[i].where);
			found = found || strcmp(shown, expected[k]) == 0;
		}
		if (!found)
			fail_msg("not told: %s", expected[k]);
	}
	assert_int_equal(faults->count,
	                 sizeof(expected) / sizeof(expected[0]) + 1); /* two are missing */
	faults_free(faults);
	arena_free(arena);
}

static void a_document_has_a_size(void **state)
{
	(void)state;
	char *big = malloc(TERMS_BYTES_MAX + 1);
	struct arena *arena = arena_new(TERMS_ARENA);
	struct faults *faults = faults_new();
	struct terms_policy *t;
	memset(big, ' ', TERMS_BYTES_MAX + 1);
	assert_int_equal(terms_policy_parse(big, TERMS_BYTES_MAX + 1, arena, &t, faults),
	                 ERR_MALFORMED);
	assert_string_equal(faults->list[0].kind, "size");
	faults_free(faults);
	arena_free(arena);
	free(big);
}

/* The schemas offer the very words that the engine has. */
static void the_schemas_know_every_word(void **state)
{
	(void)state;
	static const struct {
		const char *schema;
		const char *const *words;
	} rows[] = {
		{ "schema/contract.schema.json", contract_model_names },
		{ "schema/contract.schema.json", contract_per_names },
		{ "schema/contract.schema.json", rank_method_names },
		{ "schema/contract.schema.json", percentile_combine_names },
		{ "schema/contract.schema.json", percentile_direction_names },
		{ "schema/contract.schema.json", percentile_missing_names },
		{ "schema/policy.schema.json", ratio_orientation_names },
		{ "schema/policy.schema.json", policy_metric_names },
		{ "schema/policy.schema.json", policy_window_names },
		{ "schema/policy.schema.json", policy_scope_names },
		{ "schema/policy.schema.json", policy_volume_names },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t size;
		char *schema = read_all(rows[i].schema, &size);
		for (size_t k = 0; rows[i].words[k] != NULL; k++) {
			char quoted[64];
			(void)snprintf(quoted, sizeof(quoted), "\"%s\"", rows[i].words[k]);
			if (strstr(schema, quoted) == NULL)
				fail_msg("%s: %s is missing", rows[i].schema, quoted);
		}
		free(schema);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_bad_document_has_its_one_fault),
	cmocka_unit_test(every_bad_document_is_in_the_table),
	cmocka_unit_test(a_contract_says_what_was_written),
	cmocka_unit_test(what_a_contract_leaves_out_is_the_usual),
	cmocka_unit_test(a_policy_says_what_was_written),
	cmocka_unit_test(a_reader_is_told_all_that_is_wrong),
	cmocka_unit_test(a_document_has_a_size),
	cmocka_unit_test(the_schemas_know_every_word),
};

RUN_TESTS(tests)
