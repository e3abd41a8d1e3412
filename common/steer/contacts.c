/* SPDX-License-Identifier: Apache-2.0 */
#include "common/steer/steer.h"

#include "common/base/random.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* What is left of a budget. */
static uint32_t left(uint32_t budget, uint32_t used)
{
	return budget > used ? budget - used : 0;
}

static uint32_t room(const struct steer_standing *s, unsigned percent)
{
	const bool starved = s->starved && s->age >= STEER_PATIENCE;
	if (s->seeding)
		return 0;
	if (s->seeds > 0 && !starved)
		return least(left(1, s->own), left(STEER_SAFETY, s->contacts));
	const unsigned fold = starved && s->seeds == 0 ? 2 : 1;
	const uint64_t share = ((uint64_t)s->leechers * percent * fold + 99) / 100;
	const uint32_t budget = share < STEER_CONTACTS_MAX ? (uint32_t)share : STEER_CONTACTS_MAX;
	const uint32_t each =
		s->known ? STEER_CONTACTS * fold : percent / 100 + (s->lot % 100 < percent % 100);
	return least(left(each, s->own), left(most(budget, STEER_SAFETY), s->contacts));
}

bool steer_is_starved(uint64_t bytes, uint32_t seconds, uint32_t line_kbps)
{
	const uint64_t line = least(line_kbps, STEER_LINE_KBPS_MAX);
	return seconds >= STEER_SOON && bytes < line * 125 * seconds / STEER_STARVED;
}

bool steer_is_island(const struct steer_standing *s)
{
	return !s->seeding && s->seeds == 0 && s->seed_contacts == 0;
}

bool steer_wants_seed(const struct steer_standing *s)
{
	return !s->seeding && s->seeds == 0 && STEER_SEEDED * s->seed_contacts < s->contacts;
}

struct steer_contacts steer_contacts(const struct steer_rules *rules,
                                     const struct steer_standing *s)
{
	const bool settled = s->known || s->age >= STEER_SOON;
	const uint32_t health = left(settled ? STEER_HEALTH : STEER_CONTACTS, s->near + s->own);
	return (struct steer_contacts){ .free = most(health, room(s, rules->free_percent)),
		                        .paid = most(health, room(s, rules->paid_percent)) };
}

uint32_t steer_soon(const struct steer_standing *s, uint32_t elsewhere)
{
	if (s->seeding || elsewhere == 0 || s->leechers <= (uint64_t)s->seeds * STEER_SERVED)
		return 0;
	return most(STEER_SOON, most(s->age / 4, s->leechers / 2));
}

uint32_t steer_interval(uint32_t usual, uint32_t soon, uint64_t client)
{
	if (soon == 0)
		return usual;
	return least(usual, soon + random_below(&client, soon / 2 + 1));
}
