/* SPDX-License-Identifier: Apache-2.0 */
#include "common/choice/choice.h"

#include "common/steer/lean.h"

/* What is asked of steering here are its own rules with the other reasons taken away. */

static uint32_t of_tier(const struct steer_contacts *contacts, bool free)
{
	return free ? contacts->free : contacts->paid;
}

static struct steer_contacts contacts_by(const struct steer_rules *rules,
                                         const struct steer_standing *s, int32_t gain)
{
	struct steer_contacts c = steer_contacts(rules, s);
	c.free = steer_lean_contacts(rules, s, gain, c.free);
	return c;
}

/* Contacts that the budget alone allows. */
static struct steer_contacts by_budget(const struct steer_rules *rules, struct steer_standing s,
                                       int32_t gain)
{
	s.near = STEER_HEALTH;
	return contacts_by(rules, &s, gain);
}

uint32_t choice_health(const struct steer_rules *rules, const struct steer_standing *standing,
                       int32_t gain)
{
	struct steer_standing s = *standing;
	s.seeding = true; /* has no budget */
	s.near = s.own = 0;
	return contacts_by(rules, &s, gain < 0 ? gain : 0).free;
}

struct steer_contacts choice_budget(const struct steer_rules *rules,
                                    const struct steer_standing *standing, int32_t gain)
{
	struct steer_contacts budget = { 0 };
	struct steer_standing s = *standing;
	s.known = true;
	s.own = s.lot = 0;
	for (s.contacts = 0; s.contacts < STEER_CONTACTS_MAX; s.contacts++) {
		const struct steer_contacts more = by_budget(rules, s, gain);
		budget.free += more.free > 0;
		budget.paid += more.paid > 0;
	}
	return budget;
}

static enum choice_reason reason_of_new(const struct choice *c, const struct steer_rules *rules,
                                        size_t number, enum map_tier tier, int32_t gain)
{
	const struct steer_contacts leaned = by_budget(rules, c->standing, gain);
	const struct steer_contacts budget = by_budget(rules, c->standing, gain < 0 ? gain : 0);
	const bool is_free = tier < TIER_PAID_PEERING;
	if (number == 0 && c->rescued)
		return CHOICE_ISLAND;
	if (number < of_tier(&budget, is_free))
		return CHOICE_BUDGET;
	return number < of_tier(&leaned, is_free) ? CHOICE_LEAN : CHOICE_HEALTH;
}

enum choice_reason choice_reason(const struct choice *c, const struct steer_rules *rules, size_t i,
                                 enum map_tier tier, int32_t gain)
{
	if (rules->policy == STEER_BRIDGE) {
		if (i < c->n_near)
			return CHOICE_NEAR;
		if (i < c->n_near + c->n_met)
			return CHOICE_MET;
		return reason_of_new(c, rules, i - c->n_near - c->n_met, tier, gain);
	}
	if (c->everybody)
		return CHOICE_EVERYBODY;
	if (rules->policy == STEER_NATIVE)
		return CHOICE_CHANCE;
	return steer_part_of(tier) == STEER_OUTSIDE ? CHOICE_OUTSIDE : CHOICE_NEAR;
}
