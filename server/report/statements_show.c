/* SPDX-License-Identifier: Apache-2.0 */
/* A statement as JSON, as CSV, and as a page to print. */
#include "server/report/statements.h"

#include "server/report/sheet.h"

#include <inttypes.h>

static void put_string(struct text *out, const char *key, const char *value)
{
	text_put(out, key);
	text_json_string(out, value);
}

static void put_number(struct text *out, const char *key, uint64_t id)
{
	if (id == 0)
		text_printf(out, "%snull", key);
	else
		text_printf(out, "%s%" PRIu64, key, id);
}

void statement_json_about(const struct store_statement *st, struct text *out)
{
	char from[24], to[24], created[24];
	text_time_print(st->from, from);
	text_time_print(st->to, to);
	text_time_print(st->created, created);
	text_printf(out, "\"id\":%" PRIu64, st->id);
	put_string(out, ",\"provider\":", st->provider);
	put_string(out, ",\"contract\":", st->contract);
	text_printf(out, ",\"contract_version\":%" PRIu64, st->contract_version);
	put_string(out, ",\"period\":", st->period);
	put_string(out, ",\"from\":", from);
	put_string(out, ",\"to\":", to);
	put_string(out, ",\"created\":", created);
	put_string(out, ",\"author\":", st->author);
	put_string(out, ",\"software\":", st->software);
	put_string(out, ",\"inputs_sha256\":", st->inputs_sha256);
	put_number(out, ",\"supersedes\":", st->supersedes);
	put_number(out, ",\"superseded_by\":", st->superseded_by);
}

void statement_json(const struct store_statement *st, struct text *out)
{
	text_put(out, "{");
	statement_json_about(st, out);
	text_printf(out, ",\n\"figures\":{%s}}\n", st->json);
}

void statement_csv(const struct store_statement *st, struct text *out)
{
	char created[24];
	text_time_print(st->created, created);
	text_printf(out, "figure,value,unit\r\nstatement.id,%" PRIu64 ",\r\n", st->id);
	text_printf(out, "statement.period,%s,\r\nstatement.created,%s,\r\n", st->period, created);
	text_put(out, "statement.author,");
	text_csv_field(out, st->author);
	text_printf(out, ",\r\nstatement.software,%s,\r\nstatement.inputs_sha256,%s,\r\n",
	            st->software, st->inputs_sha256);
	text_put(out, "statement.supersedes,");
	if (st->supersedes > 0)
		text_printf(out, "%" PRIu64, st->supersedes);
	text_printf(out, ",\r\n%s", st->csv);
}

/* ---- the page ---- */

/* A4, and no scripts: what is printed is what was frozen. */
static const char style[] =
	"@page{size:A4;margin:18mm 16mm 20mm 20mm}"
	"html{font:10pt/1.4 \"Liberation Sans\",Arial,Helvetica,sans-serif;color:#111;background:#fff}"
	"body{max-width:176mm;margin:0 auto;padding:8mm 0}"
	"h1{font-size:17pt;margin:0 0 1mm}h2{font-size:12pt;margin:6mm 0 1.5mm;break-after:avoid;"
	"text-transform:capitalize}"
	"p{margin:0 0 3mm}.note{border:0.4mm solid #b00;padding:2mm 3mm;font-weight:bold}"
	"table{border-collapse:collapse;width:100%;table-layout:fixed}"
	"tr{break-inside:avoid}th,td{text-align:left;vertical-align:top;padding:0.7mm 2mm;"
	"border-bottom:0.2mm solid #ccc}"
	"th{font-weight:normal;color:#444;width:45%}td.n{text-align:right;"
	"font-variant-numeric:tabular-nums}td:last-child{width:18%;color:#444}"
	"td{overflow-wrap:anywhere}td[colspan]{width:auto;color:#111}"
	".hash{font-family:\"Liberation Mono\",monospace;font-size:8.5pt;word-break:break-all}"
	"footer{margin-top:6mm;border-top:0.4mm solid #111;padding-top:2mm;font-size:8.5pt}"
	"@media print{body{padding:0;max-width:none}}";

static void put_fact(struct text *out, const char *name, const char *value, const char *class)
{
	text_printf(out, "<tr><th scope=\"row\">%s</th><td%s%s%s colspan=\"2\">", name,
	            class != NULL ? " class=\"" : "", class != NULL ? class : "",
	            class != NULL ? "\"" : "");
	sheet_html_text(out, value);
	text_put(out, "</td></tr>\n");
}

static void put_clock(struct text *out, const char *name, const char *clock, const char *zone)
{
	text_printf(out, "<tr><th scope=\"row\">%s</th><td colspan=\"2\">%s ", name, clock);
	sheet_html_text(out, zone);
	text_put(out, "</td></tr>\n");
}

static void put_id(struct text *out, const char *name, uint64_t id)
{
	if (id > 0)
		text_printf(out,
		            "<tr><th scope=\"row\">%s</th><td colspan=\"2\">statement %" PRIu64
		            "</td></tr>\n",
		            name, id);
}

static void put_head(const struct store_statement *st, struct text *out)
{
	text_put(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	              "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	text_printf(out, "Statement %" PRIu64 ": ", st->id);
	sheet_html_text(out, st->provider);
	text_put(out, ", contract ");
	sheet_html_text(out, st->contract);
	text_printf(out, ", %s</title>\n<style>%s</style></head>\n<body>\n", st->period, style);
	text_printf(out, "<h1>Statement %" PRIu64 "</h1>\n<p>", st->id);
	sheet_html_text(out, st->provider);
	text_put(out, ", contract ");
	sheet_html_text(out, st->contract);
	text_printf(out, ", version %" PRIu64 ", period %s</p>\n", st->contract_version,
	            st->period);
	if (st->superseded_by > 0)
		text_printf(out,
		            "<p class=\"note\">Superseded: statement %" PRIu64
		            " of the same period has taken its place.</p>\n",
		            st->superseded_by);
}

static void put_facts(const struct store_statement *st, struct text *out)
{
	char created[24];
	text_time_print(st->created, created);
	text_put(out, "<table>\n");
	put_fact(out, "frozen", created, NULL);
	put_fact(out, "by", st->author, NULL);
	put_fact(out, "software", st->software, NULL);
	put_id(out, "supersedes", st->supersedes);
	put_fact(out, "SHA-256 of its inputs", st->inputs_sha256, "hash");
	text_put(out, "</table>\n");
}

void statement_html_period(const char *from, const char *to, const char *zone, struct text *out)
{
	text_put(out, "<table>\n");
	put_clock(out, "from", from, zone);
	put_clock(out, "to, not included", to, zone);
	text_put(out, "</table>\n");
}

void statement_html(const struct store_statement *st, struct text *out)
{
	put_head(st, out);
	put_facts(st, out);
	text_put(out, st->html);
	text_printf(
		out,
		"<footer>Out and in are as seen from the provider: out leaves its network. Times are UTC "
		"(Z) where no zone is named. "
		"Rates are of bins, in bit/s; 1 Mbit/s is 1,000,000 bit/s. Floor and ceiling say "
		"what the percentile could have been at least and at most, had every bin been known. "
		"The figures follow from the bins and the contract that the hash above seals: "
		"<code>p4pctl statement verify %" PRIu64 "</code>.</footer>\n</body></html>\n",
		st->id);
}
