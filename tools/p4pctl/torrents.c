/* SPDX-License-Identifier: Apache-2.0 */
/* torrent check, torrent create */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/create.h"
#include "tools/p4pctl/ctl.h"
#include "tools/p4pctl/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- whose a tracker is ---- */

struct known {
	struct ours ours;
	struct tracker_url list[CTL_GIVEN_MAX];
	char said[256]; /* for people: what counts as ours */
};

/* Every --tracker; without one whatever is on the host of the server. */
static enum ctl_exit know_ours(const struct ctl *c, struct known *k)
{
	struct text said = { 0 };
	size_t at = 0;
	*k = (struct known){ .ours.list = k->list };
	for (const char *url; (url = ctl_next(c, CTL_TRACKER, &at)) != NULL;) {
		if (!tracker_url_parse(url, strlen(url), &k->list[k->ours.n]) ||
		    k->list[k->ours.n].scheme == SCHEME_OTHER)
			return ctl_fail(CTL_USAGE,
			                "--tracker %s: must be an announce URL, as "
			                "http://HOST:PORT/announce",
			                url);
		text_printf(&said, "%s%s", k->ours.n++ > 0 ? ", " : "", url);
	}
	if (k->ours.n == 0) {
		if (!tracker_url_parse(c->url, strlen(c->url), &k->list[0]))
			return ctl_fail(CTL_USAGE, "%s: is no URL (--url, P4PD_URL)", c->url);
		k->ours.n = 1;
		k->ours.any_port = true;
		text_printf(&said, "whatever is on %.*s (--tracker, --url)",
		            (int)k->list[0].host_size, k->list[0].host);
	}
	(void)snprintf(k->said, sizeof(k->said), "%s", said.size > 0 ? said.bytes : "");
	text_done(&said);
	return CTL_OK;
}

/* ---- for people ---- */

/* What others wrote, safe for a terminal. text_done() it. */
static struct text clean(const void *bytes, size_t size)
{
	struct text t = { 0 };
	text_add(&t, "", 0);
	text_clean(&t, bytes, size);
	return t;
}

static void print_link(const struct torrent_link *l, const struct ours *ours)
{
	static const char *const words[] = { [LINK_TRACKER] = "tracker",
		                             [LINK_WEB_SEED] = "web seed",
		                             [LINK_HTTP_SEED] = "http seed",
		                             [LINK_DHT_NODE] = "dht node" };
	struct text url = clean(l->url, l->size);
	printf("%-13s ", words[l->kind]);
	if (l->kind == LINK_TRACKER && l->tier > 0)
		printf("tier %u: ", l->tier);
	else if (l->kind == LINK_TRACKER)
		printf("no tier: ");
	printf("%s", url.bad ? "" : url.bytes);
	if (l->kind == LINK_DHT_NODE)
		printf(" port %u", l->port);
	else if (l->kind == LINK_TRACKER)
		printf("  (%s)", verdict_is_ours(ours, l) ? "ours" : "foreign");
	printf("\n");
	text_done(&url);
}

static void print_torrent(const struct torrent *t)
{
	struct text name = clean(t->name, t->name_size);
	char hex[65], size[UNITS_SIZE];
	printf("%-13s %s\n", "name", name.bad ? "" : name.bytes);
	text_hex(t->v1_hash, sizeof(t->v1_hash), hex);
	if (t->v1)
		printf("%-13s %s\n", "info-hash v1", hex);
	text_hex(t->v2_hash, sizeof(t->v2_hash), hex);
	if (t->v2)
		printf("%-13s %s\n%-13s %.40s\n", "info-hash v2", hex, "  announced", hex);
	printf("%-13s %s, %llu bytes in %llu file%s\n", "size",
	       units_print((double)t->size, "B", size), (unsigned long long)t->size,
	       (unsigned long long)t->n_files, t->n_files == 1 ? "" : "s");
	printf("%-13s %llu of %llu bytes\n", "pieces", (unsigned long long)t->n_pieces,
	       (unsigned long long)t->piece_length);
	printf("%-13s %s\n", "private", t->private ? "yes" : "no");
	text_done(&name);
}

/* What to write into access_file, so that reports know what steering binds. */
static void print_access(const struct torrent *t)
{
	const uint8_t *hashes[] = { t->v1 ? t->v1_hash : NULL, t->v2 ? t->v2_hash : NULL };
	for (size_t i = 0; i < 2; i++) {
		char hex[41];
		if (hashes[i] == NULL)
			continue;
		text_hex(hashes[i], 20, hex);
		printf("%-13s %s%s\n", "access_file", hex, t->private ? " private" : "");
	}
}

static void print_report(const struct torrent *t, const struct verdict *v, const struct known *k)
{
	static const char *const marks[] = {
		[EFFECT_NOTE] = "note", [EFFECT_PART] = "in part", [EFFECT_NONE] = "not"
	};
	print_torrent(t);
	print_access(t);
	for (size_t i = 0; i < t->n_links; i++)
		print_link(&t->links[i], &k->ours);
	printf("%-13s %s\n", "ours", k->said);
	printf("%-13s %s\n", "steering", verdict_word(v->worst));
	for (size_t i = 0; i < v->n; i++)
		printf("  %s: %s [%s]\n", marks[v->list[i].effect], v->list[i].text,
		       v->list[i].kind);
}

/* ---- for programs ---- */

static json_t *json_text(const void *bytes, size_t size)
{
	struct text t = clean(bytes, size);
	json_t *s = t.bad ? NULL : json_string(t.bytes);
	text_done(&t);
	return s;
}

static json_t *json_hash(bool there, const uint8_t *hash, size_t size)
{
	char hex[65];
	text_hex(hash, size, hex);
	return there ? json_string(hex) : json_null();
}

static json_t *json_links(const struct torrent *t, enum torrent_link_kind kind,
                          const struct ours *ours)
{
	json_t *list = json_array();
	for (size_t i = 0; i < t->n_links; i++) {
		const struct torrent_link *l = &t->links[i];
		if (l->kind != kind)
			continue;
		json_t *url = json_text(l->url, l->size);
		if (kind == LINK_TRACKER)
			url = json_pack("{s:o,s:i,s:b}", "url", url, "tier", (int)l->tier, "ours",
			                (int)verdict_is_ours(ours, l));
		else if (kind == LINK_DHT_NODE)
			url = json_pack("{s:o,s:i}", "host", url, "port", (int)l->port);
		(void)json_array_append_new(list, url);
	}
	return list;
}

static json_t *json_report(const char *file, const struct torrent *t, const struct verdict *v,
                           const struct ours *ours)
{
	static const char *const words[] = {
		[EFFECT_NOTE] = "note", [EFFECT_PART] = "part", [EFFECT_NONE] = "none"
	};
	json_t *found = json_array();
	for (size_t i = 0; i < v->n; i++)
		(void)json_array_append_new(
			found, json_pack("{s:s,s:s,s:s}", "effect", words[v->list[i].effect],
		                         "kind", v->list[i].kind, "text", v->list[i].text));
	return json_pack("{s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:b,s:o,s:o,s:o,s:o,s:s,s:o}", "file",
	                 json_text(file, strlen(file)), "name", json_text(t->name, t->name_size),
	                 "info_hash_v1", json_hash(t->v1, t->v1_hash, sizeof(t->v1_hash)),
	                 "info_hash_v2", json_hash(t->v2, t->v2_hash, sizeof(t->v2_hash)), "size",
	                 (json_int_t)t->size, "files", (json_int_t)t->n_files, "piece_length",
	                 (json_int_t)t->piece_length, "pieces", (json_int_t)t->n_pieces, "private",
	                 (int)t->private, "trackers", json_links(t, LINK_TRACKER, ours),
	                 "web_seeds", json_links(t, LINK_WEB_SEED, ours), "http_seeds",
	                 json_links(t, LINK_HTTP_SEED, ours), "dht_nodes",
	                 json_links(t, LINK_DHT_NODE, ours), "steering",
	                 v->worst == EFFECT_NOTE ? "full" : words[v->worst], "findings", found);
}

/* ---- check ---- */

/* One torrent in `bytes`: prints it, or appends it to `json`. CTL_REFUSED: steering does not bind in full. */
static enum ctl_exit report(const char *file, const struct text *bytes, const struct known *k,
                            json_t *json)
{
	struct torrent t;
	struct fault fault;
	size_t byte;
	const enum err e = torrent_read(bytes->bytes, bytes->size, &t, &fault, &byte);
	if (e != ERR_OK) {
		ctl_say("%s: %s: %s [%s] (byte %zu)", file, fault.where, fault.text, fault.kind,
		        byte);
		if (json != NULL)
			(void)json_array_append_new(
				json, json_pack("{s:o,s:{s:s,s:I,s:s,s:s}}", "file",
			                        json_text(file, strlen(file)), "fault", "where",
			                        fault.where, "byte", (json_int_t)byte, "code",
			                        fault.kind, "text", fault.text));
		return CTL_USAGE;
	}
	const struct verdict v = verdict_of(&t, &k->ours);
	if (json != NULL)
		(void)json_array_append_new(json, json_report(file, &t, &v, &k->ours));
	else
		print_report(&t, &v, k);
	torrent_done(&t);
	return v.worst == EFFECT_NOTE ? CTL_OK : CTL_REFUSED;
}

/* {"torrents": [...]}; takes the list. */
static enum ctl_exit print_json(json_t *list)
{
	json_t *all = json_pack("{s:o}", "torrents", list);
	char *text = all != NULL ? json_dumps(all, JSON_INDENT(1)) : NULL;
	enum ctl_exit code = CTL_OK;
	if (text != NULL)
		printf("%s\n", text);
	else
		code = ctl_fail(CTL_USAGE, "out of memory");
	free(text);
	json_decref(all);
	return code;
}

enum ctl_exit ctl_torrent_check(const struct ctl *c)
{
	struct known k;
	enum ctl_exit code = know_ours(c, &k);
	if (code != CTL_OK)
		return code;
	json_t *json = c->json ? json_array() : NULL;
	for (size_t i = 0; i < c->n_args; i++) {
		struct text bytes = { 0 }, name = clean(c->args[i], strlen(c->args[i]));
		const char *shown = name.bad ? "" : name.bytes;
		enum ctl_exit one = CTL_USAGE;
		if (!c->json && c->n_args > 1)
			printf("%s%s:\n", i > 0 ? "\n" : "", shown);
		if (ctl_read_file(c->args[i], TORRENT_SIZE_MAX, &bytes))
			one = report(shown, &bytes, &k, json);
		code = one > code ? one : code;
		text_done(&bytes);
		text_done(&name);
	}
	const enum ctl_exit printed = c->json ? print_json(json) : CTL_OK;
	return printed > code ? printed : code;
}

/* ---- create ---- */

/* Nothing is overwritten, least of all what is shared. */
static enum ctl_exit write_new(const char *path, const struct text *bytes)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return ctl_fail(CTL_USAGE,
		                "%s: is there already; remove it, or name another --output", path);
	FILE *f = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (f == NULL)
		return ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
	const bool written = fwrite(bytes->bytes, 1, bytes->size, f) == bytes->size;
	if (fclose(f) == 0 && written)
		return CTL_OK;
	const int why = errno;
	(void)unlink(path);
	return ctl_fail(CTL_USAGE, "%s: %s", path, strerror(why));
}

/* false: said why. */
static bool read_options(const struct ctl *c, struct create *out)
{
	const char *n = c->option[CTL_PIECE_LENGTH], *date = c->option[CTL_DATE];
	out->public = c->option[CTL_PUBLIC] != NULL;
	out->hybrid = c->option[CTL_HYBRID] != NULL;
	out->comment = c->option[CTL_COMMENT];
	out->date = -1;
	if (n != NULL && (!text_u64(n, strlen(n), &out->piece_length) || out->piece_length == 0))
		return ctl_fail(CTL_USAGE, "--piece-length %s: must be a number of bytes", n) ==
		       CTL_OK;
	if (date != NULL && !text_time(date, &out->date))
		return ctl_fail(CTL_USAGE,
		                "--date %s: must be as 2026-11-21T10:05:00Z or unix seconds",
		                date) == CTL_OK;
	return true;
}

/* Writes what was made, and says what it is as check would. */
static enum ctl_exit finish(const struct ctl *c, const char *path, const struct text *bytes,
                            const struct known *k)
{
	struct torrent t;
	struct fault fault;
	size_t byte;
	if (torrent_read(bytes->bytes, bytes->size, &t, &fault, &byte) != ERR_OK)
		return ctl_fail(CTL_USAGE, "it would be no torrent that we can read: %s: %s",
		                fault.where, fault.text);
	torrent_done(&t);
	enum ctl_exit code = write_new(path, bytes);
	if (code != CTL_OK)
		return code;
	json_t *json = c->json ? json_array() : NULL;
	(void)report(path, bytes, k, json);
	return c->json ? print_json(json) : CTL_OK;
}

enum ctl_exit ctl_torrent_create(const struct ctl *c)
{
	const char *trackers[CTL_GIVEN_MAX], *web_seeds[CTL_GIVEN_MAX];
	struct create make = { .path = c->args[0], .trackers = trackers, .web_seeds = web_seeds };
	struct known k;
	size_t at = 0;
	while ((trackers[make.n_trackers] = ctl_next(c, CTL_TRACKER, &at)) != NULL)
		make.n_trackers++;
	at = 0;
	while ((web_seeds[make.n_web_seeds] = ctl_next(c, CTL_WEB_SEED, &at)) != NULL)
		make.n_web_seeds++;
	enum ctl_exit code = know_ours(c, &k);
	if (code != CTL_OK || !read_options(c, &make))
		return CTL_USAGE;

	struct text name = { 0 }, bytes = { 0 };
	struct fault fault;
	if (create_torrent(&make, &name, &bytes, &fault) != ERR_OK) {
		code = ctl_fail(CTL_USAGE, "%s: %s", fault.where, fault.text);
	} else {
		text_put(&name, ".torrent");
		code = name.bad ? ctl_fail(CTL_USAGE, "out of memory")
		                : finish(c,
		                         c->option[CTL_OUTPUT] != NULL ? c->option[CTL_OUTPUT]
		                                                       : name.bytes,
		                         &bytes, &k);
	}
	text_done(&name);
	text_done(&bytes);
	return code;
}
