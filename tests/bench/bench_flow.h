/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* libfixbuf, where it is there to compare with, reading IPFIX from memory. */

#include "tests/bench/flow_datagrams.h"

struct fixbuf;

struct fixbuf *fixbuf_new(void); /* NULL: it is not installed */
void fixbuf_decode(void *f, uint8_t *bytes, size_t size);
uint64_t fixbuf_records(const struct fixbuf *f);
uint64_t fixbuf_bytes(const struct fixbuf *f);
void fixbuf_free(struct fixbuf *f);
