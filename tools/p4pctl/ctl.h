/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * p4pctl: the API of p4pd for people and scripts. What a command gets, and what all of them share.
 *
 * Exit codes are part of the contract with scripts. With --json the answer of the server is printed as
 * it came, refusals too; commands that ask no server print what they know as JSON.
 */

#include "common/base/text.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* the server said no, and why; or steering does not bind, or in part */
	CTL_USAGE = 2,   /* we do not understand the command, or cannot read a file of it */
	CTL_AWAY = 3,    /* not reached, not authorised, or the server cannot now */
	CTL_CHANGES = 4  /* of a plan: good, and it changes something */
};

/* Options of commands; the table is in main.c. */
enum ctl_option {
	CTL_VERSION,
	CTL_PROVIDER,
	CTL_INTERCONNECT,
	CTL_FROM,
	CTL_TO,
	CTL_ROLE,
	CTL_RATIO_LIMIT,
	CTL_LIMIT,
	CTL_MAX_PEERS,
	CTL_PER_MINUTE,
	CTL_KEY,
	CTL_FORMAT,
	CTL_TRACKER,
	CTL_WEB_SEED,
	CTL_OUTPUT,
	CTL_PIECE_LENGTH,
	CTL_COMMENT,
	CTL_DATE,
	CTL_PORT,
	CTL_LEVEL,
	CTL_BY,
	CTL_ORDER,
	CTL_FOR,
	CTL_THRESHOLD,
	CTL_BINS,
	CTL_SEVERITY,
	CTL_SECRET_FILE,
	CTL_AT,
	CTL_MAP,
	CTL_ASN,
	CTL_INTO,
	CTL_PID,
	CTL_NEIGHBOR,
	CTL_NET,
	CTL_CAPACITY,
	CTL_TRANSIT,
	CTL_COSTS,
	CTL_COSTS_OUT,
	CTL_PIDS,
	CTL_MAPPING,
	CTL_EXPIRES,
	CTL_GRACE,
	CTL_HEAD,
	CTL_OVER,
	CTL_WITH,
	CTL_CSV, /* from here on: flags */
	CTL_ALL,
	CTL_DENIED,
	CTL_PUBLIC,
	CTL_PRIVATE,
	CTL_HYBRID,
	CTL_ON,
	CTL_OFF,
	CTL_SWAP,
	CTL_DRY_RUN,
	CTL_OFFLINE,
	CTL_TOPOLOGY,
	CTL_MINIMIZE,
	CTL_LAB,
	CTL_FORCE,
	CTL_WAIT,
	CTL_OPTIONS
};

enum { CTL_GIVEN_MAX = 64 };

struct ctl {
	const char *url, *token; /* token NULL: none was found */
	const char *cacert, *cert,
		*key; /* PEM files for https; NULL: curl's own, none, in `cert` */
	bool json;
	const char *option[CTL_OPTIONS]; /* NULL: not given; else the last */
	struct {
		enum ctl_option option;
		const char *value;
	} given[CTL_GIVEN_MAX]; /* all of them in order: some may come again */
	size_t n_given;
	char *const *args; /* after the command's words, as many as it asked for */
	size_t n_args;
	const char *command; /* "topology put" */
};

/* "p4pctl: ..." on standard error, a line that is fit for a terminal; returns `code`. */
enum ctl_exit ctl_fail(enum ctl_exit code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same without "p4pctl: ", for what begins with the name of a file. */
void ctl_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A fault of a document: where it is, and in which line of the body; NULL: not known. */
void ctl_fault(const char *file, const struct text *body, const char *where, const char *text,
               const char *kind);

/* The next value of an option that was given once or more, NULL after the last. *at begins as 0. */
const char *ctl_next(const struct ctl *c, enum ctl_option option, size_t *at);

/* "90", "30m", "8h", "7d" as seconds; false: it is none. */
bool ctl_duration(const char *s, uint64_t *seconds);

/* A whole file of at most `max` bytes, "-" is standard input. false: said why. text_done() it. */
bool ctl_read_file(const char *path, size_t max, struct text *out);
enum { CTL_DOCUMENT_MAX = 1 << 30, CTL_PLAN_MAX = 100 };
/* The same of a file of JSON, parsed. NULL: said why. json_decref() it, text_done() `body` either way. */
struct json_t *ctl_read_json(const char *path, struct text *body);

struct ctl_request {
	const char *method;
	struct text path; /* freed by ctl_ask() */
	const struct text *body;
	const char *content_type;
	const char *file; /* what the body was read from: faults are named with it; NULL: none */
	const char *if_match; /* what must be in force, in quotes; NULL: does not matter */
	char etag[96];        /* out: of the answer, in quotes; "" when it has none */
};

/* Adds "/segment" percent-encoded, or "?name=value" ("&..." after the first). NULL value: nothing. */
void ctl_segment(struct text *path, const char *segment);
void ctl_parameter(struct text *path, const char *name, const char *value);

/*
 * Asks. CTL_OK: 2xx, *answer is its body. Anything else has been explained on standard error, and
 * *answer is empty. text_done() it either way.
 */
enum ctl_exit ctl_ask(const struct ctl *c, struct ctl_request *r, struct text *answer);

/* The same for a GET, with the answer parsed: NULL, and *code says why. json_decref() it. */
struct json_t *ctl_get(const struct ctl *c, struct text path, enum ctl_exit *code);

/* Every version of a provider, page by page, as one answer. NULL: *code says why. json_decref() it. */
struct json_t *ctl_read_versions(const struct ctl *c, const char *provider, enum ctl_exit *code);
void ctl_dump(const struct json_t *json); /* for --json */

/* A GET whose answer has a list of objects, as a table: a column for each head (columns.h) with the member
 * of the same number, a whole number below a head that begins with '>'. */
enum ctl_exit ctl_table(const struct ctl *c, struct text path, const char *list,
                        const char *const *heads, const char *const *members);

/* A string of a JSON object, "" when it is none; and a number, -1 when it is none. */
const char *ctl_string(const struct json_t *object, const char *key);
double ctl_number(const struct json_t *object, const char *key);

typedef enum ctl_exit ctl_run(const struct ctl *c);

/* documents.c */
ctl_run ctl_document_put, ctl_document_check, ctl_document_show, ctl_document_diff;
ctl_run ctl_versions, ctl_activate;
/* changes.c */
ctl_run ctl_plan, ctl_apply, ctl_approve, ctl_cancel, ctl_rollback, ctl_history, ctl_show;
/* agreements.c */
ctl_run ctl_agreement_put, ctl_agreement_check, ctl_agreement_get, ctl_agreement_rm;
ctl_run ctl_agreement_list, ctl_agreement_versions;
/* agreed.c; the last asks no server */
ctl_run ctl_contracts, ctl_policies, ctl_policy_presets;
/* statements.c */
ctl_run ctl_statement_create, ctl_statement_list, ctl_statement_show, ctl_statement_verify;
/* figures.c */
ctl_run ctl_balance, ctl_quality, ctl_steering, ctl_matrix, ctl_top, ctl_interconnects, ctl_links,
	ctl_interconnect_set, ctl_samples_put;
/* exporters.c */
ctl_run ctl_exporters;
/* import.c */
ctl_run ctl_samples_import;
/* admin.c */
ctl_run ctl_token_create, ctl_token_list, ctl_token_change, ctl_token_rotate, ctl_token_revoke;
ctl_run ctl_passkey_create, ctl_passkey_list, ctl_passkey_revoke;
ctl_run ctl_access_allow, ctl_access_deny, ctl_access_forget, ctl_access_list;
ctl_run ctl_client_deny, ctl_client_forget, ctl_client_list;
ctl_run ctl_swarms, ctl_audit, ctl_audit_verify, ctl_status;
/* settings.c */
ctl_run ctl_settings_show, ctl_settings_set;
/* claims.c */
ctl_run ctl_provider_bind, ctl_provider_unbind, ctl_provider_asns;
ctl_run ctl_delegation_add, ctl_delegation_remove, ctl_delegation_list;
/* alarms.c */
ctl_run ctl_alarms_list, ctl_alarms_history, ctl_alarms_ack, ctl_alarms_mute;
ctl_run ctl_alarms_rules, ctl_alarms_rule;
ctl_run ctl_webhook_list, ctl_webhook_set, ctl_webhook_remove, ctl_webhook_test;
/* explain.c */
ctl_run ctl_explain;
/* sketches.c: these ask no server. The first: check --offline, of a file that was read. */
enum ctl_exit ctl_check_offline(const struct ctl *c, const char *provider, const struct text *file);
ctl_run ctl_import, ctl_topology_minimize, ctl_topology_coarsen;
/* torrents.c: these ask no server */
ctl_run ctl_torrent_check, ctl_torrent_create;
