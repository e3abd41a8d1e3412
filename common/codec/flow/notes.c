/* SPDX-License-Identifier: Apache-2.0 */
#include "common/codec/flow/notes.h"

#include "common/base/random.h"

#include <stddef.h>
#include <stdlib.h>

/* The note of `key`, or the free one where it would go. */
static struct flow_note *slot_of(const struct flow_notes *n, uint64_t key)
{
	size_t i = random_mix(key) & (n->room - 1);
	while (n->list[i].key != 0 && n->list[i].key != key)
		i = (i + 1) & (n->room - 1);
	return &n->list[i];
}

static int grow(struct flow_notes *n)
{
	struct flow_notes more = { .room = n->room > 0 ? 2 * n->room : 16, .count = n->count };
	more.list = calloc(more.room, sizeof(*more.list));
	if (more.list == NULL)
		return -1;
	for (size_t i = 0; i < n->room; i++)
		if (n->list[i].key != 0)
			*slot_of(&more, n->list[i].key) = n->list[i];
	free(n->list);
	*n = more;
	return 0;
}

struct flow_note *flow_notes_find(const struct flow_notes *n, uint64_t key)
{
	if (n->count == 0)
		return NULL;
	struct flow_note *at = slot_of(n, key);
	return at->key == key ? at : NULL;
}

struct flow_note *flow_notes_at(struct flow_notes *n, uint64_t key)
{
	struct flow_note *at = flow_notes_find(n, key);
	if (at != NULL)
		return at;
	if (n->count == FLOW_NOTES_MAX || (2 * n->count >= n->room && grow(n) != 0))
		return NULL;
	at = slot_of(n, key);
	at->key = key;
	n->count++;
	return at;
}

void flow_notes_clear(struct flow_notes *n)
{
	free(n->list);
	*n = (struct flow_notes){ 0 };
}
