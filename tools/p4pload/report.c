/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pload/report.h"

#include <inttypes.h>

static double ratio(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : (double)a / (double)b;
}

static double us(const struct histogram *h, double part)
{
	return (double)histogram_percentile(h, part) / 1e3;
}

static double bytes_per_peer(const struct tally *t, const struct options *o)
{
	return ((double)t->rss_full - (double)t->rss_empty) / (double)o->peers;
}

uint64_t report_wrong(const struct tally *t)
{
	uint64_t n = 0;
	for (unsigned v = REPLY_GOOD + 1; v < REPLY_KINDS_; v++)
		n += t->verdicts[v];
	return n;
}

static void json_latency(FILE *out, const char *name, const struct histogram *h)
{
	(void)fprintf(out,
	              ",\"%s\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p99.9\":%.1f,"
	              "\"p99.99\":%.1f,\"max\":%.1f}",
	              name, us(h, .5), us(h, .9), us(h, .99), us(h, .999), us(h, .9999),
	              (double)h->max / 1e3);
}

static void json_series(FILE *out, const struct tally *t)
{
	(void)fputs(",\"series\":[", out);
	for (size_t i = 0; i < t->n_seconds; i++) {
		const struct second *s = &t->seconds[i];
		(void)fprintf(out,
		              "%s{\"answered\":%" PRIu64 ",\"lost\":%" PRIu64
		              ",\"p50\":%.1f,\"p99\":%.1f,\"p99.9\":%.1f,\"max\":%.1f}",
		              i == 0 ? "" : ",", s->answered, s->lost, (double)s->p50 / 1e3,
		              (double)s->p99 / 1e3, (double)s->p999 / 1e3, (double)s->max / 1e3);
	}
	(void)fputs("]", out);
}

void report_json(FILE *out, const struct tally *t, const struct options *o)
{
	(void)fprintf(out,
	              "{\"started\":%.3f,\"seconds\":%.3f,\"sent\":{\"connect\":%" PRIu64
	              ",\"announce\":%" PRIu64 ",\"scrape\":%" PRIu64 "},\"unsent\":%" PRIu64
	              ",\"answered\":%" PRIu64 ",\"answers_per_second\":%.0f",
	              (double)t->started_ms / 1e3, (double)t->ns / 1e9, t->sent[UDP_CONNECT],
	              t->sent[UDP_ANNOUNCE], t->sent[UDP_SCRAPE], t->unsent, t->answered,
	              ratio(t->answered, t->ns) * 1e9);
	(void)fprintf(out,
	              ",\"lost\":%" PRIu64 ",\"late\":%" PRIu64 ",\"foreign\":%" PRIu64
	              ",\"reconnects\":%" PRIu64,
	              t->lost, t->late, t->foreign, t->reconnects);
	for (unsigned v = 0; v < REPLY_KINDS_; v++)
		(void)fprintf(out, ",\"%s\":%" PRIu64, verdict_name(v), t->verdicts[v]);
	(void)fprintf(out, ",\"peers_per_announce\":%.2f", ratio(t->peers, t->announced));
	json_latency(out, "latency_us", &t->latency);
	json_latency(out, "service_us", &t->service);
	(void)fprintf(out, ",\"own_cpu_seconds\":%.3f", (double)t->own_cpu_ns / 1e9);
	if (o->pid != 0)
		(void)fprintf(
			out,
			",\"cpu_seconds\":%.3f,\"cpu_us_per_answer\":%.3f,\"rss_empty\":%" PRIu64
			",\"rss_full\":%" PRIu64 ",\"rss_end\":%" PRIu64 ",\"bytes_per_peer\":%.1f",
			(double)t->cpu_ns / 1e9, ratio(t->cpu_ns, t->answered) / 1e3, t->rss_empty,
			t->rss_full, t->rss_end, bytes_per_peer(t, o));
	if (o->series)
		json_series(out, t);
	(void)fputs("}\n", out);
}

static void text_latency(FILE *out, const char *name, const struct histogram *h)
{
	(void)fprintf(out, "%-10s p50 %.0f us, p90 %.0f, p99 %.0f, p99.9 %.0f, longest %.0f us\n",
	              name, us(h, .5), us(h, .9), us(h, .99), us(h, .999), (double)h->max / 1e3);
}

static void text_tracker(FILE *out, const struct tally *t, const struct options *o)
{
	(void)fprintf(out, "tracker    %.2f s CPU, %.3f us an answer\n", (double)t->cpu_ns / 1e9,
	              ratio(t->cpu_ns, t->answered) / 1e3);
	(void)fprintf(out,
	              "memory     %.1f MB empty, %.1f MB with all peers (%.1f bytes each), %.1f MB "
	              "at the end\n",
	              (double)t->rss_empty / 1e6, (double)t->rss_full / 1e6, bytes_per_peer(t, o),
	              (double)t->rss_end / 1e6);
}

void report_text(FILE *out, const struct tally *t, const struct options *o)
{
	(void)fprintf(out,
	              "sent       %" PRIu64 " announces, %" PRIu64 " connects, %" PRIu64
	              " scrapes in %.2f s; %" PRIu64 " due and never sent\n",
	              t->sent[UDP_ANNOUNCE], t->sent[UDP_CONNECT], t->sent[UDP_SCRAPE],
	              (double)t->ns / 1e9, t->unsent);
	(void)fprintf(out,
	              "answered   %" PRIu64 ", %.0f a second; %" PRIu64 " lost, %" PRIu64
	              " late, %" PRIu64 " foreign, %" PRIu64 " reconnects\n",
	              t->answered, ratio(t->answered, t->ns) * 1e9, t->lost, t->late, t->foreign,
	              t->reconnects);
	(void)fputs("replies    ", out);
	for (unsigned v = 0; v < REPLY_KINDS_; v++)
		if (v == REPLY_GOOD || t->verdicts[v] > 0)
			(void)fprintf(out, "%s%" PRIu64 " %s", v == REPLY_GOOD ? "" : ", ",
			              t->verdicts[v], verdict_name(v));
	(void)fprintf(out, "; %.1f peers in each announce\n", ratio(t->peers, t->announced));
	text_latency(out, "latency", &t->latency);
	if (o->rate != 0)
		text_latency(out, "service", &t->service);
	(void)fprintf(out, "p4pload    %.2f s CPU\n", (double)t->own_cpu_ns / 1e9);
	if (o->pid != 0)
		text_tracker(out, t, o);
}
