/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * XML, straight through: what is where. expat parses it; a document type (and with it every entity but
 * XML's own) is refused, because no file of networks needs one and what it could expand to has no end.
 *
 * Threading: one thread.
 */

#include "tools/sketch/sketch.h"

struct xml_reading {
	void *ctx;
	struct sketch *s;
	struct sketch_origin at; /* where we are */
	/* `path`: "network/nodes/node", without namespaces. `attributes`: names and values by turns,
	 * ended by NULL. */
	void (*begin)(struct xml_reading *r, const char *path, const char **attributes);
	/* `text`: what stood in the element itself, without blanks at its ends. */
	void (*end)(struct xml_reading *r, const char *path, const char *text);
};

/* Faults go to the sketch. The root must be an element of this name. */
void xml_read(struct xml_reading *r, const struct sketch_source *source, uint32_t number,
              const char *root);

/* NULL: it has no such attribute. */
const char *xml_attribute(const char **attributes, const char *name);

/* false: said what is wrong. An empty text is no number, and nothing wrong. */
bool xml_number(struct xml_reading *r, const char *text, double *out);
