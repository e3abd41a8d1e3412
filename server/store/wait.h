/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What store_wait() keeps between calls: a connection that LISTENs, and what wakes it.
 */

struct waiter;

struct waiter *waiter_new(void); /* NULL when out of memory or descriptors */
void waiter_free(struct waiter *w);
