/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/p4psim/maxmin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum err maxmin_init(struct maxmin *m, size_t n_resources)
{
	const size_t n = n_resources + 1;
	*m = (struct maxmin){ .n_resources = n_resources };
	m->left = malloc(n * sizeof(*m->left));
	m->count = malloc(n * sizeof(*m->count));
	m->first = malloc(n * sizeof(*m->first));
	m->key = malloc(n * sizeof(*m->key));
	m->heap = malloc(n * sizeof(*m->heap));
	if (m->left != NULL && m->count != NULL && m->first != NULL && m->key != NULL &&
	    m->heap != NULL)
		return ERR_OK;
	maxmin_done(m);
	return ERR_NOMEM;
}

void maxmin_done(struct maxmin *m)
{
	free(m->left);
	free(m->count);
	free(m->first);
	free(m->key);
	free(m->heap);
	free(m->members);
	*m = (struct maxmin){ 0 };
}

/* The i-th resource of a flow. */
static uint32_t step_of(const struct maxmin_flow *f, uint32_t i)
{
	return i == 0 ? f->up : i == 1 ? f->down : f->path[i - 2];
}

/* Flows by resource, as a counting sort makes them. */
static enum err enlist(struct maxmin *m, const struct maxmin_flow *flows, size_t n)
{
	size_t steps = 0;
	memset(m->count, 0, (m->n_resources + 1) * sizeof(*m->count));
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < flows[i].n_path + 2; k++, steps++)
			m->count[step_of(&flows[i], k)]++;
	if (steps > m->room) {
		free(m->members);
		m->room = 0;
		m->members = malloc(2 * steps * sizeof(*m->members));
		if (m->members == NULL)
			return ERR_NOMEM;
		m->room = 2 * steps;
	}
	uint32_t at = 0;
	for (size_t r = 0; r <= m->n_resources; r++) {
		at += m->count[r];
		m->first[r] = at; /* the end, until it was filled from there */
	}
	for (size_t i = n; i-- > 0;)
		for (uint32_t k = 0; k < flows[i].n_path + 2; k++)
			m->members[--m->first[step_of(&flows[i], k)]] = (uint32_t)i;
	return ERR_OK;
}

/* Smaller keys stand higher; of equal ones the smaller number, so that a run repeats exactly. */
static bool is_above(const struct maxmin *m, uint32_t a, uint32_t b)
{
	return m->key[a] < m->key[b] || (!(m->key[b] < m->key[a]) && a < b);
}

static void sift_down(struct maxmin *m, size_t n, size_t at)
{
	const uint32_t one = m->heap[at];
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && is_above(m, m->heap[child + 1], m->heap[child]))
			child++;
		if (!is_above(m, m->heap[child], one))
			break;
		m->heap[at] = m->heap[child];
	}
	m->heap[at] = one;
}

static size_t heap_up(struct maxmin *m, const double *capacity)
{
	size_t n = 0;
	for (uint32_t r = 0; r < m->n_resources; r++) {
		m->left[r] = capacity[r];
		if (m->count[r] == 0 || isinf(capacity[r]))
			continue;
		m->key[r] = capacity[r] / m->count[r];
		m->heap[n++] = r;
	}
	for (size_t i = n / 2; i-- > 0;)
		sift_down(m, n, i);
	return n;
}

/* The flows of a full resource get their share of it. */
static void settle(struct maxmin *m, const struct maxmin_flow *flows, uint32_t full, double share,
                   double *rates)
{
	for (uint32_t at = m->first[full]; at < m->first[full + 1]; at++) {
		const struct maxmin_flow *f = &flows[m->members[at]];
		if (rates[m->members[at]] >= 0)
			continue;
		rates[m->members[at]] = share;
		for (uint32_t k = 0; k < f->n_path + 2; k++) {
			const uint32_t r = step_of(f, k);
			m->left[r] = m->left[r] > share ? m->left[r] - share : 0;
			m->count[r]--;
		}
	}
}

enum err maxmin_share(struct maxmin *m, const double *capacity, const struct maxmin_flow *flows,
                      size_t n, double *rates)
{
	if (enlist(m, flows, n) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		rates[i] = -1;
	for (size_t left = heap_up(m, capacity); left > 0; sift_down(m, left, 0)) {
		const uint32_t r = m->heap[0];
		const double share = m->count[r] > 0 ? m->left[r] / m->count[r] : 0;
		if (m->count[r] > 0 && share > m->key[r]) {
			m->key[r] = share; /* others left it more than when it came in */
			continue;
		}
		settle(m, flows, r, share, rates);
		m->heap[0] = m->heap[--left];
	}
	return ERR_OK;
}
