/* SPDX-License-Identifier: Apache-2.0 */
#include "server/config/config.h"

#include <confuse.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, NUMBER, DECIMAL, SWITCH, CHOICE };
enum when { LIVE, RESTART };

struct option {
	enum kind kind;
	enum when when;
	const char *name;
	size_t offset;
	const char *def;
	uint64_t min, max;   /* of a number; of a text's length */
	const char *choices; /* "a|b" */
	const char *help;
};

static const struct option options[] = {
#define OPTION(kind, name, def, min, max, choices, when, help) \
	{ kind, when, #name, offsetof(struct config, name), def, min, max, choices, help },
#include "server/config/options.def" /* NOLINT(bugprone-suspicious-include): the table */
#undef OPTION
};

enum { LATE_BINS_MAX = 4000 /* of flows, in memory */ };

enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

static const struct option *find(const char *name, size_t size)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0)
			return &options[i];
	return NULL;
}

static void put_number(struct config *c, const struct option *o, uint64_t v)
{
	memcpy((char *)c + o->offset, &v, sizeof(v));
}

/* "2", "2.0", "1.85" in thousandths. */
static bool decimal(const char *s, uint64_t *milli)
{
	uint64_t whole, part = 0, scale = 1000;
	const size_t n = strcspn(s, ".");
	if (!text_u64(s, n, &whole) || whole > UINT32_MAX)
		return false;
	if (s[n] == '.') {
		const char *digits = s + n + 1;
		const size_t size = strlen(digits);
		if (size > 3 || !text_u64(digits, size, &part))
			return false;
		for (size_t i = 0; i < size; i++)
			scale /= 10;
		part *= scale;
	}
	*milli = whole * 1000 + part;
	return true;
}

static bool is_choice(const char *choices, const char *value)
{
	const size_t size = strlen(value);
	for (const char *c = choices; size > 0 && *c != '\0';) {
		const size_t n = strcspn(c, "|");
		if (n == size && memcmp(c, value, n) == 0)
			return true;
		c += n + (c[n] == '|');
	}
	return false;
}

static enum err set_text(struct config *c, const struct option *o, const char *value,
                         struct fault *f)
{
	const size_t size = strlen(value);
	if (o->kind == CHOICE && !is_choice(o->choices, value))
		return fault_set(f, ERR_RANGE, o->name, "must be one of %s, not '%s'", o->choices,
		                 value);
	if (o->kind == TEXT && (size < o->min || size > o->max))
		return fault_set(f, ERR_RANGE, o->name,
		                 "must have %" PRIu64 " to %" PRIu64 " characters", o->min, o->max);
	memset((char *)c + o->offset, 0, CONFIG_TEXT_SIZE);
	memcpy((char *)c + o->offset, value, size);
	return ERR_OK;
}

static enum err set_number(struct config *c, const struct option *o, const char *value,
                           struct fault *f)
{
	uint64_t v;
	const bool good =
		o->kind == DECIMAL ? decimal(value, &v) : text_u64(value, strlen(value), &v);
	if (!good)
		return fault_set(f, ERR_MALFORMED, o->name, "must be a %s, not '%s'",
		                 o->kind == DECIMAL ? "number such as 1.8" : "whole number", value);
	const uint64_t unit = o->kind == DECIMAL ? 1000 : 1;
	if (v < o->min * unit || v > o->max * unit)
		return fault_set(f, ERR_RANGE, o->name,
		                 "must be between %" PRIu64 " and %" PRIu64 ", not %s", o->min,
		                 o->max, value);
	put_number(c, o, v);
	return ERR_OK;
}

static enum err set_switch(struct config *c, const struct option *o, const char *value,
                           struct fault *f)
{
	const int v = cfg_parse_boolean(value);
	if (v < 0)
		return fault_set(f, ERR_MALFORMED, o->name, "must be true or false, not '%s'",
		                 value);
	put_number(c, o, (uint64_t)v);
	return ERR_OK;
}

static enum err set(struct config *c, const struct option *o, const char *value, struct fault *f)
{
	switch (o->kind) {
	case TEXT:
	case CHOICE:
		return set_text(c, o, value, f);
	case NUMBER:
	case DECIMAL:
		return set_number(c, o, value, f);
	case SWITCH:
		return set_switch(c, o, value, f);
	}
	must(false);
	return ERR_MALFORMED;
}

/* libconfuse reports through a callback without context. */
static _Thread_local struct fault *reading;

static void __attribute__((format(printf, 2, 0))) report(cfg_t *cfg, const char *fmt, va_list ap)
{
	char where[sizeof(reading->where)], text[sizeof(reading->text)];
	(void)snprintf(where, sizeof(where), "%s line %d",
	               cfg->filename != NULL ? cfg->filename : "p4pd.conf", cfg->line);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)fault_set(reading, ERR_MALFORMED, where, "%s", text);
}

/*
 * Every option is a string to libconfuse: it does syntax, comments, quotes and line numbers; types
 * and ranges are the table's.
 */
static enum err read_file(struct config *c, const char *file, struct fault *f)
{
	cfg_opt_t opts[N_OPTIONS + 1];
	for (size_t i = 0; i < N_OPTIONS; i++)
		opts[i] = (cfg_opt_t)CFG_STR(options[i].name, NULL, CFGF_NONE);
	opts[N_OPTIONS] = (cfg_opt_t)CFG_END();

	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	if (cfg == NULL)
		return ERR_NOMEM;
	cfg_set_error_function(cfg, report);
	reading = f;
	const int result = cfg_parse(cfg, file);
	enum err e = result == CFG_SUCCESS ? ERR_OK : ERR_MALFORMED;
	if (result == CFG_FILE_ERROR)
		e = fault_set(f, ERR_SYSTEM, file, "cannot be read");
	for (size_t i = 0; i < N_OPTIONS && e == ERR_OK; i++) {
		const char *value = cfg_getstr(cfg, options[i].name);
		if (value != NULL)
			e = set(c, &options[i], value, f);
	}
	cfg_free(cfg);
	return e;
}

static enum err apply_setting(struct config *c, const char *setting, struct fault *f)
{
	const size_t n = strcspn(setting, "=");
	const struct option *o = find(setting, n);
	if (setting[n] == '\0')
		return fault_set(f, ERR_MALFORMED, setting, "a setting is NAME=VALUE");
	if (o == NULL)
		return fault_set(f, ERR_NOT_FOUND, setting,
		                 "there is no option '%.*s'; --print-config lists them all", (int)n,
		                 setting);
	return set(c, o, setting + n + 1, f);
}

/* What no single option can tell. */
static enum err check_together(const struct config *c, struct fault *f)
{
	if (c->min_interval > c->announce_interval)
		return fault_set(f, ERR_RANGE, "min_interval",
		                 "must not be above announce_interval (%" PRIu64 ")",
		                 c->announce_interval);
	if (c->peer_timeout <= c->announce_interval)
		return fault_set(f, ERR_RANGE, "peer_timeout",
		                 "must be above announce_interval (%" PRIu64
		                 "), or peers are forgotten between two announces",
		                 c->announce_interval);
	const bool tls = c->listen_tracker_tls[0] != '\0';
	if (tls && (c->tls_certificate[0] == '\0' || c->tls_key[0] == '\0'))
		return fault_set(f, ERR_RANGE, "listen_tracker_tls",
		                 "needs tls_certificate and tls_key");
	const bool own = c->api_tls_certificate[0] != '\0' || c->api_tls_key[0] != '\0';
	const char *certificate = own ? c->api_tls_certificate : c->tls_certificate;
	const char *key = own ? c->api_tls_key : c->tls_key;
	if (c->listen_api_tls[0] != '\0' && (certificate[0] == '\0' || key[0] == '\0'))
		return fault_set(
			f, ERR_RANGE, "listen_api_tls",
			"needs api_tls_certificate and api_tls_key, or those of the tracker, "
			"tls_certificate and tls_key");
	if (86400 % c->bin_seconds != 0)
		return fault_set(f, ERR_RANGE, "bin_seconds",
		                 "must divide a day (86400 seconds), and %" PRIu64 " does not",
		                 c->bin_seconds);
	if (c->late_seconds / c->bin_seconds > LATE_BINS_MAX)
		return fault_set(f, ERR_RANGE, "late_seconds",
		                 "must not be above %d bins of bin_seconds (%" PRIu64 ")",
		                 LATE_BINS_MAX, c->bin_seconds);
	if (strcmp(c->access, "list") != 0 && c->access_file[0] != '\0')
		return fault_set(f, ERR_RANGE, "access_file",
		                 "is of no use while access is \"open\"; set access = \"list\"");
	return ERR_OK;
}

enum err config_load(const char *file, const char *const *settings, size_t n_settings,
                     struct config *out, struct fault *fault)
{
	struct config c = { 0 };
	for (size_t i = 0; i < N_OPTIONS; i++)
		must(set(&c, &options[i], options[i].def, fault) == ERR_OK);

	enum err e = file != NULL ? read_file(&c, file, fault) : ERR_OK;
	for (size_t i = 0; i < n_settings && e == ERR_OK; i++)
		e = apply_setting(&c, settings[i], fault);
	if (e == ERR_OK)
		e = check_together(&c, fault);
	if (e == ERR_OK)
		*out = c;
	return e;
}

static bool is_text(const struct option *o)
{
	return o->kind == TEXT || o->kind == CHOICE;
}

void config_needs_restart(const struct config *old, const struct config *now, struct text *names)
{
	text_put(names, "");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *o = &options[i];
		const size_t size = is_text(o) ? CONFIG_TEXT_SIZE : sizeof(uint64_t);
		if (o->when == RESTART &&
		    memcmp((const char *)old + o->offset, (const char *)now + o->offset, size) != 0)
			text_printf(names, "%s%s", names->size > 0 ? " " : "", o->name);
	}
}

/* Writes `s` in lines of at most 96 columns, each after `lead`. */
static void wrap(struct text *out, const char *lead, const char *s)
{
	size_t column = 0;
	while (*s != '\0') {
		const size_t n = strcspn(s, " ");
		if (column > 0 && column + 1 + n > 96) {
			text_put(out, "\n");
			column = 0;
		}
		text_put(out, column == 0 ? lead : " ");
		column += (column == 0 ? strlen(lead) : 1) + n;
		text_add(out, s, n);
		s += n + (s[n] == ' ');
	}
	text_put(out, "\n");
}

static void print_range(struct text *out, const struct option *o)
{
	if (o->kind == NUMBER || o->kind == DECIMAL)
		text_printf(out, "%" PRIu64 " to %" PRIu64, o->min, o->max);
	else if (o->kind == CHOICE)
		text_put(out, o->choices);
	else
		text_put(out, o->kind == SWITCH ? "true or false" : "text");
	text_put(out, o->when == LIVE ? "; SIGHUP changes it" : "; needs a restart");
}

static void print_default(struct text *out, const char *lead, const struct option *o)
{
	const char *quote = is_text(o) ? "\"" : "";
	text_printf(out, "%s%s%s%s\n", lead, quote, o->def, quote);
}

void config_print_example(struct text *out)
{
	text_put(out, "# p4pd.conf: every option with its default. See p4pd.conf(5).\n"
	              "# Generated by `p4pd --print-config`.\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *o = &options[i];
		text_put(out, "\n");
		wrap(out, "# ", o->help);
		text_put(out, "# (");
		print_range(out, o);
		text_printf(out, ")\n#%s", o->name);
		print_default(out, " = ", o);
	}
}

void config_print_manual(struct text *out)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *o = &options[i];
		text_printf(out, "%s**%s** (", i > 0 ? "\n" : "", o->name);
		print_range(out, o);
		text_put(out, ")\n");
		wrap(out, "  ", o->help);
		print_default(out, "\n  *Default:* ", o);
	}
}
