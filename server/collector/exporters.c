/* SPDX-License-Identifier: Apache-2.0 */
#include "server/collector/exporters.h"

#include "common/base/random.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_SIZE = 2 * EXPORTERS_MAX };

struct exporters {
	struct exporter *list;
	size_t n, room, strangers;  /* of the n */
	uint16_t table[TABLE_SIZE]; /* index + 1; 0: free */
};

struct exporters *exporters_new(void)
{
	return calloc(1, sizeof(struct exporters));
}

void exporters_free(struct exporters *all)
{
	if (all != NULL)
		free(all->list);
	free(all);
}

static size_t slot_of(const struct exporters *all, const struct ip_addr *address)
{
	uint64_t half[2];
	memcpy(half, address->bytes, sizeof(half));
	size_t at = random_mix(half[0] ^ random_mix(half[1] + address->family)) % TABLE_SIZE;
	while (all->table[at] != 0 && !ip_equal(&all->list[all->table[at] - 1].address, address))
		at = (at + 1) % TABLE_SIZE;
	return at;
}

struct exporter *exporters_find(struct exporters *all, const struct ip_addr *address)
{
	const uint16_t index = all->table[slot_of(all, address)];
	return index != 0 ? &all->list[index - 1] : NULL;
}

struct exporter *exporters_add(struct exporters *all, struct names *names,
                               const struct ip_addr *address, bool named)
{
	char text[IP_TEXT_SIZE];
	uint32_t name;
	if (named ? all->n - all->strangers >= EXPORTERS_MAX
	          : all->strangers >= EXPORTERS_STRANGERS)
		return NULL;
	if (all->n == all->room) {
		const size_t room = all->room > 0 ? all->room * 2 : 16;
		struct exporter *more = realloc(all->list, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		all->list = more;
		all->room = room;
	}
	ip_print(address, text);
	if (names_put(names, text, &name) != ERR_OK)
		return NULL;
	struct exporter *e = &all->list[all->n];
	*e = (struct exporter){ .address = *address, .name = name };
	all->table[slot_of(all, address)] = (uint16_t)++all->n;
	all->strangers += !named;
	return e;
}

size_t exporters_count(const struct exporters *all)
{
	return all->n;
}

const struct exporter *exporters_at(const struct exporters *all, size_t i)
{
	must(i < all->n);
	return &all->list[i];
}
