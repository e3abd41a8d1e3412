/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/sets.h"

#include "common/codec/flow/record.h"
#include "common/codec/flow/templates.h"

enum { SET_HEAD = 4, FIRST_DATA = 256 };

static enum err data_set(struct flow_datagram *g, uint16_t id, struct reader set)
{
	const struct flow_template *t = flow_templates_find(g, id);
	if (t != NULL)
		return flow_records(g, t, set);
	g->d->stats.before_template++;
	g->uncounted = true;
	return ERR_OK;
}

enum err flow_sets(struct flow_datagram *g)
{
	const bool ipfix = g->stream->source.protocol == FLOW_IPFIX;
	const uint16_t templates = ipfix ? 2 : 0, options = ipfix ? 3 : 1;
	while (reader_left(&g->all) >= SET_HEAD) {
		const uint8_t *at = g->all.at;
		const struct reader rest = g->all;
		const uint16_t id = reader_u16(&g->all), length = reader_u16(&g->all);
		if (length < SET_HEAD) {
			/* Palo Alto fills its datagrams up with zeros. */
			if (flow_only_zeros(rest))
				return ERR_OK;
			return flow_fault(g, ERR_MALFORMED, at, "the set is shorter than its head");
		}
		const uint8_t *body = reader_take(&g->all, length - SET_HEAD);
		if (body == NULL)
			return flow_fault(g, ERR_TRUNCATED, at, "the set ends behind the datagram");
		const struct reader set = reader_over(body, length - SET_HEAD);
		enum err e = ERR_OK;
		if (id == templates || id == options)
			e = flow_templates_learn(g, set, id == options);
		else if (id >= FIRST_DATA)
			e = data_set(g, id, set);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}
