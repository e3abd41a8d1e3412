/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * `bridge` over an interconnect that leans: what keeps a settlement-free one inside its ratio.
 *
 * When its ratio nears the limit, bytes in one direction get a premium (prices.h), and the books of both
 * ends show it. Two peers who met send each other what they have, so the direction is chosen by who meets
 * whom. `gain` says whether bytes in the asker's way are welcome, in percent of the documented cost:
 * snapshot_lean() for one that pulls, and that times -1 for a seed. With the premium grow, in this order:
 *
 *   who       what flows one way only, between a seed and a leecher, is worth steer_lean_worth() times as
 *             much; two leechers send both ways, and what is too much one way is made good by the other.
 *             In the welcome way more meet than need to: leechers inside get seeds and leechers outside
 *             although they have seeds at home, and seeds inside get leechers outside. In proportion to the
 *             premium, a contact for each at twice the documented cost, up to STEER_CONTACTS_MAX in all
 *             and STEER_LEAN_EACH for each
 *   budget    in the other way budgets shrink from STEER_LEAN_TURN on, in proportion: that of a provider
 *             without a seed down to STEER_SAFETY, and a client with few peers gets STEER_CONTACTS
 *             instead of STEER_HEALTH. An island gets its seed whatever the price
 *   price     what is dearer than another way in is not taken; steering does that anyway
 *
 * A gain of 0 changes nothing. The rule sees a premium and not why there is one: where an interconnect is
 * full one way it does the same, which leads less there, too.
 *
 * Pure functions: share freely.
 */

#include "common/steer/steer.h"

enum { STEER_LEAN_EACH = 8, STEER_LEAN_TURN = 100 };

static inline int32_t steer_gain(int32_t lean, bool seeding)
{
	return seeding ? -lean : lean;
}

double steer_lean_worth(int32_t gain);

/* More contacts that the asker may be given over an interconnect of this gain, instead of `usual`, what
 * steer_contacts() gave it for a settlement-free way. */
uint32_t steer_lean_contacts(const struct steer_rules *rules, const struct steer_standing *standing,
                             int32_t gain, uint32_t usual);
