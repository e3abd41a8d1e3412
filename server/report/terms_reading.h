/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the two parsers of terms.h share; common/map/reading.h is the tool of both. */

#include "common/map/reading.h"
#include "server/report/terms.h"

/* A list that ends with NULL, as common/balance has its words. */
size_t terms_words(const char *const *words);

/* The word's number; as it was when the value is not there. */
void terms_read_word(struct reading *r, const struct value *v, const char *const *words,
                     unsigned *out);

/* An exact decimal in a string: "0.80". */
void terms_read_money(struct reading *r, const struct value *v, struct decimal *out);

/* Whole Mbit/s, as bit/s. */
void terms_read_mbps(struct reading *r, const struct value *v, uint64_t *out_bps);

/* Different names, 1 to TERMS_NAMES_MAX. */
void terms_read_names(struct reading *r, struct value *v, struct terms_names *out);

/* Printable text of 1 to `max` bytes, kept in the arena. */
void terms_read_text(struct reading *r, const struct value *v, size_t max, const char **out);

/* Loads the text: NULL, and *err says why, when there is nothing to read. reading_drop() it. */
struct json_t *terms_load(const char *json, size_t size, struct faults *faults, enum err *err);
