/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the tracker says about one client's list, as JSON for the API (schema/openapi.yaml, Explanation).
 */

#include "server/api/api.h"
#include "server/tracker/tracker.h"

/* As tracker_explain(). */
enum err explain_put(struct tracker *t, const struct api_question *q, uint64_t now_ms,
                     struct text *out) must_check;
