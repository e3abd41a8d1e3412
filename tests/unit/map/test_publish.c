/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/map/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct map_snapshot {
	unsigned alive;
};

static atomic_uint freed;

static struct map_snapshot *snapshot(void)
{
	struct map_snapshot *s = malloc(sizeof(*s));
	assert_non_null(s);
	s->alive = 0xa11ce;
	return s;
}

static void free_snapshot(struct map_snapshot *s)
{
	s->alive = 0;
	free(s);
	atomic_fetch_add(&freed, 1);
}

static int reset(void **state)
{
	(void)state;
	atomic_store(&freed, 0);
	return 0;
}

static void a_lease_keeps_its_map_until_renewed_and_reaped(void **state)
{
	(void)state;
	struct map_office *office = map_office_new(free_snapshot);
	struct map_lease lease = { 0 };
	struct map_snapshot *first = snapshot(), *second = snapshot();

	assert_null(map_renew(office, &lease));
	assert_int_equal(map_publish(office, first), ERR_OK);
	assert_ptr_equal(map_renew(office, &lease), first);

	assert_int_equal(map_publish(office, second), ERR_OK);
	assert_ptr_equal(lease.map, first);
	map_reap(office);
	assert_int_equal(atomic_load(&freed), 0);

	assert_ptr_equal(map_renew(office, &lease), second);
	assert_int_equal(atomic_load(&freed), 0); /* a worker has no time for it */
	map_reap(office);
	assert_int_equal(atomic_load(&freed), 1);

	map_end(&lease);
	map_reap(office);
	assert_int_equal(atomic_load(&freed), 1);
	map_office_free(office);
	assert_int_equal(atomic_load(&freed), 2);
}

static void a_shared_lease_outlives_its_original(void **state)
{
	(void)state;
	struct map_office *office = map_office_new(free_snapshot);
	struct map_lease lease = { 0 }, copy = { 0 };
	struct map_snapshot *first = snapshot();

	map_share(&lease, &copy); /* of nothing: nothing */
	assert_null(copy.map);
	assert_int_equal(map_publish(office, first), ERR_OK);
	assert_ptr_equal(map_renew(office, &lease), first);
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	map_share(&lease, &copy);
	assert_ptr_equal(copy.map, first);
	assert_int_equal(copy.number, 1);

	assert_ptr_not_equal(map_renew(office, &lease), first);
	map_reap(office);
	assert_int_equal(atomic_load(&freed), 0);
	map_end(&copy);
	map_reap(office);
	assert_int_equal(atomic_load(&freed), 1);
	map_end(&lease);
	map_office_free(office);
}

static void new_prices_keep_the_number_of_their_map(void **state)
{
	(void)state;
	struct map_office *office = map_office_new(free_snapshot);
	struct map_lease lease = { 0 }, pricer = { 0 };
	struct map_snapshot *cheap = snapshot(), *dear = snapshot(), *late = snapshot();
	assert_int_equal(map_publish(office, cheap), ERR_OK);
	(void)map_renew(office, &lease);
	(void)map_renew(office, &pricer);
	assert_int_equal(map_publish_prices(office, &pricer, dear), ERR_OK);
	assert_ptr_equal(lease.map, cheap);
	assert_ptr_equal(map_renew(office, &lease), dear);
	assert_int_equal(lease.number, 1);
	assert_ptr_equal(map_renew(office, &lease), dear);

	/* Prices for a map that is not in force any more are of no use. */
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	assert_int_equal(map_publish_prices(office, &pricer, late), ERR_EXISTS);
	(void)map_renew(office, &lease);
	assert_int_equal(lease.number, 2);
	free_snapshot(late);
	map_end(&lease);
	map_end(&pricer);
	map_office_free(office);
	assert_int_equal(atomic_load(&freed), 4);
}

static void an_unread_map_is_freed_at_once(void **state)
{
	(void)state;
	struct map_office *office = map_office_new(free_snapshot);
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	assert_int_equal(atomic_load(&freed), 1);
	map_office_free(office);
}

static void a_map_between_others_is_freed_before_them(void **state)
{
	(void)state;
	struct map_office *office = map_office_new(free_snapshot);
	struct map_lease oldest = { 0 }, middle = { 0 };
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	(void)map_renew(office, &oldest);
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	(void)map_renew(office, &middle);
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	map_end(&middle);
	map_reap(office);
	assert_int_equal(atomic_load(&freed), 1);
	assert_int_equal(oldest.map->alive, 0xa11ce);
	map_end(&oldest);
	map_office_free(office);
	assert_int_equal(atomic_load(&freed), 3);
}

struct worker {
	struct map_office *office;
	pthread_t thread;
	size_t wrong;
};

static atomic_bool stop;

static void *renew_for_ever(void *arg)
{
	struct worker *w = arg;
	struct map_lease lease = { 0 };
	while (!atomic_load(&stop))
		w->wrong += map_renew(w->office, &lease)->alive != 0xa11ce;
	map_end(&lease);
	return NULL;
}

static void many_workers_see_only_living_maps(void **state)
{
	(void)state;
	enum { WORKERS = 3, MAPS = 500 };
	struct worker workers[WORKERS] = { 0 };
	struct map_office *office = map_office_new(free_snapshot);
	assert_int_equal(map_publish(office, snapshot()), ERR_OK);
	atomic_store(&stop, false);

	for (size_t i = 0; i < WORKERS; i++) {
		workers[i].office = office;
		pthread_create(&workers[i].thread, NULL, renew_for_ever, &workers[i]);
	}
	struct map_lease lease = { 0 };
	for (size_t i = 0; i < MAPS; i++) {
		(void)map_renew(office, &lease);
		assert_int_equal(i % 2 == 0 ? map_publish(office, snapshot())
		                            : map_publish_prices(office, &lease, snapshot()),
		                 ERR_OK);
	}
	map_end(&lease);
	atomic_store(&stop, true);
	for (size_t i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	map_office_free(office);
	assert_int_equal(atomic_load(&freed), MAPS + 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(a_lease_keeps_its_map_until_renewed_and_reaped, reset),
	cmocka_unit_test_setup(a_shared_lease_outlives_its_original, reset),
	cmocka_unit_test_setup(new_prices_keep_the_number_of_their_map, reset),
	cmocka_unit_test_setup(an_unread_map_is_freed_at_once, reset),
	cmocka_unit_test_setup(a_map_between_others_is_freed_before_them, reset),
	cmocka_unit_test_setup(many_workers_see_only_living_maps, reset),
};

RUN_TESTS(tests)
