/* SPDX-License-Identifier: Apache-2.0 */
#include "server/api/front.h"

#include "common/codec/forwarded.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct front {
	pthread_rwlock_t lock;
	struct ip_prefix *proxies;
	size_t n_proxies;
	bool forwarded;
	char *origins; /* words with blanks between them */
};

struct front *front_new(void)
{
	struct front *f = calloc(1, sizeof(*f));
	if (f != NULL)
		must(pthread_rwlock_init(&f->lock, NULL) == 0);
	return f;
}

void front_free(struct front *f)
{
	if (f == NULL)
		return;
	(void)pthread_rwlock_destroy(&f->lock);
	free(f->proxies);
	free(f->origins);
	free(f);
}

enum err front_set(struct front *f, const struct api_front *about)
{
	struct ip_prefix *proxies = calloc(about->n_proxies + 1, sizeof(*proxies));
	char *origins = strdup(about->cors_origins);
	if (proxies == NULL || origins == NULL) {
		free(proxies);
		free(origins);
		return ERR_NOMEM;
	}
	if (about->n_proxies > 0)
		memcpy(proxies, about->proxies, about->n_proxies * sizeof(*proxies));
	pthread_rwlock_wrlock(&f->lock);
	free(f->proxies);
	free(f->origins);
	f->proxies = proxies;
	f->n_proxies = about->n_proxies;
	f->forwarded = about->forwarded;
	f->origins = origins;
	pthread_rwlock_unlock(&f->lock);
	return ERR_OK;
}

bool front_is_proxy(struct front *f, const struct ip_addr *addr)
{
	bool is = false;
	pthread_rwlock_rdlock(&f->lock);
	for (size_t i = 0; i < f->n_proxies && !is; i++)
		is = ip_prefix_has(&f->proxies[i], addr);
	pthread_rwlock_unlock(&f->lock);
	return is;
}

static void add_list(void *hops, const char *line)
{
	hops_add_list(hops, line);
}

static void add_forwarded(void *hops, const char *line)
{
	hops_add_forwarded(hops, line);
}

struct ip_addr front_client(struct front *f, const struct http_request *r)
{
	struct ip_addr client = r->from;
	pthread_rwlock_rdlock(&f->lock);
	if (f->n_proxies > 0) {
		struct hops hops = { .n = 0 };
		(void)http_each_header(r, f->forwarded ? "Forwarded" : "X-Forwarded-For",
		                       f->forwarded ? add_forwarded : add_list, &hops);
		client = hops_client(&hops, r->from, f->proxies, f->n_proxies);
	}
	pthread_rwlock_unlock(&f->lock);
	return client;
}

/* ---- CORS ---- */

static bool lists(const char *origins, const char *origin)
{
	const size_t size = strlen(origin);
	for (const char *at = origins; *(at += strspn(at, " ")) != '\0'; at += strcspn(at, " "))
		if (strcspn(at, " ") == size && memcmp(at, origin, size) == 0)
			return true;
	return false;
}

bool front_cors(struct front *f, const struct http_request *r, struct http_reply *reply)
{
	if (strncmp(r->path, "/v1/", 4) != 0)
		return false;
	const char *origin = http_header(r, "Origin");
	pthread_rwlock_rdlock(&f->lock);
	const bool on = f->origins != NULL && f->origins[strspn(f->origins, " ")] != '\0';
	const bool listed = on && origin != NULL && strlen(origin) < HTTP_VALUE_SIZE &&
	                    lists(f->origins, origin);
	pthread_rwlock_unlock(&f->lock);
	if (on)
		http_reply_header(reply, "Vary", "Origin");
	if (!listed)
		return false;
	http_reply_header(reply, "Access-Control-Allow-Origin", origin);
	if (strcmp(r->method, "OPTIONS") != 0 ||
	    http_header(r, "Access-Control-Request-Method") == NULL) {
		http_reply_header(reply, "Access-Control-Expose-Headers",
		                  "ETag, Location, P4P-Version, Retry-After, WWW-Authenticate");
		return false;
	}
	http_reply_header(reply, "Access-Control-Allow-Methods",
	                  "GET, HEAD, PUT, POST, PATCH, DELETE");
	http_reply_header(reply, "Access-Control-Allow-Headers",
	                  "Authorization, Content-Type, If-Match, If-None-Match");
	http_reply_header(reply, "Access-Control-Max-Age", "600");
	reply->status = 204;
	return true;
}
