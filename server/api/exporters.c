/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends flow exports to this daemon. */
#include "server/api/routes.h"

void exporters_get(struct call *c)
{
	const char *provider = c->who.provider[0] != '\0' ? c->who.provider : NULL;
	const enum err e = c->use->list_exporters(c->use->ctx, provider, call_json(c, 200));
	if (e != ERR_OK)
		call_failed(c, e, "this daemon collects no flows");
}
