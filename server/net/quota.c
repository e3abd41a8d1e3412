/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/quota.h"

#include "common/base/random.h"

#include <string.h>

uint32_t quota_slot(const struct quota *q, const struct ip_addr *from)
{
	uint64_t head; /* an IPv4 address and zeros, or the /64 */
	memcpy(&head, from->bytes, sizeof(head));
	return (uint32_t)(random_mix(random_mix(head ^ q->secret) + from->family) % QUOTA_SLOTS);
}

unsigned quota_used(const struct quota *q, uint32_t slot)
{
	return atomic_load_explicit(&q->slots[slot], memory_order_relaxed);
}

void quota_enter(struct quota *q, uint32_t slot)
{
	atomic_fetch_add_explicit(&q->slots[slot], 1, memory_order_relaxed);
}

void quota_leave(struct quota *q, uint32_t slot)
{
	must(atomic_fetch_sub_explicit(&q->slots[slot], 1, memory_order_relaxed) > 0);
}
