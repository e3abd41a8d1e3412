/* SPDX-License-Identifier: Apache-2.0 */
#include "common/steer/arms.h"

#include "common/base/random.h"

bool steer_in_control(uint64_t swarm, uint64_t provider, unsigned control_percent)
{
	uint64_t lot = swarm + provider;
	return random_below(&lot, 100) < control_percent;
}

const struct steer_rules *steer_arm(const struct steer_rules *treated, uint64_t swarm,
                                    uint64_t provider, unsigned control_percent)
{
	static const struct steer_rules control = { .policy = STEER_NATIVE };
	return steer_in_control(swarm, provider, control_percent) ? &control : treated;
}
