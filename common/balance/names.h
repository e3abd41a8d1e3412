/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The words that documents and reports use for the constants of an enum: a list in the order of the
 * enum, ended by NULL.
 *
 * Pure.
 */

/* The constant that `word` stands for; -1: none. */
int name_find(const char *const *names, const char *word);
