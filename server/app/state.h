/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The state folder: one daemon's at a time, and the secrets that outlive it.
 */

#include "server/auth/auth.h"

#include <stdint.h>

/* Makes the folder and takes its lock, held until the process ends. ERR_BUSY: another daemon's. */
enum err state_open(const char *dir, struct fault *fault) must_check;

/*
 * 32 random bytes, made at the first start (mode 0600) and kept, so that peers in the swarm snapshot
 * and clients in the journal are recognised after a restart.
 */
enum err state_secret(const char *dir, uint8_t out[static 32], struct fault *fault) must_check;

/* auth_new() on the folder's admin.token; logs where that is when it was not there before. */
enum err state_auth(const char *dir, struct store *store, struct auth **out,
                    struct fault *fault) must_check;
