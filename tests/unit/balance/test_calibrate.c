/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test.h"

#include "common/balance/calibrate.h"
#include "common/base/random.h"

#include <math.h>

static double normal(uint64_t *seed)
{
	double sum = 0;
	for (unsigned i = 0; i < 12; i++)
		sum += (double)(random_next(seed) >> 11) * 0x1p-53;
	return sum - 6;
}

/*
 * The reference's case of 50 % of the neighbours from PEX and DHT: announces err by 7.3 % of an
 * interconnect on the average, the same way on most days, and flows are sampled with 3 % of noise.
 * Uncalibrated the error stays; calibrated it must be 4 % at most, and the interval must hold.
 */
static void flows_put_right_what_pex_hides(void **state)
{
	(void)state;
	uint64_t seed = 1;
	double raw = 0, error = 0;
	unsigned held = 0, n = 0;
	for (unsigned link = 0; link < 200; link++) {
		struct calibration c = { 0 };
		const double bias = 0.073 * normal(&seed) / 0.8; /* mean of the absolute */
		for (unsigned day = 0; day < 30; day++) {
			const double truth = 1e12 * (1 + 0.3 * normal(&seed) / 6);
			const double told = truth * (1 + bias + 0.015 * normal(&seed));
			if (day >= 5) {
				const struct calibrated b = calibrate_bytes(&c, told);
				raw += fabs(told / truth - 1);
				error += fabs(b.bytes / truth - 1);
				held += b.low <= truth && truth <= b.high;
				n++;
			}
			const struct calibration_day d = { .flow = truth *
				                                   (1 + 0.03 * normal(&seed)),
				                           .announce = told,
				                           .noise = 0.03 };
			assert_true(calibrate(&c, &d).counted);
		}
	}
	print_message("# error %.2f %%, calibrated %.2f %%, interval holds %.1f %%\n",
	              100 * raw / n, 100 * error / n, 100.0 * held / n);
	assert_true(raw / n > 0.06);
	assert_true(error / n <= 0.04);
	assert_true(held >= 0.85 * n);
}

static void a_jump_is_a_drift_and_then_the_rule(void **state)
{
	(void)state;
	struct calibration c = { 0 };
	const struct calibration_day before = { .flow = 100, .announce = 100, .noise = 0.01 };
	const struct calibration_day after = { .flow = 150, .announce = 100, .noise = 0.01 };
	for (unsigned day = 0; day < 10; day++)
		assert_false(calibrate(&c, &before).drift);
	const struct calibration_step s = calibrate(&c, &after);
	assert_true(s.drift);
	assert_float_equal(s.off, 0.5, 1e-9);
	for (unsigned day = 0; day < 15; day++)
		(void)calibrate(&c, &after);
	assert_float_equal(c.k, 1.5, 0.01);
	assert_false(calibrate(&c, &after).drift);
}

static void noise_is_no_drift_but_seldom(void **state)
{
	(void)state;
	uint64_t seed = 9;
	struct calibration c = { 0 };
	unsigned drifts = 0;
	for (unsigned day = 0; day < 2000; day++) {
		const struct calibration_day d = { .flow = 100 * (1 + 0.05 * normal(&seed)),
			                           .announce = 100,
			                           .noise = 0.05 };
		drifts += calibrate(&c, &d).drift;
	}
	assert_true(drifts <= 10);
}

static void few_days_are_no_rule(void **state)
{
	(void)state;
	struct calibration c = { 0 };
	const struct calibration_day nothing = { .flow = 5 };
	assert_false(calibrate(&c, &nothing).counted);
	assert_int_equal(c.days, 0);
	assert_false(calibrate(&c, &(struct calibration_day){ 10, 10, 0 }).drift);
	assert_false(calibrate(&c, &(struct calibration_day){ 90, 10, 0 }).drift);
	assert_float_equal(c.k, 5, 1e-9); /* the first days count equally */
	struct calibration zero = { 0 };
	(void)calibrate(&zero, &(struct calibration_day){ 0, 10, 0 });
	assert_float_equal(calibrate(&zero, &(struct calibration_day){ 10, 10, 0 }).off, 0, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(flows_put_right_what_pex_hides),
	cmocka_unit_test(a_jump_is_a_drift_and_then_the_rule),
	cmocka_unit_test(noise_is_no_drift_but_seldom),
	cmocka_unit_test(few_days_are_no_rule),
};

RUN_TESTS(tests)
