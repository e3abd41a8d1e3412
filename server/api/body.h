/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Members of a small JSON body. What is wrong becomes a fault that names the member.
 */

#include "common/base/text.h"

struct json_t;

/* 1 to 64 of the characters that names have here (RFC 7285 section 10.1). */
bool body_is_name(const char *s);

/* A string member, "" when it is absent or null; NULL after a fault when it is anything else. */
const char *body_string(const struct json_t *body, const char *key, struct faults *faults);

/* The member "name" of what is made here: "admin" is taken by the token in the state folder. */
void body_new_name(const struct json_t *body, char out[static 65], struct faults *faults);

/* `keys` ends with NULL. */
void body_reject_unknown(struct json_t *body, const char *const *keys, struct faults *faults);
