/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The templates of a stream: learnt, found, withdrawn, forgotten. */

#include "common/codec/flow/decoder.h"
#include "common/codec/flow/template.h"

/* One set of definitions, and the withdrawals among them. ERR_TRUNCATED, ERR_NOMEM. */
enum err flow_templates_learn(struct flow_datagram *g, struct reader set, bool options) must_check;

/* NULL: not known, or not any more. */
struct flow_template *flow_templates_find(struct flow_datagram *g, uint16_t id);

void flow_templates_forget_all(struct flow_decoder *d, struct flow_stream *s);
/* Those that were idle for too long. */
void flow_templates_expire(struct flow_decoder *d, struct flow_stream *s, int64_t now_ms);
