/* SPDX-License-Identifier: Apache-2.0 */
#include "common/steer/lean.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t left(uint32_t budget, uint32_t used)
{
	return budget > used ? budget - used : 0;
}

double steer_lean_worth(int32_t gain)
{
	return gain >= 0 ? (100.0 + gain) / 100 : 100 / (100.0 - gain);
}

/* In proportion to the premium. */
static uint32_t extra(const struct steer_standing *s, uint32_t gain)
{
	const uint64_t peers = s->seeding ? s->seeds : s->leechers;
	const uint64_t share = (peers * gain + 99) / 100;
	const uint32_t budget = share < STEER_CONTACTS_MAX ? (uint32_t)share : STEER_CONTACTS_MAX;
	const uint32_t each = gain / 100 + (s->lot % 100 < gain % 100);
	return least(left(least(each, STEER_LEAN_EACH), s->own), left(budget, s->contacts));
}

/* What is left when each gets less. */
static uint32_t shrunk(const struct steer_rules *rules, const struct steer_standing *s,
                       uint32_t premium)
{
	struct steer_rules fewer = *rules;
	struct steer_standing content = *s;
	content.starved = false;
	fewer.free_percent = (unsigned)((uint64_t)rules->free_percent * STEER_LEAN_TURN / premium);
	if (s->known || s->age >= STEER_SOON) /* as if it had so many more at home */
		content.near += STEER_HEALTH - STEER_CONTACTS;
	return steer_contacts(&fewer, &content).free;
}

uint32_t steer_lean_contacts(const struct steer_rules *rules, const struct steer_standing *s,
                             int32_t gain, uint32_t usual)
{
	if (gain > 0) {
		const uint32_t more = extra(s, (uint32_t)gain);
		return more > usual ? more : usual;
	}
	if (gain >= -STEER_LEAN_TURN)
		return usual;
	return least(usual, shrunk(rules, s, (uint32_t)-gain));
}
