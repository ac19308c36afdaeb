/* address_map.c - see address_map.h: open addressing, at most half full. */
#include "address_map.h"
#include "server/base/memory.h"

static size_t address_map_slot(const address_map *m, uint64_t at)
{
    size_t i = (size_t)((at * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (m->room - 1);
    while (m->slots[i].at && m->slots[i].at != at)
        i = (i + 1) & (m->room - 1);
    return i;
}

void address_map_add(address_map *m, uint64_t at, int number)
{
    if (2 * m->count >= m->room) {
        address_map wider = { .room = m->room ? 4 * m->room : 1024 };
        wider.slots = mem_alloc(wider.room * sizeof *wider.slots);
        for (size_t i = 0; i < m->room; i++)
            if (m->slots[i].at)
                wider.slots[address_map_slot(&wider, m->slots[i].at)] = m->slots[i];
        mem_free(m->slots);
        m->slots = wider.slots;
        m->room = wider.room;
    }
    const size_t i = address_map_slot(m, at);
    m->count += !m->slots[i].at;
    m->slots[i].at = at;
    m->slots[i].number = number;
}

int address_map_find(const address_map *m, uint64_t at)
{
    if (!at || !m->room)
        return -1;
    const size_t i = address_map_slot(m, at);
    return m->slots[i].at ? m->slots[i].number : -1;
}

void address_map_free(address_map *m) { mem_free(m->slots); }
