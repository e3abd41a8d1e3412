/* SPDX-License-Identifier: Apache-2.0 */
/* explain */
#include "tools/p4pctl/columns.h"
#include "tools/p4pctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* "10.1.0.1:6881", "[2001:db8::1]:6881"; without a port the address alone. */
static const char *endpoint_of(const json_t *o, char *out, size_t room)
{
	const char *address = ctl_string(o, "address");
	const double port = ctl_number(o, "port");
	if (port < 0)
		(void)snprintf(out, room, "%s", address);
	else
		(void)snprintf(out, room, strchr(address, ':') != NULL ? "[%s]:%.0f" : "%s:%.0f",
		               address, port);
	return out;
}

static void print_asker(const json_t *json)
{
	char endpoint[80];
	const char *provider = ctl_string(json, "provider");
	printf("client    %s, %s, %s\n", endpoint_of(json, endpoint, sizeof(endpoint)),
	       json_is_true(json_object_get(json, "seeding")) ? "a seed" : "a leecher",
	       json_is_true(json_object_get(json, "known")) ? "in the swarm"
	                                                    : "not in the swarm: as a newcomer");
	printf("place     %s\n", ctl_string(json, "place"));
	printf("provider  %s\n", provider[0] != '\0' ? provider : "none: no map has the address");
	printf("policy    %s%s\n", ctl_string(json, "policy"),
	       json_is_true(json_object_get(json, "control_group")) ? ", the control group" : "");
}

/* What the budget is where an interconnect is out of balance. */
static void print_leaning(const json_t *s, const char *key, const char *what)
{
	const json_t *leaning = json_object_get(s, key);
	if (json_is_object(leaning))
		printf("leaning   by up to %.0f %%: bytes this way are %s, at most %.0f contacts by such "
		       "a way\n",
		       ctl_number(leaning, "percent"), what, ctl_number(leaning, "free"));
}

static void print_standing(const json_t *s)
{
	const json_t *budget = json_object_get(s, "budget");
	if (!json_is_object(s))
		return;
	printf("at home   %.0f seeds, %.0f leechers, for %.0f s; lists of %.0f\n",
	       ctl_number(s, "seeds"), ctl_number(s, "leechers"), ctl_number(s, "seconds"),
	       ctl_number(s, "list_length"));
	printf("contacts  %.0f, of at most %.0f by free and %.0f by paid ways; %s\n",
	       ctl_number(s, "contacts"), ctl_number(budget, "free"), ctl_number(budget, "paid"),
	       json_is_true(json_object_get(s, "seed_reached")) ? "one leads to a seed"
	                                                        : "none leads to a seed");
	if (json_is_true(json_object_get(s, "starved")))
		printf("starved   got less than a quarter of what its line could send: more contacts\n");
	print_leaning(s, "welcome", "welcome");
	print_leaning(s, "unwelcome", "too many");
}

/* By which interconnects the bytes go: "isp-b/b-a > isp-a/a-b". */
static void add_way(struct columns *t, const json_t *pair)
{
	const char *out = ctl_string(pair, "out"), *in = ctl_string(pair, "in");
	columns_add(t, "%s%s%s", out[0] != '\0' ? out : "-",
	            out[0] != '\0' || in[0] != '\0' ? " > " : "",
	            in[0] != '\0'    ? in
	            : out[0] != '\0' ? "-"
	                             : "");
}

static void print_peers(const json_t *peers)
{
	static const char *const heads[] = { "PEER",    "ROLE",  "PLACE", "TIER",   ">RECEIVE",
		                             "FROM IT", ">SEND", "TO IT", "REASON", NULL };
	struct columns t;
	size_t i;
	json_t *peer;
	columns_begin(&t, heads);
	json_array_foreach(peers, i, peer)
	{
		char endpoint[80];
		const json_t *receive = json_object_get(peer, "receive");
		const json_t *send = json_object_get(peer, "send");
		columns_add(&t, "%s", endpoint_of(peer, endpoint, sizeof(endpoint)));
		columns_add(&t, "%s",
		            json_is_true(json_object_get(peer, "seed")) ? "seed" : "leecher");
		columns_add(&t, "%s", ctl_string(peer, "place"));
		columns_add(&t, "%s", ctl_string(peer, "tier"));
		columns_add(&t, "%.0f", ctl_number(receive, "price"));
		add_way(&t, receive);
		columns_add(&t, "%.0f", ctl_number(send, "price"));
		add_way(&t, send);
		columns_add(&t, "%s", ctl_string(peer, "reason"));
	}
	(void)columns_print(&t, stdout);
}

enum ctl_exit ctl_explain(const struct ctl *c)
{
	enum ctl_exit code;
	struct text path = { 0 };
	text_put(&path, "/v1/swarms");
	ctl_segment(&path, c->args[0]);
	text_put(&path, "/explain");
	ctl_parameter(&path, "address", c->args[1]);
	ctl_parameter(&path, "port", c->option[CTL_PORT]);
	json_t *json = ctl_get(c, path, &code);
	if (json != NULL && !c->json) {
		const json_t *peers = json_object_get(json, "peers");
		print_asker(json);
		print_standing(json_object_get(json, "standing"));
		printf("\n");
		if (json_array_size(peers) > 0)
			print_peers(peers);
		else
			printf("no peers: nobody is there whom it may be given\n");
	}
	json_decref(json);
	return code;
}
