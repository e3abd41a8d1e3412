/* SPDX-License-Identifier: Apache-2.0 */
/* p4pload: a UDP tracker under load. Arguments in, a report out. */
#include "tools/p4pload/engine.h"

#include "common/base/text.h"

#include <inttypes.h>
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

static uint64_t wrong(const struct tally *t)
{
	uint64_t n = 0;
	for (unsigned v = REPLY_REFUSED; v < REPLY_STRANGER; v++)
		n += t->verdicts[v];
	return n;
}

static double ratio(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : (double)a / (double)b;
}

static double us(const struct tally *t, double part)
{
	return (double)histogram_percentile(&t->latency, part) / 1e3;
}

static double bytes_per_peer(const struct tally *t, const struct options *o)
{
	return ((double)t->rss_full - (double)t->rss_empty) / (double)o->peers;
}

static void report_json(const struct tally *t, const struct options *o)
{
	printf("{\"seconds\":%.3f,\"sent\":{\"connect\":%" PRIu64 ",\"announce\":%" PRIu64
	       ",\"scrape\":%" PRIu64 "},\"answered\":%" PRIu64 ",\"answers_per_second\":%.0f",
	       (double)t->ns / 1e9, t->sent[UDP_CONNECT], t->sent[UDP_ANNOUNCE],
	       t->sent[UDP_SCRAPE], t->answered, ratio(t->answered, t->ns) * 1e9);
	printf(",\"lost\":%" PRIu64 ",\"late\":%" PRIu64 ",\"foreign\":%" PRIu64, t->lost, t->late,
	       t->foreign);
	for (unsigned v = 0; v < REPLY_KINDS_; v++)
		printf(",\"%s\":%" PRIu64, verdict_name(v), t->verdicts[v]);
	printf(",\"peers_per_announce\":%.2f", ratio(t->peers, t->sent[UDP_ANNOUNCE]));
	printf(",\"latency_us\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p99.9\":%.1f}", us(t, .5),
	       us(t, .9), us(t, .99), us(t, .999));
	if (o->pid != 0)
		printf(",\"cpu_seconds\":%.3f,\"cpu_us_per_answer\":%.3f,\"rss_empty\":%" PRIu64
		       ",\"rss_full\":%" PRIu64 ",\"rss_end\":%" PRIu64 ",\"bytes_per_peer\":%.1f",
		       (double)t->cpu_ns / 1e9, ratio(t->cpu_ns, t->answered) / 1e3, t->rss_empty,
		       t->rss_full, t->rss_end, bytes_per_peer(t, o));
	puts("}");
}

static void report_text(const struct tally *t, const struct options *o)
{
	printf("sent       %" PRIu64 " announces, %" PRIu64 " connects, %" PRIu64
	       " scrapes in %.2f s\n",
	       t->sent[UDP_ANNOUNCE], t->sent[UDP_CONNECT], t->sent[UDP_SCRAPE],
	       (double)t->ns / 1e9);
	printf("answered   %" PRIu64 ", %.0f a second; %" PRIu64 " lost, %" PRIu64 " late, %" PRIu64
	       " foreign\n",
	       t->answered, ratio(t->answered, t->ns) * 1e9, t->lost, t->late, t->foreign);
	printf("replies    ");
	for (unsigned v = 0; v < REPLY_KINDS_; v++)
		if (v == REPLY_GOOD || t->verdicts[v] > 0)
			printf("%s%" PRIu64 " %s", v == REPLY_GOOD ? "" : ", ", t->verdicts[v],
			       verdict_name(v));
	printf("; %.1f peers in each announce\n", ratio(t->peers, t->sent[UDP_ANNOUNCE]));
	printf("latency    p50 %.0f us, p90 %.0f us, p99 %.0f us, p99.9 %.0f us\n", us(t, .5),
	       us(t, .9), us(t, .99), us(t, .999));
	if (o->pid == 0)
		return;
	printf("tracker    %.2f s CPU, %.3f us an answer\n", (double)t->cpu_ns / 1e9,
	       ratio(t->cpu_ns, t->answered) / 1e3);
	printf("memory     %.1f MB empty, %.1f MB with all peers (%.1f bytes each), %.1f MB at the "
	       "end\n",
	       (double)t->rss_empty / 1e6, (double)t->rss_full / 1e6, bytes_per_peer(t, o),
	       (double)t->rss_end / 1e6);
}

static int complain(const struct fault *f, int status)
{
	(void)fprintf(stderr, "p4pload: %s: %s\n", f->where, f->text);
	return status;
}

static int run(struct population *p, const struct options *o)
{
	struct engine *engine = NULL;
	struct fault fault;
	static struct tally tally; /* too large for a stack */
	if (engine_new(p, &engine, &fault) != ERR_OK)
		return complain(&fault, EXIT_FAILURE);
	const enum err e = engine_run(engine, &tally, &fault);
	engine_free(engine);
	if (e != ERR_OK)
		return complain(&fault, EXIT_FAILURE);

	if (o->json)
		report_json(&tally, o);
	else
		report_text(&tally, o);
	if (o->seconds == 0)
		return EXIT_SUCCESS; /* that all were let in is all there is to know */
	const uint64_t failed =
		tally.lost + tally.verdicts[REPLY_REFUSED] + tally.verdicts[REPLY_MALFORMED];
	if (tally.answered == 0 || failed * 10 > tally.answered + tally.lost)
		return EXIT_FAILURE;
	return o->verify && wrong(&tally) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
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
