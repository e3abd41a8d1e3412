/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/app.h"

#include "common/base/log.h"
#include "server/app/args.h"
#include "server/app/daemon.h"
#include "server/app/settings.h"

#include <stdio.h>

/* Reads the configuration; says on standard error what is wrong with it. */
static int configure(const struct args *args, struct config *config)
{
	struct fault fault = { 0 };
	struct settings_roles roles;
	if (config_load(args->file, args->settings, args->n_settings, config, &fault) == ERR_OK &&
	    settings_roles(config->roles, &roles, &fault) == ERR_OK)
		return 0;
	(void)fprintf(stderr, "p4pd: %s: %s\n", fault.where, fault.text);
	return 2;
}

int app_run(int argc, char **argv)
{
	struct args args;
	struct config config;
	struct daemon *d;
	struct fault fault = { 0 };

	const enum args_action action = args_parse(argc, argv, &args);
	if (action != ARGS_RUN)
		return action == ARGS_DONE ? 0 : 2;
	const int status = configure(&args, &config);
	if (status != 0 || args.check)
		return status;

	if (daemon_start(&args, &config, &d, &fault) != ERR_OK) {
		log_line(LOG_ERROR, "p4pd cannot start. where=%s why=%s", fault.where, fault.text);
		return 1;
	}
	daemon_serve(d);
	daemon_stop(d);
	return 0;
}
