/* SPDX-License-Identifier: Apache-2.0 */
#include "common/balance/alarm.h"

static bool is_bad(const struct alarm_rule *rule, double value)
{
	return rule->below ? value < rule->raise : value > rule->raise;
}

static bool is_good(const struct alarm_rule *rule, double value)
{
	return rule->below ? value >= rule->clear : value <= rule->clear;
}

/* Nothing that is remembered may lie ahead, or a wrong clock would be waited for when it is right again. */
static void not_after(int64_t *t, int64_t now)
{
	if (*t > now)
		*t = now;
}

static void enter(struct alarm *a, enum alarm_state state, int64_t now)
{
	a->state = state;
	a->since = now;
	a->easing = false;
}

static void raise_it(const struct alarm_rule *rule, struct alarm *a, int64_t now)
{
	if (a->raises == 0 || now - a->flap_from >= rule->flap_seconds) {
		a->raises = 0;
		a->flap_from = now;
	}
	a->raises++;
	a->acknowledged_at = 0;
	enter(a, ALARM_FIRING, now);
}

bool alarm_flaps(const struct alarm_rule *rule, const struct alarm *a)
{
	return a->state == ALARM_FIRING && rule->flap_max > 0 && a->raises >= rule->flap_max;
}

static void step_quiet(const struct alarm_rule *rule, struct alarm *a, double value, int64_t now)
{
	if (isnan(value) || !is_bad(rule, value)) {
		if (a->state == ALARM_PENDING)
			enter(a, ALARM_CLEAR, now);
		return;
	}
	if (a->state != ALARM_PENDING)
		enter(a, ALARM_PENDING, now);
	if (now - a->since >= rule->raise_after)
		raise_it(rule, a, now);
}

static void step_firing(const struct alarm_rule *rule, struct alarm *a, double value, int64_t now)
{
	int64_t quiet = rule->clear_after;
	if (isnan(value)) {
		if (now - a->seen >= rule->forget_after)
			enter(a, ALARM_RESOLVED, now);
		return;
	}
	if (!is_good(rule, value)) {
		a->easing = false;
		return;
	}
	if (!a->easing)
		a->good_since = now;
	a->easing = true;
	if (alarm_flaps(rule, a) && quiet < rule->flap_seconds)
		quiet = rule->flap_seconds;
	if (now - a->good_since >= quiet)
		enter(a, ALARM_RESOLVED, now);
}

void alarm_step(const struct alarm_rule *rule, struct alarm *a, double value, int64_t now)
{
	not_after(&a->since, now);
	not_after(&a->seen, now);
	not_after(&a->good_since, now);
	not_after(&a->flap_from, now);
	if (a->state == ALARM_FIRING)
		step_firing(rule, a, value, now);
	else
		step_quiet(rule, a, value, now);
	if (!isnan(value)) {
		a->value = value;
		a->seen = now;
	}
}

enum alarm_news alarm_tell(struct alarm *a, int64_t now)
{
	const bool fires = a->state == ALARM_FIRING;
	if (now < a->muted_until || fires == a->told)
		return ALARM_NO_NEWS;
	a->told = fires;
	return fires ? ALARM_FIRES : ALARM_ENDED;
}

const char *alarm_state_name(enum alarm_state s)
{
	static const char *const names[ALARM_STATES] = { "clear", "pending", "firing", "resolved" };
	return names[s];
}
