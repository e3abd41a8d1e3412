/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HTTP listeners (libmicrohttpd): a request in, a reply out; no routes here.
 *
 * The response is queued on the second call of libmicrohttpd's handler, because queueing it on the
 * first closes the connection. The query stays raw and escaped (an info_hash may hold a NUL), and
 * libmicrohttpd never sees it: taking it to pieces costs more than an announce.
 *
 * A server may have a second listener for proxies that speak the PROXY protocol. libmicrohttpd
 * cannot read its header, so a thread of ours does, and hands the connection over with the address
 * that the header names. Connections from anybody but a listed proxy are closed there.
 *
 * Ownership: a request and what it points to live until the handler returns; the handler fills
 * `reply->body`, which the server takes. Threading: the handler runs on any of `threads` threads;
 * `request->thread` tells which.
 */

#include "common/base/text.h"
#include "common/ip/addr.h"

struct http_request {
	const char *method; /* "GET"; a HEAD is one too, whose body stays here */
	bool head;          /* it is that one */
	const char *path;   /* still escaped, without scheme, host and query */
	const char *query;  /* raw, without the '?'; "" when there is none */
	struct ip_addr from;
	uint16_t from_port;
	const char *body; /* NUL-terminated; "" when there is none */
	size_t body_size;
	unsigned thread;   /* first_thread .. first_thread + threads - 1 */
	void *connection_; /* for http_header() and http_each_header() */
};

/*
 * NULL when the client did not send it; the last one when it came twice, because that is the one
 * a proxy added. Names are compared without case.
 */
const char *http_header(const struct http_request *r, const char *name);

/* Calls `see` with the value of every such header, in their order. Returns how many there were. */
typedef void http_see_header(void *ctx, const char *value);
size_t http_each_header(const struct http_request *r, const char *name, http_see_header *see,
                        void *ctx);

/*
 * The decoded value of one query parameter ('+' is a plus); false when absent, malformed, with a
 * NUL, or longer than room - 1.
 */
bool http_parameter(const struct http_request *r, const char *name, char *out, size_t room);
bool http_has_parameter(const struct http_request *r, const char *name); /* whatever its value */

/* The longest value is the Location of an agreement: two names of 64 letters, a version, words between. */
enum { HTTP_HEADERS_MAX = 8, HTTP_VALUE_SIZE = 192 };

/*
 * A body that is made while it is sent, for what is too large to hold: `more` appends the next piece,
 * and nothing at the end; a bad piece cuts the reply short, which the client notices. Both run on the
 * connection's thread; `done` is the last.
 */
struct http_stream {
	void (*more)(void *ctx, struct text *piece);
	void (*done)(void *ctx);
	void *ctx;
};

struct http_reply {
	unsigned status;          /* 200 when the handler leaves 0 */
	const char *content_type; /* a literal; NULL: the server's */
	bool keep_alive;          /* the connection stays open, even if the server's do not */
	struct text body;         /* empty, but it may have room from an earlier reply */
	struct {
		const char *name; /* a literal */
		char value[HTTP_VALUE_SIZE];
	} headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	struct http_stream stream; /* its `more` is not NULL: the body, instead of `body` */
};

/* Adds a response header; `value` is copied, at most HTTP_VALUE_SIZE - 1 bytes. */
void http_reply_header(struct http_reply *reply, const char *name, const char *value);

/*
 * Asked when the headers of a request are there whose body is longer than `body_max`, of unknown length or
 * waits to be asked for (Expect): may it be read? False: `reply` is the answer, the body stays unread and
 * the connection closes. Asked only to answer (what it returns counts for nothing) when the body is
 * longer than it allowed, or when bodies under way have no room for it.
 */
enum http_upload_state { HTTP_UPLOAD_ASKS, HTTP_UPLOAD_TOO_LONG, HTTP_UPLOAD_NO_ROOM };
struct http_upload {
	enum http_upload_state state;
	size_t max; /* the server's body_max, unless this request may have more */
};
typedef bool http_admit(void *ctx, const struct http_request *request, struct http_upload *upload,
                        struct http_reply *reply);

typedef void http_handle(void *ctx, const struct http_request *request, struct http_reply *reply);

/*
 * Sees requests that are handled soon, on the same thread, so that it can ask for the memory that they
 * touch: then their cache misses overlap. Only those of connections that have had a reply before: on
 * a new one the wait for others costs more than it brings.
 */
enum { HTTP_FORESEEN_MAX = 64 };
typedef void http_foresee(void *ctx, const struct http_request *const *requests, size_t n);

struct http_options {
	const char *listen;         /* "[::]:6969", "127.0.0.1:8080" */
	const char *listen_proxied; /* the same, for the PROXY protocol; NULL or "": none */
	const char *certificate;    /* PEM, the chain; NULL: no TLS. http_start() copies nothing */
	const char *key;            /* PEM, unencrypted */
	const char *
		client_ca; /* PEM; who shows no certificate of theirs gets 403. NULL: nobody has to */
	const char *content_type; /* of replies that name none; NULL: they have none */
	unsigned threads;
	unsigned first_thread;
	size_t body_max;   /* a longer body gets 413 without reading it, unless `admit` allows it */
	size_t bodies_max; /* of all that were asked about, at a time; one is always taken. 0: any */
	size_t memory_each; /* libmicrohttpd's pool for one connection: zeroed for each request */
	unsigned connections_max;
	unsigned connections_per_address; /* 0: no limit */
	unsigned idle_seconds;
	bool keep_alive;
	bool background; /* its threads give way to others (nice 10) */
	http_handle *handle;
	http_admit *admit;     /* NULL: nobody is asked */
	http_foresee *foresee; /* NULL: nobody looks ahead */
	/* Who may speak for others and is not held to the limit per address. NULL: nobody. */
	bool (*is_proxy)(void *ctx, const struct ip_addr *addr);
	void *ctx;
};

struct http_server;

enum err http_start(const struct http_options *options, struct http_server **out,
                    struct fault *fault) must_check;
void http_stop(struct http_server *s); /* NULL is fine; ends when the running requests have ended */
uint16_t http_port(const struct http_server *s);
uint16_t http_proxied_port(const struct http_server *s); /* 0: no such listener */

/* When a certificate ends that is given as PEM, in unix seconds; INT64_MAX: it is none. */
int64_t http_certificate_end(const char *certificate);

/*
 * Puts another certificate in force (and `client_ca`, as in the options); open connections end, new ones
 * wait a moment. ERR_MALFORMED when the two do not make one, or the last is no list of certificates. An
 * error changes nothing: the old ones stay.
 */
enum err http_certificate(struct http_server *s, const char *certificate, const char *key,
                          const char *client_ca, struct fault *fault) must_check;

struct http_stats {
	uint64_t refused; /* connections above the limit of their address */
	uint64_t
		unproxied; /* closed by the PROXY listener: not from a proxy, or not its protocol */
};
struct http_stats http_stats(const struct http_server *s);
