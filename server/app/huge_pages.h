/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes huge pages of memory that is in use anyway. Swarms are read at random, and where pages are small the
 * processor waits not only for what it reads, but also for where that page is, most of all in a virtual
 * machine: measured (2026-11, a million peers in 100,000 swarms), an announce costs a tenth to a fifth more.
 *
 * The kernel does that by itself where it is asked to (MADV_HUGEPAGE), but then takes 2 MiB where 4 KiB are
 * wanted. Here only ranges of which every page is there are taken together (MADV_COLLAPSE, Linux 6.1), so
 * nothing grows. Who touches a range meanwhile waits, about half a millisecond, once for each range. Where
 * /sys/kernel/mm/transparent_hugepage/enabled says "never", on older kernels, and with pages of another
 * size than 4 KiB it does nothing.
 *
 * Threading: one thread.
 */

#include <stdbool.h>
#include <stdint.h>

enum { HUGE_PAGES_KNOWN = 1 << 16 };

struct huge_pages {
	bool asked, off; /* whether this machine has them */
	uint64_t next;   /* range to go on with */
	/* A bit by range. Two may share one: the second then keeps its small pages, as does a range that
	 * was given back and is new. */
	uint8_t done[HUGE_PAGES_KNOWN / 8];
};

/* Looks at a few ranges more, and takes together fewer; call it every second, with a zeroed struct first. */
void huge_pages_tick(struct huge_pages *h);
