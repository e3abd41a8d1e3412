/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command line of p4pd.
 */

#include "server/config/config.h"

enum args_action { ARGS_RUN, ARGS_DONE /* printed what was asked */, ARGS_WRONG };

struct args {
	const char *file; /* NULL: no configuration file */
	const char *settings[64];
	size_t n_settings;
	bool check; /* read the configuration, then stop */
};

/* Prints help, version or tables to standard output, mistakes to standard error. */
enum args_action args_parse(int argc, char **argv, struct args *out);
