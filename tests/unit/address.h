/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/unit/test.h"

#include "common/ip/addr.h"

static inline struct ip_addr address(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_parse(text, &a), ERR_OK);
	return a;
}
