/* SPDX-License-Identifier: Apache-2.0 */
/* p4pload: a tracker under load. Arguments in, a report out. */
#include "tools/p4pload/engine.h"
#include "tools/p4pload/report.h"

#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

static void print_hashes(const struct population *p)
{
	char hex[2 * INFO_HASH_SIZE + 1];
	for (uint32_t i = 0; i < p->n_hashes; i++) {
		text_hex(p->hashes[i], INFO_HASH_SIZE, hex);
		puts(hex);
	}
}

static int complain(const struct fault *f, int status)
{
	(void)fprintf(stderr, "p4pload: %s: %s\n", f->where, f->text);
	return status;
}

static int judge(const struct tally *t, const struct options *o)
{
	const uint64_t failed = t->lost + t->verdicts[REPLY_REFUSED] + t->verdicts[REPLY_MALFORMED];
	if (o->seconds == 0)
		return EXIT_SUCCESS; /* that all were let in is all there is to know */
	if (t->answered == 0 || failed * 10 > t->answered + t->lost)
		return EXIT_FAILURE;
	return o->verify && report_wrong(t) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(struct population *p, const struct options *o)
{
	static struct tally tally; /* too large for a stack */
	struct engine *engine = NULL;
	struct fault fault;
	enum err e = engine_new(p, &engine, &fault);
	if (e != ERR_OK)
		return complain(&fault,
		                e == ERR_DENIED || e == ERR_NOT_FOUND ? EXIT_USAGE : EXIT_FAILURE);
	e = engine_run(engine, &tally, &fault);
	engine_free(engine);
	if (e != ERR_OK) {
		tally_done(&tally);
		return complain(&fault, EXIT_FAILURE);
	}
	(o->json ? report_json : report_text)(stdout, &tally, o);
	const int status = judge(&tally, o);
	tally_done(&tally);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;
	struct population p;
	struct fault fault;
	if (options_parse(argc, argv, &o, &fault) != ERR_OK)
		return complain(&fault, EXIT_USAGE);
	if (o.help) {
		options_help();
		return EXIT_SUCCESS;
	}
	const enum err e = population_init(&p, &o, &fault);
	if (e != ERR_OK)
		return complain(&fault, e == ERR_NOMEM ? EXIT_FAILURE : EXIT_USAGE);
	int status = EXIT_SUCCESS;
	if (o.print_hashes)
		print_hashes(&p);
	else
		status = run(&p, &o);
	population_done(&p);
	return status;
}
