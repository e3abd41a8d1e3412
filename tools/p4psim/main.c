/* SPDX-License-Identifier: Apache-2.0 */
/* p4psim: what a policy would do to networks and clients. A scenario in, a report out. */
#include "tools/p4psim/study.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

struct options {
	const char *scenario, *policy;
	uint64_t seed;
	bool seeded, json, help;
};

static void help(void)
{
	puts("Usage: p4psim [OPTION]... SCENARIO\n"
	     "Simulate BitTorrent swarms over providers' networks, once with each policy of the\n"
	     "scenario, and say whose links carry what and how long the peers take.\n\n"
	     "  --policy NAME   only the policies of this name\n"
	     "  --seed N        of all chance, instead of the scenario's\n"
	     "  --json          print JSON instead of tables\n"
	     "  --help          print this and end\n\n"
	     "p4psim(1) describes scenarios and figures. Exit status: 0 fine; 1 something failed;\n"
	     "2 wrong usage, or a document has faults.");
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = { { "policy", required_argument, NULL, 'p' },
		                               { "seed", required_argument, NULL, 's' },
		                               { "json", no_argument, NULL, 'j' },
		                               { "help", no_argument, NULL, 'h' },
		                               { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		switch (c) {
		case 'p':
			o->policy = optarg;
			break;
		case 's':
			o->seeded = text_u64(optarg, strlen(optarg), &o->seed);
			if (!o->seeded)
				(void)fprintf(stderr,
				              "p4psim: --seed must be a whole number, not \"%s\"\n",
				              optarg);
			if (!o->seeded)
				return false;
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			o->help = true;
			break;
		default:
			return false;
		}
	}
	if (o->help)
		return true;
	if (optind + 1 != argc)
		(void)fprintf(stderr, "p4psim: name one scenario; see --help\n");
	o->scenario = argv[optind];
	return optind + 1 == argc;
}

static int complain(const struct options *o, enum err e, const struct faults *faults)
{
	if (e == ERR_NOMEM) {
		(void)fprintf(stderr, "p4psim: out of memory\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < faults->count; i++)
		(void)fprintf(stderr, "p4psim: %s: %s%s%s\n", o->scenario, faults->list[i].where,
		              faults->list[i].where[0] != '\0' ? ": " : "", faults->list[i].text);
	if (faults->more > 0)
		(void)fprintf(stderr, "p4psim: and %zu more\n", faults->more);
	return e == ERR_SYSTEM ? EXIT_FAILURE : EXIT_USAGE;
}

static int print(const struct study *s, bool json)
{
	struct text out = { 0 };
	const struct report r = study_report(s);
	const enum err e = (json ? report_json : report_table)(&r, &out);
	const bool good = e == ERR_OK && fputs(out.bytes, stdout) >= 0 && fflush(stdout) == 0;
	text_done(&out);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int work(const struct options *o, struct faults *faults)
{
	static struct study s;
	enum err e = study_load(&s, o->scenario, o->seeded ? &o->seed : NULL, faults);
	if (e != ERR_OK)
		return complain(o, e, faults);
	int status = EXIT_USAGE;
	if (o->policy != NULL && !study_keep(&s, o->policy))
		(void)fprintf(stderr, "p4psim: %s: no policy is named \"%s\"\n", o->scenario,
		              o->policy);
	else
		status =
			(e = study_run(&s)) == ERR_OK ? print(&s, o->json) : complain(o, e, faults);
	study_done(&s);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	if (!parse(argc, argv, &o))
		return EXIT_USAGE;
	if (o.help) {
		help();
		return EXIT_SUCCESS;
	}
	struct faults *faults = faults_new();
	if (faults == NULL)
		return EXIT_FAILURE;
	const int status = work(&o, faults);
	faults_free(faults);
	return status;
}
