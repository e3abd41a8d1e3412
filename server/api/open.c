/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no token: metrics, probes, the dashboard's files. */
#include "server/api/routes.h"
#include "server/web/web.h"

void metrics_get(struct call *c)
{
	c->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(c->use->metrics, &c->reply->body);
}

void healthz_get(struct call *c)
{
	text_put(&c->reply->body, "ok\n");
}

void readyz_get(struct call *c)
{
	char why[128] = "";
	if (c->use->ready(c->use->ctx, why)) {
		text_put(&c->reply->body, "ready\n");
		return;
	}
	c->reply->status = 503;
	http_reply_header(c->reply, "Retry-After", "1");
	text_printf(&c->reply->body, "not ready: %s\n", why);
}

void page_get(struct call *c)
{
	const struct embed_file *file = web_find(c->request->path);
	if (file == NULL) {
		call_problem(c, 404, "there is nothing at %.200s", c->request->path);
		return;
	}
	http_reply_header(c->reply, "Content-Security-Policy",
	                  "default-src 'self'; base-uri 'none'; form-action 'none'; "
	                  "frame-ancestors 'none'");
	http_reply_header(c->reply, "Referrer-Policy", "no-referrer");
	http_reply_header(c->reply, "Cache-Control", "no-cache");
	c->reply->content_type = web_type(file);
	if (!call_is_known(c, file->sha256))
		text_add(&c->reply->body, file->bytes, file->size);
}
