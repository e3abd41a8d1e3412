/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "server/maps/maps.h"
#include "tests/support/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One daemon's share: a state folder, an office, a store on the common database. */
struct side {
	char dir[32];
	struct map_office *office;
	struct store *store;
	struct maps *maps;
	struct map_lease lease;
	maps_census_fn *census;
};

static const char *database;

static void open_maps(struct side *s)
{
	struct fault f;
	const struct maps_options o = { .state_dir = s->dir,
		                        .lab = true,
		                        .store = s->store,
		                        .office = s->office,
		                        .census = s->census };
	assert_int_equal(maps_new(&o, &s->maps, &f), ERR_OK);
	assert_int_equal(maps_load(s->maps, &f), ERR_OK);
}

static void open_side(struct side *s)
{
	*s = (struct side){ .dir = "/tmp/p4pd-maps-XXXXXX" };
	assert_non_null(mkdtemp(s->dir));
	s->office = map_office_new(snapshot_free);
	assert_non_null(s->office);
	s->store = db_store(database);
	open_maps(s);
}

static void close_side(struct side *s)
{
	char command[64];
	maps_free(s->maps);
	map_end(&s->lease);
	map_office_free(s->office);
	store_free(s->store);
	(void)snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	assert_int_equal(system(command), 0);
}

static int new_database(void **state)
{
	(void)state;
	database = db_new();
	return 0;
}

static const char *topology(const char *provider, unsigned asn, const char *prefix)
{
	static char text[512];
	(void)snprintf(text, sizeof(text),
	               "{\"format\":\"p4p-topology/1\",\"provider\":\"%s\",\"asns\":[%u],"
	               "\"pids\":[{\"pid\":\"%s-1\",\"prefixes\":[\"%s\"]}],"
	               "\"interconnects\":[{\"id\":\"t\",\"pid\":\"%s-1\",\"neighbor_asn\":64510,"
	               "\"relation\":\"transit\",\"capacity_mbps\":100,\"reach\":\"any\"}]}",
	               provider, asn, provider, prefix, provider);
	return text;
}

/* What the last put() or activate() said. */
static struct maps_change change;
static char said[1024]; /* "kind /where" of each fault, with a blank between them */
static size_t n_warnings;

static enum err finish(enum err e, struct faults *faults)
{
	size_t n = 0;
	said[0] = '\0';
	for (size_t i = 0; i < faults->count && n < sizeof(said); i++)
		n += (size_t)snprintf(said + n, sizeof(said) - n, "%s%s %s", i > 0 ? " " : "",
		                      faults->list[i].kind, faults->list[i].where);
	n_warnings = change.warnings->count;
	faults_free(faults);
	faults_free(change.warnings);
	text_done(&change.impact);
	return e;
}

static enum err put(struct side *s, const char *provider, enum store_kind kind, const char *text,
                    bool dry_run)
{
	struct faults *faults = faults_new();
	change = (struct maps_change){ .warnings = faults_new() };
	const struct maps_document d = { .provider = provider,
		                         .kind = kind,
		                         .body = text,
		                         .size = strlen(text),
		                         .author = "alice" };
	return finish(maps_upload(s->maps, &d, dry_run, &change, faults), faults);
}

static enum err activate(struct side *s, const char *provider, uint64_t version)
{
	struct faults *faults = faults_new();
	change = (struct maps_change){ .warnings = faults_new() };
	const struct maps_activation a = {
		.provider = provider, .author = "bob", .version = version, .watch_seconds = -1
	};
	return finish(maps_activate(s->maps, &a, &change, faults), faults);
}

static bool knows(struct side *s, const char *address)
{
	struct ip_addr a;
	assert_int_equal(ip_parse(address, &a), ERR_OK);
	return snapshot_locate(map_renew(s->office, &s->lease), &a) != PLACE_UNKNOWN;
}

static void an_upload_comes_into_force_and_a_fault_does_not(void **state)
{
	(void)state;
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_int_equal(change.version, 1);
	assert_int_equal(change.prefixes_added, 1);
	assert_true(knows(&s, "10.1.2.3"));

	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.1/16"), false),
		ERR_MALFORMED);
	assert_string_equal(said, "host-bits /pids/0/prefixes/0");
	assert_int_equal(
		put(&s, "isp-b", STORE_TOPOLOGY, topology("isp-b", 64502, "10.1.7.0/24"), false),
		ERR_MALFORMED); /* inside isp-a's */
	assert_int_equal(
		put(&s, "isp-b", STORE_TOPOLOGY, topology("isp-c", 64502, "10.2.0.0/16"), false),
		ERR_MALFORMED);
	assert_string_equal(said, "provider /provider");
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, "{", false), ERR_MALFORMED);
	assert_true(knows(&s, "10.1.2.3"));
	assert_int_equal(maps_stats(s.maps).publications, 1);
	close_side(&s);
}

static void one_answer_names_the_faults_of_every_stage(void **state)
{
	(void)state;
	static const struct {
		const char *provider, *prefixes, *pid, *faults;
	} rows[] = {
		{ "isp-b", "\"10.2.0.1/16\", \"10.1.7.0/24\"", "nowhere",
		  "host-bits /pids/0/prefixes/0 unknown-pid /interconnects/0/pid "
		  "overlap /pids/0/prefixes/1" },
		{ "isp b", "\"10.1.0.0/16\", \"10.2.0.0/16\"", "nowhere",
		  "name /provider unknown-pid /interconnects/0/pid taken /pids/0/prefixes/0" },
		{ "isp-bb", "\"10.1.0.0/16\", \"10.2.0.0/16\", \"x\"", "b",
		  "prefix /pids/0/prefixes/2 provider /provider taken /pids/0/prefixes/0" },
		/* Its own version in force is no other, nor is that of the one it names. */
		{ "isp b", "\"10.2.0.0/16\"", "b", "name /provider" },
		{ "isp-bb", "\"10.2.0.0/16\"", "b", "provider /provider" },
		{ "isp-a", "\"10.1.0.0/16\"", "b", "provider /provider" },
	};
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_int_equal(
		put(&s, "isp-b", STORE_TOPOLOGY, topology("isp-b", 64502, "10.2.0.0/16"), false),
		ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];
		(void)snprintf(
			text, sizeof(text),
			"{\"format\":\"p4p-topology/1\",\"provider\":\"%s\",\"asns\":[64502],"
			"\"pids\":[{\"pid\":\"b\",\"prefixes\":[%s]}],"
			"\"interconnects\":[{\"id\":\"t\",\"pid\":\"%s\",\"neighbor_asn\":"
			"64510,\"relation\":\"transit\"}]}",
			rows[i].provider, rows[i].prefixes, rows[i].pid);
		assert_int_equal(put(&s, "isp-b", STORE_TOPOLOGY, text, i % 2), ERR_MALFORMED);
		assert_string_equal(said, rows[i].faults);
	}
	assert_int_equal(maps_stats(s.maps).publications, 2);
	close_side(&s);
}

static void one_answer_names_all_faults_of_costs(void **state)
{
	(void)state;
	static const struct {
		const char *named, *faults;
	} rows[] = {
		{ "isp-a",
		  "range /interconnect_costs/t/out unknown-interconnect /interconnect_costs/u" },
		{ "isp a", "name /provider range /interconnect_costs/t/out "
		           "unknown-interconnect /interconnect_costs/u" },
		{ "isp-aa", "range /interconnect_costs/t/out provider /provider "
		            "unknown-interconnect /interconnect_costs/u" },
		{ "isp-b", "range /interconnect_costs/t/out provider /provider" },
	};
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_int_equal(
		put(&s, "isp-b", STORE_TOPOLOGY, topology("isp-b", 64502, "10.2.0.0/16"), false),
		ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text),
		               "{\"format\":\"p4p-costs/1\",\"provider\":\"%s\","
		               "\"interconnect_costs\":{\"t\":{\"out\":-7,\"in\":8},"
		               "\"u\":{\"out\":7,\"in\":8}}}",
		               rows[i].named);
		assert_int_equal(put(&s, "isp-a", STORE_COSTS, text, false), ERR_MALFORMED);
		assert_string_equal(said, rows[i].faults);
		assert_int_equal(put(&s, "isp-c", STORE_COSTS, text, false), ERR_MALFORMED);
	}
	close_side(&s);
}

static void a_dry_run_stores_nothing_and_tells_what_would_change(void **state)
{
	(void)state;
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.4.0.0/16"), true),
		ERR_OK);
	assert_int_equal(change.version, 0);
	assert_int_equal(change.prefixes_added, 1);
	assert_int_equal(change.prefixes_removed, 1);
	assert_int_equal(change.pids_added, 0);
	assert_false(knows(&s, "10.4.0.1"));
	assert_true(knows(&s, "10.1.0.1"));
	close_side(&s);
}

static void tells_changes_of_pids_and_links(void **state)
{
	(void)state;
	static const char form[] =
		"{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64501],"
		"\"pids\":[{\"pid\":\"x\",\"prefixes\":[\"10.1.0.0/16\"],\"uploads\":\"%s\"},"
		"{\"pid\":\"y\"}],\"links\":[{\"id\":\"l\",\"a\":\"x\",\"b\":\"y\","
		"\"weight\":%d}],\"interconnects\":[]}";
	char text[512];
	struct side s;
	open_side(&s);
	(void)snprintf(text, sizeof(text), form, "normal", 1);
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, text, false), ERR_OK);
	assert_int_equal(change.links_added, 1);
	(void)snprintf(text, sizeof(text), form, "never", 1);
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, text, true), ERR_OK);
	assert_int_equal(change.pids_changed, 1);
	assert_int_equal(change.links_changed, 0);
	(void)snprintf(text, sizeof(text), form, "normal", 9);
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, text, true), ERR_OK);
	assert_int_equal(change.pids_changed, 0);
	assert_int_equal(change.links_changed, 1);
	close_side(&s);
}

static void the_same_document_again_makes_no_new_version(void **state)
{
	(void)state;
	struct side s;
	open_side(&s);
	const char *text = topology("isp-a", 64501, "10.1.0.0/16");
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, text, false), ERR_OK);
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, text, false), ERR_OK);
	assert_true(change.unchanged);
	assert_int_equal(change.version, 1);
	close_side(&s);
}

static void an_old_version_comes_back(void **state)
{
	(void)state;
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.4.0.0/16"), false),
		ERR_OK);
	assert_false(knows(&s, "10.1.0.1"));
	assert_int_equal(activate(&s, "isp-a", 1), ERR_OK);
	assert_true(knows(&s, "10.1.0.1"));
	assert_int_equal(activate(&s, "isp-a", 9), ERR_NOT_FOUND);
	close_side(&s);
}

static void costs_want_a_topology_and_stale_ones_are_told(void **state)
{
	(void)state;
	static const char costs[] = "{\"format\":\"p4p-costs/1\",\"provider\":\"isp-a\","
				    "\"interconnect_costs\":{\"t\":{\"out\":7,\"in\":8}}}";
	static char other[512];
	struct side s;
	open_side(&s);
	assert_int_equal(put(&s, "isp-a", STORE_COSTS, costs, false), ERR_NOT_FOUND);
	(void)snprintf(other, sizeof(other), "%s", topology("isp-a", 64501, "10.1.0.0/16"));
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, other, false), ERR_OK);
	assert_int_equal(put(&s, "isp-a", STORE_COSTS, costs, false), ERR_OK);
	assert_int_equal(change.costs_changed, 2);
	memcpy(strstr(other, "\"id\":\"t\"") + 6, "u", 1);
	assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, other, false), ERR_OK);
	assert_int_equal(n_warnings, 2); /* and that an interconnect goes */
	close_side(&s);
}

static enum err roll_back_from(struct side *s, const char *expected)
{
	struct faults *faults = faults_new();
	change = (struct maps_change){ .warnings = faults_new() };
	const struct maps_return r = { .provider = "isp-a", .author = "bob", .expected = expected };
	return finish(maps_roll_back(s->maps, &r, &change, faults), faults);
}

static enum err roll_back(struct side *s)
{
	return roll_back_from(s, NULL);
}

static size_t versions(struct side *s)
{
	struct store_version *list;
	size_t n;
	assert_int_equal(store_versions(s->store, "isp-a", &list, &n), ERR_OK);
	free(list);
	return n;
}

static uint64_t in_force(struct side *s, enum store_kind kind)
{
	struct store_document d;
	assert_int_equal(store_document(s->store, "isp-a", kind, 0, &d), ERR_OK);
	const uint64_t version = d.about.version;
	store_document_done(&d);
	return version;
}

static void first_costs_are_rolled_back_to_none(void **state)
{
	(void)state;
	static const char costs[] = "{\"format\":\"p4p-costs/1\",\"provider\":\"isp-a\","
				    "\"interconnect_costs\":{\"t\":{\"out\":7,\"in\":8}}}";
	struct side s;
	struct store_document d;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_int_equal(roll_back(&s), ERR_NOT_FOUND);
	assert_int_equal(put(&s, "isp-a", STORE_COSTS, costs, false), ERR_OK);
	assert_int_equal(roll_back_from(&s, "7"), ERR_DENIED);
	assert_int_equal(versions(&s), 2); /* no draft was left */
	assert_int_equal(roll_back(&s), ERR_OK);
	assert_int_equal(change.version, 3);
	assert_int_equal(in_force(&s, STORE_COSTS), 3);
	assert_int_equal(change.costs_changed, 2); /* of the interconnect, both ways */
	assert_int_equal(store_document(s.store, "isp-a", STORE_COSTS, 0, &d), ERR_OK);
	assert_string_equal(d.body, "{\"format\":\"p4p-costs/1\",\"provider\":\"isp-a\"}\n");
	store_document_done(&d);
	assert_int_equal(roll_back(&s), ERR_NOT_FOUND);
	close_side(&s);
}

static uint64_t draft(struct side *s, enum store_kind kind, const char *text)
{
	struct faults *faults = faults_new();
	change = (struct maps_change){ .warnings = faults_new() };
	const struct maps_document d = { .provider = "isp-a",
		                         .kind = kind,
		                         .body = text,
		                         .size = strlen(text),
		                         .author = "alice",
		                         .draft = true };
	assert_int_equal(finish(maps_upload(s->maps, &d, false, &change, faults), faults), ERR_OK);
	return change.version;
}

static void costs_that_say_as_much_as_none_stay(void **state)
{
	(void)state;
	static const char none[] = "{\"format\":\"p4p-costs/1\",\"provider\":\"isp-a\"}\n";
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	const uint64_t t = draft(&s, STORE_TOPOLOGY, topology("isp-a", 64501, "10.2.0.0/16"));
	const uint64_t c = draft(&s, STORE_COSTS, none);
	struct faults *faults = faults_new();
	change = (struct maps_change){ .warnings = faults_new() };
	const struct maps_activation both = {
		.provider = "isp-a", .author = "bob", .version = t, .also = c, .force = true
	};
	assert_int_equal(finish(maps_activate(s.maps, &both, &change, faults), faults), ERR_OK);
	assert_true(knows(&s, "10.2.0.1"));
	assert_int_equal(roll_back(&s), ERR_OK);
	assert_true(knows(&s, "10.1.0.1") && !knows(&s, "10.2.0.1"));
	assert_int_equal(in_force(&s, STORE_TOPOLOGY), 1);
	assert_int_equal(in_force(&s, STORE_COSTS), c);
	assert_int_equal(versions(&s), 3);
	assert_int_equal(roll_back(&s), ERR_NOT_FOUND);
	close_side(&s);
}

static void a_half_read_topology_is_refused_beside_costs(void **state)
{
	(void)state;
	static const char costs[] = "{\"format\":\"p4p-costs/1\",\"provider\":\"isp-a\","
				    "\"pid_costs\":{\"isp-a-1\":{\"isp-a-1\":3}}}";
	static const struct row {
		const char *document, *said;
	} rows[] = {
		{ "{\"format\":\"p4p-topology/1\",\"asns\":[64501],\"pids\":[{\"pid\":\"a\"}]}",
		  "missing " },
		{ "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64501]}",
		  "missing " },
		{ "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64501],"
		  "\"pids\":[{}],\"interconnects\":[{}]}",
		  NULL },
		{ "{}", NULL },
	};
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_int_equal(put(&s, "isp-a", STORE_COSTS, costs, false), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(put(&s, "isp-a", STORE_TOPOLOGY, rows[i].document, false),
		                 ERR_MALFORMED);
		if (rows[i].said != NULL)
			assert_string_equal(said, rows[i].said);
		assert_int_equal(n_warnings, 0); /* of costs that are as good as before */
		assert_true(knows(&s, "10.1.0.1"));
	}
	close_side(&s);
}

static void a_start_without_the_database_uses_the_copies(void **state)
{
	(void)state;
	struct side s;
	open_side(&s);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	maps_free(s.maps);
	map_end(&s.lease);
	map_office_free(s.office);
	store_free(s.store);
	s.office = map_office_new(snapshot_free);
	s.store = db_store(database);
	db_server("stop");
	open_maps(&s);
	assert_true(knows(&s, "10.1.2.3"));
	bool changed;
	assert_int_equal(maps_sync(s.maps, &changed), ERR_AWAY);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.4.0.0/16"), false),
		ERR_AWAY);
	assert_int_equal(
		put(&s, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.4.0.0/16"), true),
		ERR_OK); /* a dry run needs no database */
	db_server("start");
	assert_true(knows(&s, "10.1.2.3"));
	close_side(&s);
}

static void another_daemon_follows(void **state)
{
	(void)state;
	struct side one, two;
	bool changed;
	open_side(&one);
	open_side(&two);
	assert_int_equal(
		put(&one, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	assert_false(knows(&two, "10.1.2.3"));
	assert_int_equal(maps_sync(two.maps, &changed), ERR_OK);
	assert_true(changed);
	assert_true(knows(&two, "10.1.2.3"));
	assert_int_equal(maps_sync(two.maps, &changed), ERR_OK);
	assert_false(changed);
	/* An upload sees the others' newest documents even before it was told of them. */
	assert_int_equal(
		put(&two, "isp-b", STORE_TOPOLOGY, topology("isp-b", 64502, "10.2.0.0/16"), false),
		ERR_OK);
	assert_int_equal(
		put(&one, "isp-c", STORE_TOPOLOGY, topology("isp-c", 64503, "10.2.0.0/16"), false),
		ERR_MALFORMED);
	close_side(&one);
	close_side(&two);
}

/* Does its upload while another's is checked already, and not yet stored. */
static struct side *rival;

static const char *wanted; /* by the rival */

static enum err be_first(void *ctx, const struct map_snapshot *before,
                         const struct map_snapshot *after, struct replay *out)
{
	(void)ctx;
	(void)before;
	(void)after;
	(void)out;
	struct side *r = rival;
	rival = NULL;
	if (r == NULL)
		return ERR_OK;
	struct faults *faults = faults_new();
	struct maps_change about = { .warnings = faults_new() };
	const char *body = topology("isp-b", 64502, wanted);
	const struct maps_document d = { .provider = "isp-b",
		                         .kind = STORE_TOPOLOGY,
		                         .body = body,
		                         .size = strlen(body),
		                         .author = "bob" };
	assert_int_equal(maps_upload(r->maps, &d, false, &about, faults), ERR_OK);
	faults_free(about.warnings);
	faults_free(faults);
	return ERR_OK;
}

static void of_two_daemons_only_one_takes_what_does_not_go_together(void **state)
{
	(void)state;
	struct side one, two;
	bool changed;
	char mine[512];
	open_side(&two);
	open_side(&one);
	maps_free(one.maps);
	one.census = be_first;
	open_maps(&one);
	(void)snprintf(mine, sizeof(mine), "%s", topology("isp-a", 64501, "10.1.0.0/16"));
	wanted = "10.1.0.0/16";
	rival = &two;
	assert_int_equal(put(&one, "isp-a", STORE_TOPOLOGY, mine, false), ERR_MALFORMED);
	assert_string_equal(said, "taken /pids/0/prefixes/0");
	assert_int_equal(maps_sync(two.maps, &changed), ERR_OK);
	(void)snprintf(mine, sizeof(mine), "%s", topology("isp-a", 64501, "10.9.0.0/16"));
	wanted = "10.2.0.0/16"; /* goes together with it: it is checked again, and that is all */
	rival = &two;
	assert_int_equal(put(&one, "isp-a", STORE_TOPOLOGY, mine, false), ERR_OK);
	assert_int_equal(change.pids_added, 1);
	assert_int_equal(n_warnings, 0);
	assert_true(knows(&one, "10.9.0.1") && knows(&one, "10.2.0.1"));
	close_side(&one);
	close_side(&two);
}

static void what_does_not_compile_is_tried_again_and_can_be_put_right(void **state)
{
	(void)state;
	struct side a;
	bool changed;
	char sha256[65];
	memset(sha256, 'f', 64);
	sha256[64] = '\0';
	open_side(&a);
	assert_int_equal(
		put(&a, "isp-a", STORE_TOPOLOGY, topology("isp-a", 64501, "10.1.0.0/16"), false),
		ERR_OK);
	/* No daemon of ours would have stored it: its PIDs are another provider's. */
	const char *body = topology("isp-a", 64502, "10.2.0.0/16");
	const struct store_upload bad = { .provider = "isp-b",
		                          .kind = STORE_TOPOLOGY,
		                          .body = body,
		                          .size = strlen(body),
		                          .sha256 = sha256,
		                          .author = "mallory" };
	uint64_t version;
	assert_int_equal(store_upload(a.store, &bad, &version), ERR_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(maps_sync(a.maps, &changed), ERR_SYSTEM);
		assert_false(changed);
		assert_true(knows(&a, "10.1.2.3"));
	}
	assert_int_equal(
		put(&a, "isp-b", STORE_TOPOLOGY, topology("isp-b", 64503, "10.3.0.0/16"), false),
		ERR_OK);
	assert_int_equal(maps_sync(a.maps, &changed), ERR_OK);
	assert_true(knows(&a, "10.3.2.3"));
	close_side(&a);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(an_upload_comes_into_force_and_a_fault_does_not, new_database),
	cmocka_unit_test_setup(one_answer_names_the_faults_of_every_stage, new_database),
	cmocka_unit_test_setup(one_answer_names_all_faults_of_costs, new_database),
	cmocka_unit_test_setup(a_dry_run_stores_nothing_and_tells_what_would_change, new_database),
	cmocka_unit_test_setup(tells_changes_of_pids_and_links, new_database),
	cmocka_unit_test_setup(the_same_document_again_makes_no_new_version, new_database),
	cmocka_unit_test_setup(an_old_version_comes_back, new_database),
	cmocka_unit_test_setup(costs_want_a_topology_and_stale_ones_are_told, new_database),
	cmocka_unit_test_setup(first_costs_are_rolled_back_to_none, new_database),
	cmocka_unit_test_setup(costs_that_say_as_much_as_none_stay, new_database),
	cmocka_unit_test_setup(a_half_read_topology_is_refused_beside_costs, new_database),
	cmocka_unit_test_setup(a_start_without_the_database_uses_the_copies, new_database),
	cmocka_unit_test_setup(another_daemon_follows, new_database),
	cmocka_unit_test_setup(of_two_daemons_only_one_takes_what_does_not_go_together,
	                       new_database),
	cmocka_unit_test_setup(what_does_not_compile_is_tried_again_and_can_be_put_right,
	                       new_database),
};

RUN_TESTS(tests)
