/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The configuration: a plain struct made from one table (options.def), read-only after loading.
 *
 * p4pd.conf is libconfuse's syntax: `name = value`, # begins a comment. Command-line settings
 * (--set NAME=VALUE) come after the file and win.
 *
 * Threading: immutable; copy freely.
 */

#include "common/base/text.h"

enum { CONFIG_TEXT_SIZE = 256 };

struct config {
/* clang-format off */
#define CONFIG_TEXT(name)    char name[CONFIG_TEXT_SIZE];
#define CONFIG_CHOICE(name)  char name[CONFIG_TEXT_SIZE];
#define CONFIG_NUMBER(name)  uint64_t name;
#define CONFIG_DECIMAL(name) uint64_t name; /* thousandths */
#define CONFIG_SWITCH(name)  uint64_t name; /* 0 or 1 */
#define OPTION(kind, name, def, min, max, choices, when, help) CONFIG_##kind(name)
#include "server/config/options.def" /* NOLINT(bugprone-suspicious-include): the table */
#undef OPTION
	/* clang-format on */
};

/*
 * Defaults, then the file (NULL: none), then `settings` ("name=value"). On failure *out is
 * untouched and the fault names the option and what would be right.
 */
enum err config_load(const char *file, const char *const *settings, size_t n_settings,
                     struct config *out, struct fault *fault) must_check;

/* Names of options that differ and need a restart, separated by blanks; "" when none. */
void config_needs_restart(const struct config *old, const struct config *now, struct text *names);

void config_print_example(struct text *out); /* deploy/p4pd.conf.example */
void config_print_manual(struct text *out);  /* the OPTIONS section of p4pd.conf(5), rst */
