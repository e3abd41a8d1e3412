/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What another process has used: the tracker's CPU time and memory.
 */

#include "common/base/err.h"

#include <stdint.h>

/* Nanoseconds, user and system, of all its threads, those that have ended included. ERR_NOT_FOUND. */
enum err process_cpu(uint64_t pid, uint64_t *out) must_check;

/* Bytes that are resident (RSS). ERR_NOT_FOUND, also when it is another user's and we may not ask. */
enum err process_memory(uint64_t pid, uint64_t *out) must_check;
