/* SPDX-License-Identifier: Apache-2.0 */
#include "server/maps/impact.h"
#include "tests/support/db.h"
#include "tests/unit/map/documents.h"

#include "server/store/matrix.h"

/* isp-a with its two prefixes in PIDs of these names. */
static const char *form(const char *first, const char *second)
{
	static char text[512];
	(void)snprintf(text, sizeof(text),
	               "{\"format\":\"p4p-topology/1\",\"provider\":\"isp-a\",\"asns\":[64501],"
	               "\"pids\":[{\"pid\":\"%s\",\"prefixes\":[\"10.1.0.0/16\"]},"
	               "{\"pid\":\"%s\",\"prefixes\":[\"10.2.0.0/16\"]}],\"interconnects\":["
	               "{\"id\":\"t\",\"pid\":\"%s\",\"neighbor_asn\":64510,\"relation\":"
	               "\"transit\",\"reach\":\"any\"}]}",
	               first, second, first);
	return text;
}

static struct map_snapshot *compile(const struct map_topology *t)
{
	const struct map_source source = { .topology = t };
	struct map_snapshot *s;
	assert_int_equal(map_compile(&source, 1, &s, NULL), ERR_OK);
	return s;
}

/* Ten peers at 10.1.0.1; `ctx` is how many more at 10.2.0.1. */
static enum err count(void *ctx, const struct map_snapshot *before,
                      const struct map_snapshot *after, struct replay *out)
{
	const struct ip_addr one = ip_v4(0x0a010001), two = ip_v4(0x0a020001);
	const enum err e =
		replay_peers(out, snapshot_locate(before, &one), snapshot_locate(after, &one), 10);
	return e != ERR_OK ? e
	                   : replay_peers(out, snapshot_locate(before, &two),
	                                  snapshot_locate(after, &two), *(const unsigned *)ctx);
}

struct scene {
	struct desk d;
	const struct map_topology *before, *now;
	struct maps_options o;
	struct impact impact;
	unsigned others;
};

static void begin(struct scene *s, struct store *store, const char *old, const char *now)
{
	*s = (struct scene){ .d = desk_new(), .others = 30 };
	s->o = (struct maps_options){ .store = store,
		                      .office = map_office_new(snapshot_free),
		                      .census = count,
		                      .census_ctx = &s->others };
	s->before = old != NULL ? topology(&s->d, old) : NULL;
	if (old != NULL)
		assert_int_equal(map_publish(s->o.office, compile(s->before)), ERR_OK);
	s->now = topology(&s->d, now);
	struct impact_move moves = { .before = s->before, .now = s->now };
	struct map_prefix_counts counts;
	assert_int_equal(map_overlaps(s->before, s->now, &moves.list, &moves.n, &counts), ERR_OK);
	assert_int_equal(impact_begin(&s->impact, &s->o, "isp-a", compile(s->now), &moves), ERR_OK);
	free(moves.list);
}

static void end(struct scene *s)
{
	impact_done(&s->impact);
	map_office_free(s->o.office);
	desk_free(&s->d);
}

static void guards_get_what_the_census_counts(void **state)
{
	(void)state;
	char old[512];
	struct scene s;
	struct guard_facts facts = GUARD_NOTHING;
	(void)snprintf(old, sizeof(old), "%s", form("a", "b"));
	begin(&s, NULL, old, form("a", "c"));
	assert_int_equal(impact_count(&s.impact, &facts), ERR_OK);
	assert_true(facts.peers_moved > 74.9 && facts.peers_moved < 75.1);
	assert_true(facts.default_points > -0.1 && facts.default_points < 0.1);
	end(&s);

	facts = GUARD_NOTHING; /* a first map moves everybody, and is meant to */
	begin(&s, NULL, NULL, form("a", "c"));
	assert_int_equal(impact_count(&s.impact, &facts), ERR_OK);
	assert_true(isnan(facts.peers_moved));
	end(&s);

	begin(&s, NULL, old, form("a", "c"));
	s.o.census = NULL;
	assert_int_equal(impact_count(&s.impact, &facts), ERR_OK);
	assert_true(isnan(facts.peers_moved));
	end(&s);
}

static void put_bytes(struct store *store, int64_t start)
{
	struct store_cell c[] = { { .provider = "isp-a",
		                    .interconnect = "t",
		                    .direction = STORE_OUT,
		                    .from = "pid:isp-a/b",
		                    .to = "",
		                    .tier = TIER_TRANSIT,
		                    .bytes = 600 },
		                  { .provider = "isp-a",
		                    .interconnect = "t",
		                    .direction = STORE_IN,
		                    .from = "as:9",
		                    .to = "pid:isp-a/a",
		                    .tier = TIER_TRANSIT,
		                    .bytes = 300 },
		                  { .provider = "isp-a",
		                    .direction = STORE_INSIDE,
		                    .from = "pid:isp-a/a",
		                    .to = "pid:isp-a/b",
		                    .bytes = 100 } };
	const struct store_matrix_bin bin = {
		.start = start, .seconds = 300, .observed_seconds = 300, .cells = c, .n_cells = 3
	};
	assert_int_equal(store_matrix_put(store, "n", &bin), ERR_OK);
}

static void expect(const struct text *t, const char *part)
{
	if (t->bytes == NULL || strstr(t->bytes, part) == NULL)
		fail_msg("no %s in %s", part, t->bytes != NULL ? t->bytes : "nothing");
}

static void a_day_is_told_on_both_maps(void **state)
{
	(void)state;
	enum { NOW = 1793491200 };
	char old[512];
	struct scene s;
	struct guard_facts facts;
	struct text t = { 0 };
	struct store *store = db_store(NULL);
	put_bytes(store, NOW - 600);
	put_bytes(store, NOW - 100000); /* too old */
	(void)snprintf(old, sizeof(old), "%s", form("a", "b"));
	begin(&s, store, old, form("a", "c"));
	assert_int_equal(impact_count(&s.impact, &facts), ERR_OK);
	assert_int_equal(impact_tell(&s.impact, 10, NOW, &t), ERR_OK);
	expect(&t, ",\"live\":{\"peers\":40,\"moved\":30,\"moved_percent\":75.000,");
	expect(&t, "\"bins_known\":1,\"all\":1000,\"changed\":700,\"changed_percent\":70.000,"
	           "\"unplaced\":300,\"before\":{\"local_bytes\":100,\"local_share\":0.100000,"
	           "\"out_bytes\":600,\"in_bytes\":300,\"ratio\":2.000000,");
	expect(&t, "\"interconnects\":[{\"interconnect\":\"t\",\"neighbor_asn\":64510,"
	           "\"relation\":\"transit\",\"before\":{\"out_bytes\":600,\"in_bytes\":300,"
	           "\"ratio\":2.000000},\"after\":{\"out_bytes\":600,\"in_bytes\":300,"
	           "\"ratio\":2.000000}}],\"more\":0}");
	end(&s);
	text_done(&t);
	store_free(store);
}

static void what_nobody_knows_is_null(void **state)
{
	(void)state;
	struct scene s;
	struct text t = { 0 };
	struct store *store = db_store(NULL);
	begin(&s, store, NULL, form("a", "b"));
	assert_int_equal(impact_tell(&s.impact, 10, 1793491200, &t), ERR_OK);
	expect(&t, ",\"live\":null,\"live_missing\":\"this server has no tracker");
	expect(&t, ",\"bytes\":null,\"bytes_missing\":\"no map was in force\"");
	end(&s);
	text_done(&t);
	store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guards_get_what_the_census_counts),
		cmocka_unit_test(a_day_is_told_on_both_maps),
		cmocka_unit_test(what_nobody_knows_is_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
