/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/api_listeners.h"

#include "server/app/pem.h"
#include "server/app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MEMORY_EACH = 65536,
	IDLE_SECONDS = 60,
	BODY_MAX =
		131072 /* read without asking: agreements, the longest but maps and samples, have half */
};

unsigned api_listeners_threads(const struct config *c)
{
	return (unsigned)c->api_threads * (c->listen_api_tls[0] != '\0' ? 2 : 1);
}

static struct http_options options_of(const struct config *c, struct api *api)
{
	return (struct http_options){
		.listen = c->listen_api,
		.threads = (unsigned)c->api_threads,
		.body_max = BODY_MAX,
		.bodies_max = (size_t)c->api_uploads_mib << 20,
		.memory_each = MEMORY_EACH,
		.connections_max = (unsigned)c->api_connections,
		.connections_per_address = (unsigned)c->api_connections_per_address,
		.idle_seconds = IDLE_SECONDS,
		.content_type = "text/plain",
		.keep_alive = true,
		.background = true, /* a map is compiled here, which takes a core for a second */
		.handle = api_http,
		.admit = api_admit,
		.is_proxy = api_is_proxy,
		.ctx = api,
	};
}

/* The API's own files, or else the tracker's. */
static enum err read_files(const struct config *c, struct pem *pem, struct fault *fault)
{
	const bool own = c->api_tls_certificate[0] != '\0';
	const struct pem_file certificate = { own ? "api_tls_certificate" : "tls_certificate",
		                              own ? c->api_tls_certificate : c->tls_certificate };
	const struct pem_file key = { own ? "api_tls_key" : "tls_key",
		                      own ? c->api_tls_key : c->tls_key };
	const struct pem_file client_ca = { "api_tls_client_ca", c->api_tls_client_ca };
	return pem_read(pem, &certificate, &key, &client_ca, fault);
}

/* server/net does not know what the options are called. */
static enum err named(const struct config *c, enum err e, struct fault *fault)
{
	if (e != ERR_MALFORMED)
		return e;
	if (strcmp(fault->where, "client_ca") == 0)
		(void)snprintf(fault->where, sizeof(fault->where), "api_tls_client_ca");
	else if (c->api_tls_certificate[0] != '\0')
		(void)snprintf(fault->where, sizeof(fault->where), "api_tls_certificate");
	return e;
}

static enum err start_tls(struct api_listeners *l, const struct config *c, struct api *api,
                          struct fault *fault)
{
	struct http_options o = options_of(c, api);
	struct pem pem;
	enum err e = read_files(c, &pem, fault);
	if (e != ERR_OK)
		return e;
	o.listen = c->listen_api_tls;
	o.first_thread = (unsigned)c->api_threads;
	o.certificate = pem.certificate;
	o.key = pem.key;
	o.client_ca = pem.client_ca;
	e = named(c, http_start(&o, &l->tls, fault), fault);
	memcpy(l->pem_hash, pem.hash, sizeof(l->pem_hash));
	pem_forget(&pem);
	return e;
}

enum err api_listeners_front(const struct config *c, struct api *api, struct fault *fault)
{
	struct ip_prefix *proxies;
	struct api_front front = { .forwarded = strcmp(c->proxy_header, "Forwarded") == 0,
		                   .cors_origins = c->api_cors_origins };
	enum err e = settings_prefixes("proxies", c->proxies, &proxies, &front.n_proxies, fault);
	if (e != ERR_OK)
		return e;
	front.proxies = proxies;
	e = settings_origins(c->api_cors_origins, fault);
	if (e == ERR_OK && api_front(api, &front) != ERR_OK)
		e = fault_set(fault, ERR_NOMEM, "proxies", "out of memory");
	free(proxies);
	return e;
}

enum err api_listeners_start(struct api_listeners *l, const struct config *c, struct api *api,
                             struct fault *fault)
{
	const struct http_options o = options_of(c, api);
	enum err e = api_listeners_front(c, api, fault);
	if (e == ERR_OK)
		e = http_start(&o, &l->http, fault);
	return e == ERR_OK && c->listen_api_tls[0] != '\0' ? start_tls(l, c, api, fault) : e;
}

void api_listeners_stop(struct api_listeners *l)
{
	http_stop(l->tls);
	http_stop(l->http);
	*l = (struct api_listeners){ 0 };
}

enum err api_listeners_certificate(struct api_listeners *l, const struct config *c,
                                   struct fault *fault)
{
	struct pem pem;
	if (l->tls == NULL)
		return ERR_OK;
	enum err e = read_files(c, &pem, fault);
	if (e == ERR_OK && memcmp(l->pem_hash, pem.hash, sizeof(l->pem_hash)) != 0) {
		e = named(c,
		          http_certificate(l->tls, pem.certificate, pem.key, pem.client_ca, fault),
		          fault);
		if (e == ERR_OK)
			memcpy(l->pem_hash, pem.hash, sizeof(l->pem_hash));
	}
	pem_forget(&pem);
	return e;
}
