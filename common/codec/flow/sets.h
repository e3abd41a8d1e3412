/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What NetFlow v9 and IPFIX share: sets of definitions and of data behind the head of a datagram. */

#include "common/codec/flow/decoder.h"

/* Reads what is left of g->all; counts data records in g->records. */
enum err flow_sets(struct flow_datagram *g) must_check;
