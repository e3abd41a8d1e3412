/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/listeners.h"

#include "server/app/pem.h"

#include <string.h>

enum {
	MEMORY_EACH = 8192, /* a request: half would save 5 %, but hold no scrape of SCRAPE_MAX */
	IDLE_SECONDS = 15
};

unsigned listeners_threads(const struct config *c)
{
	const uint64_t servers = c->listen_tracker_tls[0] != '\0' ? 2 : 1;
	return (unsigned)(c->udp_workers + servers * c->http_threads);
}

static enum err read_pem(const struct config *c, struct pem *pem, struct fault *fault)
{
	const struct pem_file certificate = { "tls_certificate", c->tls_certificate };
	const struct pem_file key = { "tls_key", c->tls_key }, none = { "", "" };
	return pem_read(pem, &certificate, &key, &none, fault);
}

static struct http_options http_options(const struct config *c, struct tracker *t)
{
	return (struct http_options){
		.listen = c->listen_tracker,
		.listen_proxied = c->listen_tracker_proxied,
		.threads = (unsigned)c->http_threads,
		.body_max = 0,
		.memory_each = MEMORY_EACH,
		.connections_max = (unsigned)c->http_connections,
		.connections_per_address = (unsigned)c->http_connections_per_address,
		.idle_seconds = IDLE_SECONDS,
		.keep_alive = c->http_keep_alive != 0,
		.handle = tracker_http,
		.foresee = tracker_http_foresee,
		.is_proxy = tracker_is_proxy,
		.ctx = t,
	};
}

static enum err start_tls(struct listeners *l, const struct config *c, struct tracker *t,
                          struct fault *fault)
{
	struct http_options o = http_options(c, t);
	struct pem pem;
	enum err e = read_pem(c, &pem, fault);
	if (e != ERR_OK)
		return e;
	o.listen = c->listen_tracker_tls;
	o.listen_proxied = NULL;
	o.first_thread = (unsigned)c->http_threads;
	o.certificate = pem.certificate;
	o.key = pem.key;
	e = http_start(&o, &l->tls, fault);
	memcpy(l->pem_hash, pem.hash, sizeof(l->pem_hash));
	pem_forget(&pem);
	return e;
}

enum err listeners_start(struct listeners *l, const struct config *c, struct tracker *t,
                         struct fault *fault)
{
	const struct net_udp_options udp = {
		.listen = c->listen_tracker,
		.workers = (unsigned)c->udp_workers,
		.receive_buffer = (unsigned)c->receive_buffer_kib * 1024,
		.handle = tracker_udp,
		.ctx = t,
	};
	const struct http_options http = http_options(c, t);
	enum err e = net_udp_start(&udp, &l->udp, fault);
	if (e == ERR_OK)
		e = http_start(&http, &l->http, fault);
	if (e == ERR_OK && c->listen_tracker_tls[0] != '\0')
		e = start_tls(l, c, t, fault);
	return e;
}

void listeners_stop(struct listeners *l)
{
	http_stop(l->tls);
	http_stop(l->http);
	net_udp_stop(l->udp);
	*l = (struct listeners){ 0 };
}

enum err listeners_certificate(struct listeners *l, const struct config *c, struct fault *fault)
{
	struct pem pem;
	if (l->tls == NULL)
		return ERR_OK;
	enum err e = read_pem(c, &pem, fault);
	if (e == ERR_OK && memcmp(l->pem_hash, pem.hash, sizeof(l->pem_hash)) != 0) {
		e = http_certificate(l->tls, pem.certificate, pem.key, NULL, fault);
		if (e == ERR_OK)
			memcpy(l->pem_hash, pem.hash, sizeof(l->pem_hash));
	}
	pem_forget(&pem);
	return e;
}
