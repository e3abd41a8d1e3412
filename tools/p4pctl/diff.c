/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4pctl/diff.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, PATH_MAX_BYTES = 512 };

struct diff {
	struct text *out;
	size_t lines;
	char path[PATH_MAX_BYTES];
	unsigned depth;
};

static void compare(struct diff *d, json_t *before, json_t *after);

/* One line; a value that is not there is NULL. Long values are cut: their path says enough. */
static void put(struct diff *d, const json_t *before, const json_t *after)
{
	const size_t flags = JSON_ENCODE_ANY | JSON_COMPACT;
	char *old = before == NULL ? NULL : json_dumps(before, flags);
	char *new = after == NULL ? NULL : json_dumps(after, flags);
	const bool changed = old != NULL && new != NULL;
	text_printf(d->out, "%s %s: ", changed ? "~" : old == NULL ? "+" : "-", d->path);
	for (unsigned i = 0; i < 2; i++) {
		const char *value = i == 0 ? old : new;
		if (value != NULL)
			text_printf(d->out, "%.120s%s", value, strlen(value) > 120 ? "..." : "");
		if (i == 0 && changed)
			text_put(d->out, " -> ");
	}
	text_put(d->out, "\n");
	d->lines++;
	free(old);
	free(new);
}

/* Compares a part under its own path: a member's is ".name", an element's "[id]". */
static void compare_part(struct diff *d, const char *name, bool element, json_t *before,
                         json_t *after)
{
	const size_t size = strlen(d->path);
	(void)snprintf(d->path + size, sizeof(d->path) - size, "%s%.64s%s",
	               element     ? "["
	               : size == 0 ? ""
	                           : ".",
	               name, element ? "]" : "");
	if (before == NULL || after == NULL)
		put(d, before, after);
	else
		compare(d, before, after);
	d->path[size] = '\0';
}

/* Members of `before` in its order, then those that only `after` has. */
static void compare_members(struct diff *d, json_t *before, json_t *after, bool elements)
{
	const char *key;
	json_t *value;
	json_object_foreach(before, key, value)
		compare_part(d, key, elements, value, json_object_get(after, key));
	json_object_foreach(after, key, value) if (json_object_get(before, key) == NULL)
		compare_part(d, key, elements, NULL, value);
}

/* The list as an object, by the "pid" or "id" of its elements; NULL when one has none. */
static json_t *by_id(json_t *list)
{
	json_t *all = json_object(), *element;
	size_t i;
	json_array_foreach(list, i, element)
	{
		const json_t *id = json_object_get(element, "pid");
		if (json_object_get(element, "id") != NULL)
			id = json_object_get(element, "id");
		if (!json_is_string(id) ||
		    json_object_set(all, json_string_value(id), element) != 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

/* The list as a set: an object whose keys are the elements as text. */
static json_t *as_set(json_t *list)
{
	json_t *all = json_object(), *element;
	size_t i;
	json_array_foreach(list, i, element)
	{
		char *text = json_dumps(element, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
		if (text != NULL)
			(void)json_object_set(all, text, element);
		free(text);
	}
	return all;
}

static void compare_sets(struct diff *d, json_t *before, json_t *after)
{
	json_t *old = as_set(before), *new = as_set(after), *value;
	const char *key;
	json_object_foreach(old, key, value) if (json_object_get(new, key) == NULL)
		put(d, value, NULL);
	json_object_foreach(new, key, value) if (json_object_get(old, key) == NULL)
		put(d, NULL, value);
	json_decref(old);
	json_decref(new);
}

static void compare_lists(struct diff *d, json_t *before, json_t *after)
{
	json_t *old = by_id(before), *new = by_id(after);
	if (old != NULL && new != NULL)
		compare_members(d, old, new, true);
	else
		compare_sets(d, before, after);
	json_decref(old);
	json_decref(new);
}

static void compare(struct diff *d, json_t *before, json_t *after)
{
	if (json_equal(before, after))
		return;
	const bool down = ++d->depth <= DEPTH_MAX;
	if (down && json_is_object(before) && json_is_object(after))
		compare_members(d, before, after, false);
	else if (down && json_is_array(before) && json_is_array(after))
		compare_lists(d, before, after);
	else
		put(d, before, after);
	d->depth--;
}

size_t diff_print(struct json_t *before, struct json_t *after, struct text *out)
{
	struct diff d = { .out = out };
	compare(&d, before, after);
	return d.lines;
}
