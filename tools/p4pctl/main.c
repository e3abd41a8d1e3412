/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/ctl.h"

#include <curl/curl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIT(option) (UINT64_C(1) << (option))

static const struct option_row {
	const char *name, *value, *help; /* value NULL: a flag */
} options[CTL_OPTIONS] = {
	[CTL_VERSION] = { "version", "N", "that version, not the one in force" },
	[CTL_PROVIDER] = { "provider", "NAME", "of this provider" },
	[CTL_INTERCONNECT] = { "interconnect", "NAME", "only this interconnect" },
	[CTL_FROM] = { "from", "TIME", "start, as 2026-11-21T10:05:00Z or unix seconds" },
	[CTL_TO] = { "to", "TIME", "end; now when absent" },
	[CTL_ROLE] = { "role", "ROLE",
	               "viewer, analyst (default), operator, approver, auditor, admin" },
	[CTL_RATIO_LIMIT] = { "ratio-limit", "R", "2 means 2:1; \"none\" for none of its own" },
	[CTL_LIMIT] = { "limit", "N", "at most so many lines (100)" },
	[CTL_MAX_PEERS] = { "max-peers", "N", "at most so many peers at a time" },
	[CTL_PER_MINUTE] = { "announces-per-minute", "N", "at most so many announces" },
	[CTL_KEY] = { "key", "KEY", "take over this key of another tracker" },
	[CTL_FORMAT] = { "format", "FORMAT",
	                 "what it is written as; the manual page says what there is" },
	[CTL_TRACKER] = { "tracker", "URL", "an announce URL of ours; may come again" },
	[CTL_WEB_SEED] = { "web-seed", "URL", "where the files are on the web; may come again" },
	[CTL_OUTPUT] = { "output", "FILE", "write to it (NAME.torrent); it must not exist" },
	[CTL_PIECE_LENGTH] = { "piece-length", "N", "bytes, a power of two (chosen by size)" },
	[CTL_COMMENT] = { "comment", "TEXT", "a comment for whoever opens it" },
	[CTL_DATE] = { "date", "TIME", "a creation date, as 2026-11-21T10:05:00Z (none)" },
	[CTL_PORT] = { "port", "N", "the client that announced this port (any)" },
	[CTL_LEVEL] = { "level", "LEVEL", "pid (the default), as or interconnect" },
	[CTL_BY] = { "by", "WHAT", "what makes a group; the manual page says what there is" },
	[CTL_ORDER] = { "order", "ORDER", "bytes (the default) or cost" },
	[CTL_FOR] = { "for", "TIME",
	              "so long: seconds, or such as 30m, 8h (the default), 7d; 0 ends it" },
	[CTL_THRESHOLD] = { "threshold", "N", "beyond it is bad" },
	[CTL_BINS] = { "bins", "N", "bad in so many bins in a row" },
	[CTL_SEVERITY] = { "severity", "LEVEL", "from info (the default), warning or critical on" },
	[CTL_SECRET_FILE] = { "secret-file", "FILE",
	                      "sign with what it holds; else p4pd makes a secret" },
	[CTL_AT] = { "at", "TIME", "then, or the period that holds it; now when absent" },
	[CTL_MAP] = { "map", "FILE", "lines of PORT PROVIDER/INTERCONNECT" },
	[CTL_ASN] = { "asn", "N", "an ASN of the provider; may come again" },
	[CTL_INTO] = { "into", "FILE", "add to this topology, and write the whole" },
	[CTL_PID] = { "pid", "NAME", "the PID that gets what names none" },
	[CTL_NET] = { "net", "PREFIX", "give each PID a part of it" },
	[CTL_CAPACITY] = { "capacity-mbps", "N", "of every link, instead of the file's" },
	[CTL_TRANSIT] = { "transit", "PID",
	                  "transit of --neighbor is bought there; may come again" },
	[CTL_NEIGHBOR] = { "neighbor", "N", "only this neighbour's ASN; may come again" },
	[CTL_COSTS] = { "costs", "FILE", "write costs to it, where the files have some" },
	[CTL_COSTS_OUT] = { "costs-out", "FILE", "write the costs of fewer PIDs to it" },
	[CTL_EXPIRES] = { "expires", "TIME", "when it ends: a time, so long (90d), or never" },
	[CTL_GRACE] = { "grace", "TIME",
	                "the old one works for so long (10m); else it ends at once" },
	[CTL_HEAD] = { "head", "HEAD", "a head that was noted, N:CHAIN; may come again" },
	[CTL_PIDS] = { "pids", "N", "so many PIDs (22)" },
	[CTL_MAPPING] = { "mapping", "FILE", "write old,new of each PID to it, as CSV" },
	[CTL_OVER] = { "over", "N", "only over version N in force (0: none)" },
	[CTL_WITH] = { "with", "N", "version N of the other kind in the same instant" },
	[CTL_FORCE] = { "force", NULL, "guards do not refuse it" },
	[CTL_WAIT] = { "wait", NULL, "until it is in force and its watch is over" },
	[CTL_CSV] = { "csv", NULL, "as CSV, every digit kept" },
	[CTL_ALL] = { "all", NULL, "those that are no longer in force, or do not fire, too" },
	[CTL_DENIED] = { "denied", NULL, "those that are denied instead" },
	[CTL_PUBLIC] = { "public", NULL, "without the private flag: steering will not bind" },
	[CTL_PRIVATE] = { "private", NULL, "they carry the private flag, so that steering binds" },
	[CTL_ON] = { "on", NULL, "look at it" },
	[CTL_OFF] = { "off", NULL, "do not look at it" },
	[CTL_SWAP] = { "swap", NULL, "the file's in is the provider's out" },
	[CTL_DRY_RUN] = { "dry-run", NULL, "say what would be stored, and store nothing" },
	[CTL_OFFLINE] = { "offline", NULL, "ask no server: judge the document by itself" },
	[CTL_TOPOLOGY] = { "topology", "FILE", "the topology that has what the costs name" },
	[CTL_MINIMIZE] = { "minimize", NULL, "merge adjacent prefixes, drop covered ones" },
	[CTL_LAB] = { "lab", NULL, "private, loopback and documentation prefixes are allowed" },
	[CTL_HYBRID] = { "hybrid", NULL, "v1 and v2 (BEP 52) in one, not v1 alone" },
};

/* What an option is of one command alone, where that is something else. */
static const struct {
	const char *words;
	enum ctl_option option;
	const char *value, *help;
} meanings[] = {
	{ "rollback", CTL_TO, "N", "put back version N, not what was before the newest change" },
	{ "rollback", CTL_COMMENT, "TEXT", "why, for the history" },
	{ "topology coarsen", CTL_COSTS, "FILE",
	  "weigh these costs: who has equal ones goes first" },
	{ "topology coarsen", CTL_THRESHOLD, "N", "merge no PIDs whose --costs differ by more" },
};

/* Beside the options: the command asks no server. */
#define NO_SERVER BIT(CTL_OPTIONS)
_Static_assert(CTL_OPTIONS < 64, "a bit for each option and for NO_SERVER");
/* What every import takes. */
#define IMPORT                                                                              \
	(NO_SERVER | BIT(CTL_PROVIDER) | BIT(CTL_ASN) | BIT(CTL_INTO) | BIT(CTL_MINIMIZE) | \
	 BIT(CTL_LAB))
/* And those of graphs. */
#define GRAPH (BIT(CTL_NET) | BIT(CTL_CAPACITY) | BIT(CTL_TRANSIT) | BIT(CTL_NEIGHBOR))

static const struct command {
	const char *words, *args, *help;
	size_t args_min, args_max;
	uint64_t options;
	ctl_run *run;
} commands[] = {
	{ "topology put", "[PROVIDER] FILE",
	  "upload a topology: it is checked, stored and activated", 1, 2,
	  BIT(CTL_DRY_RUN) | BIT(CTL_LIMIT), ctl_document_put },
	{ "topology check", "[PROVIDER] FILE", "say what an upload would change, and store nothing",
	  1, 2, BIT(CTL_LIMIT) | BIT(CTL_OFFLINE) | BIT(CTL_LAB), ctl_document_check },
	{ "topology show", "PROVIDER", "print the topology in force", 1, 1, BIT(CTL_VERSION),
	  ctl_document_show },
	{ "topology diff", "[PROVIDER] FILE", "list what differs from the topology in force", 1, 2,
	  BIT(CTL_VERSION), ctl_document_diff },
	{ "topology minimize", "FILE", "merge adjacent prefixes, drop covered ones, and print it",
	  1, 1, NO_SERVER | BIT(CTL_LAB), ctl_topology_minimize },
	{ "topology coarsen", "FILE", "propose fewer PIDs, print them and say what is lost", 1, 1,
	  NO_SERVER | BIT(CTL_PIDS) | BIT(CTL_MAPPING) | BIT(CTL_LAB) | BIT(CTL_COSTS) |
	          BIT(CTL_COSTS_OUT) | BIT(CTL_THRESHOLD),
	  ctl_topology_coarsen },
	{ "costs put", "[PROVIDER] FILE", "upload costs: they are checked, stored and activated", 1,
	  2, BIT(CTL_DRY_RUN) | BIT(CTL_LIMIT), ctl_document_put },
	{ "costs check", "[PROVIDER] FILE", "say what an upload would change, and store nothing", 1,
	  2, BIT(CTL_LIMIT) | BIT(CTL_OFFLINE) | BIT(CTL_TOPOLOGY) | BIT(CTL_LAB),
	  ctl_document_check },
	{ "costs show", "PROVIDER", "print the costs in force", 1, 1, BIT(CTL_VERSION),
	  ctl_document_show },
	{ "costs diff", "[PROVIDER] FILE", "list what differs from the costs in force", 1, 2,
	  BIT(CTL_VERSION), ctl_document_diff },
	{ "versions", "PROVIDER", "list every document that was ever uploaded", 1, 1, 0,
	  ctl_versions },
	{ "activate", "PROVIDER N", "put version N in force: roll back, or forward", 2, 2, 0,
	  ctl_activate },
	{ "import csv", "FILE...", "make a topology, and costs, of sheets of CSV", 1, 64,
	  IMPORT | BIT(CTL_COSTS), ctl_import },
	{ "import geofeed", "FILE...", "make a topology of RFC 8805 geofeeds, PIDs --by city", 1,
	  64, IMPORT | BIT(CTL_BY), ctl_import },
	{ "import alto", "FILE...", "make a topology, and --costs, of ALTO's maps (RFC 7285)", 1,
	  64, IMPORT | BIT(CTL_COSTS), ctl_import },
	{ "import sndlib", "FILE", "make a topology of a network of SNDlib (XML)", 1, 1,
	  IMPORT | GRAPH, ctl_import },
	{ "import graphml", "FILE", "make a topology of GraphML, as of the Topology Zoo", 1, 1,
	  IMPORT | GRAPH, ctl_import },
	{ "import ietf", "FILE", "make a topology of RFC 8345's and 8346's JSON", 1, 1,
	  IMPORT | GRAPH, ctl_import },
	{ "import asrel", "FILE...", "take relations of neighbours from CAIDA's or TopoScope's", 1,
	  64, IMPORT | BIT(CTL_PID) | BIT(CTL_NEIGHBOR), ctl_import },
	{ "import mrt", "FILE...", "take the reach of interconnects from a RIB (bgpdump -m)", 1, 64,
	  IMPORT | BIT(CTL_BY), ctl_import },
	{ "import peeringdb", "FILE...", "find interconnects in PeeringDB's tables (JSON)", 1, 64,
	  IMPORT | BIT(CTL_PID) | BIT(CTL_NEIGHBOR), ctl_import },
	{ "import pfx2as", "FILE...", "make a PID of what ASNs originate (pyasn, pfx2as)", 1, 64,
	  IMPORT | BIT(CTL_PID), ctl_import },
	{ "plan", "FILE...", "store drafts, and say what each would change", 1, CTL_PLAN_MAX,
	  BIT(CTL_LIMIT), ctl_plan },
	{ "apply", "[PROVIDER VERSION | FILE]",
	  "put a draft in force, now or at a time, and watch it", 1, 2,
	  BIT(CTL_AT) | BIT(CTL_OVER) | BIT(CTL_WITH) | BIT(CTL_FORCE) | BIT(CTL_WAIT), ctl_apply },
	{ "approve", "PROVIDER VERSION", "let a draft of somebody else pass", 2, 2, 0,
	  ctl_approve },
	{ "cancel", "PROVIDER VERSION", "schedule a version no more", 2, 2, 0, ctl_cancel },
	{ "rollback", "PROVIDER", "put back what was before the newest change, or version --to", 1,
	  1, BIT(CTL_TO) | BIT(CTL_COMMENT), ctl_rollback },
	{ "history", "PROVIDER", "list all versions, and what became of each", 1, 1, 0,
	  ctl_history },
	{ "show", "PROVIDER VERSION", "say what became of a version", 2, 2, 0, ctl_show },
	{ "policy put", "FILE", "upload a ratio policy: it is checked and in force", 1, 1, 0,
	  ctl_agreement_put },
	{ "policy check", "FILE", "say whether an upload would be taken, and store nothing", 1, 1,
	  0, ctl_agreement_check },
	{ "policy get", "PROVIDER ID", "print the ratio policy in force", 2, 2, BIT(CTL_VERSION),
	  ctl_agreement_get },
	{ "policy list", "PROVIDER", "list the ratio policies in force", 1, 1, 0,
	  ctl_agreement_list },
	{ "policy versions", "PROVIDER ID", "list every version there was of a ratio policy", 2, 2,
	  0, ctl_agreement_versions },
	{ "policy rm", "PROVIDER ID", "end a ratio policy; its versions are kept", 2, 2, 0,
	  ctl_agreement_rm },
	{ "policy presets", "[ID]", "list policies of known networks, or print one to start from",
	  0, 1, NO_SERVER, ctl_policy_presets },
	{ "policies", "[PROVIDER [ID]]", "show what each ratio policy says now, and of the past", 0,
	  2, BIT(CTL_AT) | BIT(CTL_CSV), ctl_policies },
	{ "contracts", "[PROVIDER [ID]]", "show each contract's period so far, and its cost", 0, 2,
	  BIT(CTL_AT) | BIT(CTL_CSV), ctl_contracts },
	{ "contract put", "FILE", "upload a contract: it is checked and in force", 1, 1, 0,
	  ctl_agreement_put },
	{ "contract check", "FILE", "say whether an upload would be taken, and store nothing", 1, 1,
	  0, ctl_agreement_check },
	{ "contract get", "PROVIDER ID", "print the contract in force", 2, 2, BIT(CTL_VERSION),
	  ctl_agreement_get },
	{ "contract list", "PROVIDER", "list the contracts in force", 1, 1, 0, ctl_agreement_list },
	{ "contract versions", "PROVIDER ID", "list every version there was of a contract", 2, 2, 0,
	  ctl_agreement_versions },
	{ "contract rm", "PROVIDER ID", "end a contract; its versions are kept", 2, 2, 0,
	  ctl_agreement_rm },
	{ "statement create", "PROVIDER CONTRACT PERIOD",
	  "freeze a period that has ended (2026-11) with all that it rests on", 3, 3, 0,
	  ctl_statement_create },
	{ "statement list", "[PROVIDER [CONTRACT]]", "list the statements, newest first", 0, 2, 0,
	  ctl_statement_list },
	{ "statement show", "ID", "print a statement, as CSV or in --format json or html", 1, 1,
	  BIT(CTL_FORMAT), ctl_statement_show },
	{ "statement verify", "ID", "compute a statement again, and compare its bins with today's",
	  1, 1, 0, ctl_statement_verify },
	{ "balance", "", "show what crossed each interconnect (the last 24 hours)", 0, 0,
	  BIT(CTL_FROM) | BIT(CTL_TO) | BIT(CTL_PROVIDER) | BIT(CTL_INTERCONNECT) | BIT(CTL_CSV),
	  ctl_balance },
	{ "quality", "",
	  "show how good the bins are: known, missing, estimated (the last 24 hours)", 0, 0,
	  BIT(CTL_FROM) | BIT(CTL_TO) | BIT(CTL_PROVIDER) | BIT(CTL_INTERCONNECT) | BIT(CTL_CSV),
	  ctl_quality },
	{ "steering", "",
	  "show what steering changed, against the control group (the last 24 hours)", 0, 0,
	  BIT(CTL_FROM) | BIT(CTL_TO) | BIT(CTL_PROVIDER) | BIT(CTL_CSV), ctl_steering },
	{ "matrix", "", "show from where to where bytes went, by announces (the last 24 hours)", 0,
	  0,
	  BIT(CTL_FROM) | BIT(CTL_TO) | BIT(CTL_PROVIDER) | BIT(CTL_LEVEL) | BIT(CTL_LIMIT) |
	          BIT(CTL_CSV),
	  ctl_matrix },
	{ "top", "", "show the largest PIDs, networks or swarms (the last 24 hours)", 0, 0,
	  BIT(CTL_FROM) | BIT(CTL_TO) | BIT(CTL_PROVIDER) | BIT(CTL_BY) | BIT(CTL_ORDER) |
	          BIT(CTL_LIMIT) | BIT(CTL_CSV),
	  ctl_top },
	{ "interconnects list", "", "list the interconnects", 0, 0,
	  BIT(CTL_PROVIDER) | BIT(CTL_ALL), ctl_interconnects },
	{ "interconnects set", "PROVIDER INTERCONNECT", "set the ratio limit of an interconnect", 2,
	  2, BIT(CTL_RATIO_LIMIT), ctl_interconnect_set },
	{ "links", "", "list the links inside providers, what they cost now and carry", 0, 0,
	  BIT(CTL_PROVIDER), ctl_links },
	{ "samples put", "FILE", "upload interface counters, JSON or CSV", 1, 1, 0,
	  ctl_samples_put },
	{ "samples import", "FILE", "make bins of what another tool counted", 1, 1,
	  BIT(CTL_FORMAT) | BIT(CTL_INTERCONNECT) | BIT(CTL_MAP) | BIT(CTL_SWAP) | BIT(CTL_DRY_RUN),
	  ctl_samples_import },
	{ "token create", "NAME", "make a token and print it, this once", 1, 1,
	  BIT(CTL_ROLE) | BIT(CTL_PROVIDER) | BIT(CTL_EXPIRES), ctl_token_create },
	{ "token list", "", "list the tokens", 0, 0, 0, ctl_token_list },
	{ "token change", "NAME", "give a token another role, or another end", 1, 1,
	  BIT(CTL_ROLE) | BIT(CTL_EXPIRES), ctl_token_change },
	{ "token rotate", "NAME", "make another secret for a token and print it, this once", 1, 1,
	  BIT(CTL_GRACE) | BIT(CTL_EXPIRES), ctl_token_rotate },
	{ "token revoke", "NAME", "make a token worthless", 1, 1, 0, ctl_token_revoke },
	{ "settings show", "PROVIDER", "print how a provider's changes come into force", 1, 1, 0,
	  ctl_settings_show },
	{ "settings set", "PROVIDER NAME=VALUE...",
	  "change it: approvals, guards, watch_seconds, watch_points", 2, 16, 0, ctl_settings_set },
	{ "provider bind", "PROVIDER ASN...", "say which ASNs are a provider's, and no others", 2,
	  1000, 0, ctl_provider_bind },
	{ "provider unbind", "PROVIDER", "say no more which ASNs are a provider's", 1, 1, 0,
	  ctl_provider_unbind },
	{ "provider asns", "PROVIDER", "list the ASNs that are bound to a provider", 1, 1, 0,
	  ctl_provider_asns },
	{ "delegation add", "PROVIDER PREFIX...",
	  "say that prefixes without a ROA are a provider's", 2, 1000, 0, ctl_delegation_add },
	{ "delegation remove", "PROVIDER PREFIX...", "say it no more", 2, 1000, 0,
	  ctl_delegation_remove },
	{ "delegation list", "", "list whose the delegated prefixes are", 0, 0, 0,
	  ctl_delegation_list },
	{ "passkey create", "NAME", "make a key for announce URLs and print it, this once", 1, 1,
	  BIT(CTL_MAX_PEERS) | BIT(CTL_PER_MINUTE) | BIT(CTL_KEY), ctl_passkey_create },
	{ "passkey list", "", "list the passkeys and what they are used for", 0, 0, 0,
	  ctl_passkey_list },
	{ "passkey revoke", "NAME", "make a passkey worthless", 1, 1, 0, ctl_passkey_revoke },
	{ "access allow", "INFO_HASH...", "allow these torrents, and deny them no longer", 1, 1000,
	  BIT(CTL_PRIVATE), ctl_access_allow },
	{ "access deny", "INFO_HASH...", "deny these torrents, and allow them no longer", 1, 1000,
	  0, ctl_access_deny },
	{ "access forget", "INFO_HASH...", "neither allow nor deny these torrents", 1, 1000, 0,
	  ctl_access_forget },
	{ "access list", "", "list the torrents that are allowed", 0, 0, BIT(CTL_DENIED),
	  ctl_access_list },
	{ "client deny", "PREFIX...", "refuse clients whose peer id begins so (-XL00)", 1, 1000, 0,
	  ctl_client_deny },
	{ "client forget", "PREFIX...", "refuse these clients no longer", 1, 1000, 0,
	  ctl_client_forget },
	{ "client list", "", "list the clients that are refused", 0, 0, 0, ctl_client_list },
	{ "swarms", "", "list every swarm with its seeds, leechers and snatches", 0, 0,
	  BIT(CTL_FORMAT), ctl_swarms },
	{ "explain", "SWARM ADDRESS", "say which peers a client would be given now, and why each",
	  2, 2, BIT(CTL_PORT), ctl_explain },
	{ "torrent check", "FILE...", "say what steering can and cannot do for these torrents", 1,
	  1000, BIT(CTL_TRACKER), ctl_torrent_check },
	{ "torrent create", "PATH", "make a private torrent of a file or folder, of our trackers",
	  1, 1,
	  NO_SERVER | BIT(CTL_TRACKER) | BIT(CTL_WEB_SEED) | BIT(CTL_OUTPUT) |
	          BIT(CTL_PIECE_LENGTH) | BIT(CTL_COMMENT) | BIT(CTL_DATE) | BIT(CTL_PUBLIC) |
	          BIT(CTL_HYBRID),
	  ctl_torrent_create },
	{ "alarms list", "", "list the alarms that fire", 0, 0, BIT(CTL_ALL) | BIT(CTL_PROVIDER),
	  ctl_alarms_list },
	{ "alarms history", "ID", "list what was told of an alarm, and who did what, newest first",
	  1, 1, BIT(CTL_LIMIT), ctl_alarms_history },
	{ "alarms ack", "ID", "say that somebody sees to an alarm that fires", 1, 1, 0,
	  ctl_alarms_ack },
	{ "alarms mute", "ID", "tell nobody of an alarm for a while", 1, 1, BIT(CTL_FOR),
	  ctl_alarms_mute },
	{ "alarms rules", "", "list the rules of alarms", 0, 0, 0, ctl_alarms_rules },
	{ "alarms rule", "RULE",
	  "set a rule, for one provider or all; without options, as at first", 1, 1,
	  BIT(CTL_PROVIDER) | BIT(CTL_THRESHOLD) | BIT(CTL_BINS) | BIT(CTL_ON) | BIT(CTL_OFF),
	  ctl_alarms_rule },
	{ "webhook list", "", "list who is told of alarms", 0, 0, 0, ctl_webhook_list },
	{ "webhook set", "NAME URL",
	  "tell a receiver of alarms; its new secret is printed, this once", 2, 2,
	  BIT(CTL_PROVIDER) | BIT(CTL_SEVERITY) | BIT(CTL_SECRET_FILE), ctl_webhook_set },
	{ "webhook remove", "NAME", "tell it no longer", 1, 1, 0, ctl_webhook_remove },
	{ "webhook test", "NAME", "send it a test event, and say whether it came", 1, 1, 0,
	  ctl_webhook_test },
	{ "exporters", "", "list who sends flow exports, and what was lost of them", 0, 0, 0,
	  ctl_exporters },
	{ "audit verify", "", "compute the audit log's chain again; --head finds what is missing",
	  0, 0, BIT(CTL_HEAD), ctl_audit_verify },
	{ "audit", "", "list who did what, newest first", 0, 0, BIT(CTL_LIMIT), ctl_audit },
	{ "status", "", "ask whether the server is ready, and what it does", 0, 0, 0, ctl_status },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const char server_help[] =
	"  --url URL              the server (P4PD_URL; http://127.0.0.1:8080)\n"
	"  --token TOKEN          the token (P4PD_TOKEN; else that in var/admin.token)\n"
	"  --token-file FILE      a file with the token\n"
	"  --cacert FILE          who may vouch for the server of an https URL (PEM)\n"
	"  --cert FILE            our certificate, where the server wants one (PEM)\n"
	"  --cert-key FILE        its private key, when it is not in the same file\n"
	"  --json                 print what the server answers, as it is\n";
static const char json_help[] =
	"  --json                 print JSON, where it is not that anyway\n";
static const char help_help[] = "  --help                 this, or that of a command or group\n";

/* Names of files and what a server says may have anything in them. */
static void __attribute__((format(printf, 2, 0))) say(const char *who, const char *fmt, va_list ap)
{
	struct text line = { 0 }, clean = { 0 };
	text_vprintf(&line, fmt, ap);
	text_clean(&clean, line.bytes, line.size);
	const bool good = !line.bad && !clean.bad && clean.bytes != NULL;
	(void)fprintf(stderr, "%s%s\n", who, good ? clean.bytes : "out of memory");
	text_done(&clean);
	text_done(&line);
}

enum ctl_exit ctl_fail(enum ctl_exit code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("p4pctl: ", fmt, ap);
	va_end(ap);
	return code;
}

void ctl_say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

/* How many arguments are the first words of a command; *rest: the words behind them. */
static size_t match(const struct command *cmd, char *const *args, size_t n, const char **rest)
{
	const char *words = cmd->words;
	size_t k = 0;
	while (k < n && *words != '\0') {
		const size_t size = strcspn(words, " ");
		if (strlen(args[k]) != size || memcmp(args[k], words, size) != 0)
			break;
		words += size;
		words += *words == ' ';
		k++;
	}
	*rest = words;
	return k;
}

/* The command whose words the arguments begin with ("list" may be left out); *used: how many words. */
static const struct command *find_command(char *const *args, size_t n, size_t *used)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const char *rest;
		const size_t k = match(&commands[i], args, n, &rest);
		if (*rest == '\0' || (k == n && k > 0 && strcmp(rest, "list") == 0)) {
			*used = k;
			return &commands[i];
		}
	}
	return NULL;
}

/* Whether the arguments are the first words of this command: none are of all, "token" of three. */
static bool begins(const struct command *cmd, char *const *args, size_t n)
{
	const char *rest;
	return match(cmd, args, n, &rest) == n;
}

static size_t count_group(char *const *args, size_t n)
{
	size_t found = 0;
	for (size_t i = 0; i < COMMANDS; i++)
		found += begins(&commands[i], args, n);
	return found;
}

static void help_group(char *const *args, size_t n)
{
	printf("usage: p4pctl [OPTIONS] ");
	for (size_t i = 0; i < n; i++)
		printf("%s ", args[i]);
	printf("COMMAND ...\n\nTalks to a p4pd, and reads and makes torrents for it.\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		char left[64];
		if (!begins(&commands[i], args, n))
			continue;
		(void)snprintf(left, sizeof(left), "%s %s", commands[i].words, commands[i].args);
		printf("  %-40s %s\n", left, commands[i].help);
	}
	printf("\nOptions:\n%s%s", server_help, help_help);
	printf("\nExit codes: 0 done, 1 refused by the server (torrent check: steering does not bind,\n"
	       "or in part), 2 usage or a bad file, 3 not reached or not authorised, 4 plan: it changes\n"
	       "something.\n");
}

static struct option_row meaning_of(const struct command *cmd, size_t option)
{
	struct option_row row = options[option];
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].option != option || strcmp(meanings[i].words, cmd->words) != 0)
			continue;
		row.value = meanings[i].value;
		row.help = meanings[i].help;
	}
	return row;
}

static void help_one(const struct command *cmd)
{
	printf("usage: p4pctl %s%s%s%s\n\n%s\n\nOptions:\n", cmd->words,
	       (cmd->options & ~NO_SERVER) != 0 ? " [OPTIONS]" : "",
	       cmd->args[0] != '\0' ? " " : "", cmd->args, cmd->help);
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		char left[48];
		if (!(cmd->options & BIT(i)))
			continue;
		const struct option_row row = meaning_of(cmd, i);
		(void)snprintf(left, sizeof(left), "--%s %s", row.name,
		               row.value != NULL ? row.value : "");
		printf("  %-22s %s\n", left, row.help);
	}
	printf("%s%s", cmd->options & NO_SERVER ? json_help : server_help, help_help);
}

/* Global options come after those of commands; what getopt_long() says of each is beyond its own '?'. */
enum { URL = CTL_OPTIONS, TOKEN, TOKEN_FILE, CACERT, CERT, CERT_KEY, JSON, HELP, LONG_OPTIONS };
enum { SAID = 256 };

struct line {
	struct ctl ctl;
	const char *token_file;
	bool help;
};

/* Notes an option of a command. false: too many. */
static bool give(struct ctl *c, enum ctl_option o)
{
	const char *value = optarg != NULL ? optarg : "1";
	if (c->n_given == CTL_GIVEN_MAX - 1)
		return ctl_fail(CTL_USAGE, "more than %d options", CTL_GIVEN_MAX - 1) == CTL_OK;
	c->given[c->n_given].option = o;
	c->given[c->n_given++].value = value;
	c->option[o] = value;
	return true;
}

const char *ctl_next(const struct ctl *c, enum ctl_option option, size_t *at)
{
	while (*at < c->n_given && c->given[*at].option != option)
		++*at;
	return *at < c->n_given ? c->given[(*at)++].value : NULL;
}

/* false: somebody has said why. */
static bool read_options(int argc, char **argv, struct line *l)
{
	struct option table[LONG_OPTIONS + 1] = {
		[URL] = { "url", required_argument, NULL, SAID + URL },
		[TOKEN] = { "token", required_argument, NULL, SAID + TOKEN },
		[TOKEN_FILE] = { "token-file", required_argument, NULL, SAID + TOKEN_FILE },
		[CACERT] = { "cacert", required_argument, NULL, SAID + CACERT },
		[CERT] = { "cert", required_argument, NULL, SAID + CERT },
		[CERT_KEY] = { "cert-key", required_argument, NULL, SAID + CERT_KEY },
		[JSON] = { "json", no_argument, NULL, SAID + JSON },
		[HELP] = { "help", no_argument, NULL, SAID + HELP },
	};
	for (int i = 0; i < CTL_OPTIONS; i++)
		table[i] =
			(struct option){ options[i].name,
			                 options[i].value != NULL ? required_argument : no_argument,
			                 NULL, SAID + i };
	for (int said; (said = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		const int o = said - SAID;
		if (said == '?')
			return false;
		if (o < CTL_OPTIONS && !give(&l->ctl, (enum ctl_option)o))
			return false;
		if (o < CTL_OPTIONS)
			continue;
		if (o == URL)
			l->ctl.url = optarg;
		else if (o == TOKEN)
			l->ctl.token = optarg;
		else if (o == CACERT)
			l->ctl.cacert = optarg;
		else if (o == CERT)
			l->ctl.cert = optarg;
		else if (o == CERT_KEY)
			l->ctl.key = optarg;
		else if (o == TOKEN_FILE)
			l->token_file = optarg;
		else if (o == JSON)
			l->ctl.json = true;
		else
			l->help = true;
	}
	return true;
}

/* --token, --token-file, P4PD_TOKEN, var/admin.token: the first there is. `room` holds a file's. */
static bool find_token(struct line *l, struct text *room)
{
	const char *file = l->token_file;
	if (l->ctl.token == NULL && file == NULL)
		l->ctl.token = getenv("P4PD_TOKEN");
	if (l->ctl.token == NULL && file == NULL && access("var/admin.token", R_OK) == 0)
		file = "var/admin.token";
	if (l->ctl.token != NULL || file == NULL)
		return true;
	if (!ctl_read_file(file, CTL_DOCUMENT_MAX, room))
		return false;
	room->bytes[strcspn(room->bytes, " \t\r\n")] = '\0';
	l->ctl.token = room->bytes;
	return true;
}

static enum ctl_exit run(struct line *l, const struct command *cmd)
{
	const struct ctl *c = &l->ctl;
	for (size_t i = 0; i < CTL_OPTIONS; i++)
		if (c->option[i] != NULL && !(cmd->options & BIT(i)))
			return ctl_fail(CTL_USAGE, "--%s is no option of \"%s\"", options[i].name,
			                cmd->words);
	if (c->n_args < cmd->args_min || c->n_args > cmd->args_max)
		return ctl_fail(CTL_USAGE, "usage: p4pctl %s %s", cmd->words, cmd->args);
	for (size_t i = 0; i < c->n_args; i++)
		if (c->args[i][0] == '\0')
			return ctl_fail(CTL_USAGE, "argument %zu is empty; usage: p4pctl %s %s",
			                i + 1, cmd->words, cmd->args);

	struct text room = { 0 };
	enum ctl_exit code = CTL_USAGE;
	if (find_token(l, &room))
		code = cmd->run(c);
	text_done(&room);
	return code;
}

int main(int argc, char **argv)
{
	struct line l = { .ctl.url = getenv("P4PD_URL") };
	if (!read_options(argc, argv, &l))
		return (int)ctl_fail(CTL_USAGE, "p4pctl --help lists what there is");
	if (l.ctl.url == NULL)
		l.ctl.url = "http://127.0.0.1:8080";

	size_t used = 0;
	char *const *args = argv + optind;
	const size_t n = (size_t)(argc - optind);
	const struct command *cmd = find_command(args, n, &used);
	const size_t group = count_group(args, n);
	if (n == 0 || (l.help && group > (cmd != NULL))) { /* more than the command itself */
		help_group(args, n);
		return l.help ? CTL_OK : CTL_USAGE;
	}
	if (cmd == NULL)
		return (int)ctl_fail(CTL_USAGE,
		                     "there is no command \"%s%s%s\"; p4pctl %s%s--help lists them",
		                     args[0], n > 1 ? " " : "", n > 1 ? args[1] : "",
		                     group > 0 ? args[0] : "", group > 0 ? " " : "");
	if (l.help) {
		help_one(cmd);
		return CTL_OK;
	}
	l.ctl.command = cmd->words;
	l.ctl.args = args + used;
	l.ctl.n_args = n - used;

	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	enum ctl_exit code = run(&l, cmd);
	curl_global_cleanup();
	if (fflush(stdout) != 0 && code == CTL_OK)
		code = ctl_fail(CTL_USAGE, "cannot write to standard output");
	return (int)code;
}
