/* sqlite_result.c - see sqlite_result.h. */
#include "sqlite_result.h"
#include "server/memory.h"

#include <assert.h>

enum { KEEP = 32 * 1024, USES = 64, FIRST_CELLS = 64, FIRST_BYTES = 4096 };

void result_clear(result *r)
{
    r->count = r->columns = 0;
    r->used = 0;
}

void result_done(result *r)
{
    mem_free(r->cells);
    mem_free(r->bytes);
    *r = (result){ 0 };
}

/* What none of the last so many answers needed a quarter of is too much: it begins small again. */
void result_trim(result *r)
{
    const size_t room = r->cells_room * sizeof(cell) + r->bytes_room;
    const size_t needed = (size_t)r->count * (size_t)r->columns * sizeof(cell) + r->used;
    if (needed > r->most)
        r->most = needed;
    if (++r->uses < USES) {
        result_clear(r);
        return;
    }
    if (room > KEEP && r->most < room / 4)
        result_done(r);
    result_clear(r);
    r->most = 0;
    r->uses = 0;
}

static size_t doubled(size_t room, size_t first, size_t need)
{
    size_t more = room ? room : first;
    while (more < need)
        more *= 2;
    return more;
}

static size_t add_text(result *r, const void *at, size_t length)
{
    const size_t offset = r->used;
    if (r->bytes_room - offset < length) {
        r->bytes_room = doubled(r->bytes_room, FIRST_BYTES, offset + length);
        r->bytes = mem_resize(r->bytes, r->bytes_room);
    }
    if (length)
        memcpy(r->bytes + offset, at, length);
    r->used += length;
    return offset;
}

void result_add(result *r, sqlite3_stmt *s)
{
    const int columns = sqlite3_data_count(s);
    const size_t first = (size_t)r->count * (size_t)columns, need = first + (size_t)columns;
    if (need > r->cells_room) {
        r->cells_room = doubled(r->cells_room, FIRST_CELLS, need);
        r->cells = mem_resize(r->cells, r->cells_room * sizeof(cell));
    }
    for (int i = 0; i < columns; i++) {
        cell *c = &r->cells[first + (size_t)i];
        switch (sqlite3_column_type(s, i)) {
        case SQLITE_NULL:
            *c = (cell){ .type = CELL_NULL };
            break;
        case SQLITE_INTEGER:
            *c = (cell){ .type = CELL_INTEGER, .integer = sqlite3_column_int64(s, i) };
            break;
        default: {                           /* the text first: asking for it settles the length */
            const void *at = sqlite3_column_text(s, i);
            const int length = sqlite3_column_bytes(s, i);
            *c = (cell){ .type = CELL_TEXT, .length = length, .offset = add_text(r, at, (size_t)length) };
        }
        }
    }
    r->columns = columns;
    r->count++;
}

static const cell *at(const rows *r, int row, int column)
{
    const result *own = r->result;
    assert(row >= 0 && row < r->count && column >= 0 && column < r->columns);
    return &own->cells[(size_t)row * (size_t)r->columns + (size_t)column];
}

static int64_t as_integer(const rows *r, int row, int column)
{
    const cell *c = at(r, row, column);
    assert(c->type == CELL_INTEGER);
    return c->integer;
}

static text as_text(const rows *r, int row, int column)
{
    const cell *c = at(r, row, column);
    assert(c->type != CELL_INTEGER);
    if (c->type == CELL_NULL || c->length == 0)
        return TEXT("");
    return (text){ ((const result *)r->result)->bytes + c->offset, (size_t)c->length };
}

static bool is_null(const rows *r, int row, int column) { return at(r, row, column)->type == CELL_NULL; }

const rows_driver sqlite_rows = { .integer = as_integer, .text = as_text, .null = is_null };
