/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/args.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
	"Usage: p4pd [OPTION]...\n"
	"BitTorrent tracker that steers by the maps of Internet providers.\n"
	"\n"
	"  -c, --config FILE      read FILE (p4pd.conf(5)); without it, defaults\n"
	"  -s, --set NAME=VALUE   set one option; wins over FILE, may be repeated\n"
	"      --check            read the configuration, say what is wrong, and stop\n"
	"      --print-config     print every option with its default, as a p4pd.conf\n"
	"      --print-manual     print the options as a section of the manual (rst)\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n"
	"\n"
	"SIGHUP reads FILE again; SIGTERM ends in order. Logs go to standard error.\n";

static enum args_action print_table(void (*print)(struct text *out))
{
	struct text t = { 0 };
	print(&t);
	(void)fwrite(t.bytes, 1, t.size, stdout);
	text_done(&t);
	return ARGS_DONE;
}

static enum args_action add_setting(struct args *a, const char *setting)
{
	if (a->n_settings == sizeof(a->settings) / sizeof(a->settings[0])) {
		(void)fputs("p4pd: more than 64 --set; put them into a file (--config)\n", stderr);
		return ARGS_WRONG;
	}
	a->settings[a->n_settings++] = setting;
	return ARGS_RUN;
}

static enum args_action one(int option, struct args *a)
{
	switch (option) {
	case 'c':
		a->file = optarg;
		return ARGS_RUN;
	case 's':
		return add_setting(a, optarg);
	case 'k':
		a->check = true;
		return ARGS_RUN;
	case 'p':
		return print_table(config_print_example);
	case 'm':
		return print_table(config_print_manual);
	case 'h':
		(void)fputs(help, stdout);
		return ARGS_DONE;
	case 'V':
		(void)puts("p4pd " P4PD_VERSION);
		return ARGS_DONE;
	default:
		(void)fputs("Try 'p4pd --help'.\n", stderr);
		return ARGS_WRONG;
	}
}

enum args_action args_parse(int argc, char **argv, struct args *out)
{
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 's' },
		{ "check", no_argument, NULL, 'k' },
		{ "print-config", no_argument, NULL, 'p' },
		{ "print-manual", no_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	*out = (struct args){ 0 };
	for (int c; (c = getopt_long(argc, argv, "c:s:hV", long_options, NULL)) != -1;) {
		const enum args_action action = one(c, out);
		if (action != ARGS_RUN)
			return action;
	}
	if (optind < argc) {
		(void)fprintf(stderr, "p4pd: '%s' is no option\nTry 'p4pd --help'.\n",
		              argv[optind]);
		return ARGS_WRONG;
	}
	return ARGS_RUN;
}
