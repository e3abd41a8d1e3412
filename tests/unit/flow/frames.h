/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Packets made by hand. */

#include "tests/unit/flow/build.h"

static inline void ethernet(struct bench *b, unsigned type)
{
	for (unsigned i = 0; i < 12; i++)
		u8(b, i);
	u16(b, type);
}

static inline void ipv4(struct bench *b, unsigned total, unsigned fragment, unsigned protocol)
{
	u16(b, 0x4500);
	u16(b, total);
	u16(b, 0);
	u16(b, fragment);
	u8(b, 64);
	u8(b, protocol);
	u16(b, 0);
	address(b, "10.1.2.3");
	address(b, "198.51.100.7");
}

static inline void ipv6(struct bench *b, unsigned payload, unsigned next)
{
	u32(b, 0x60000000);
	u16(b, payload);
	u8(b, next);
	u8(b, 64);
	address(b, "2001:db8::1");
	address(b, "2001:db8::2");
}

static inline void ports(struct bench *b)
{
	u16(b, 6881);
	u16(b, 443);
}
