/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Records of a known template: a data set to calls of the sink, or to what is remembered. */

#include "common/codec/flow/decoder.h"
#include "common/codec/flow/template.h"

/* Reads the set; adds its records to g->records. ERR_MALFORMED: a record is longer than the set. */
enum err flow_records(struct flow_datagram *g, const struct flow_template *t,
                      struct reader set) must_check;
