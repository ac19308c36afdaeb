/* result.c - see result.h. */
#include "result.h"
#include "db/value.h"
#include "server/base/memory.h"

#include <stdio.h>

enum { KEEP = 32 * 1024, USES = 64, FIRST_CELLS = 64, FIRST_BYTES = 4096 };

void sqlite_result_clear(sqlite_result *r)
{
    r->count = r->columns = 0;
    r->used = 0;
}

void sqlite_result_done(sqlite_result *r)
{
    mem_free(r->block.cells);
    mem_free(r->block.bytes);
    *r = (sqlite_result){ 0 };
}

/* What none of the last so many answers needed a quarter of is too much: it begins small again. */
void sqlite_result_trim(sqlite_result *r)
{
    const size_t room = r->cells_room * sizeof(sqlite_cell) + r->bytes_room;
    const size_t needed = (size_t)r->count * (size_t)r->columns * sizeof(sqlite_cell) + r->used;
    if (needed > r->most)
        r->most = needed;
    if (++r->uses < USES) {
        sqlite_result_clear(r);
        return;
    }
    if (room > KEEP && r->most < room / 4)
        sqlite_result_done(r);
    sqlite_result_clear(r);
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

static size_t add_text(sqlite_result *r, const void *at, size_t length)
{
    const size_t offset = r->used;
    if (r->bytes_room - offset < length) {
        r->bytes_room = doubled(r->bytes_room, FIRST_BYTES, offset + length);
        r->block.bytes = mem_resize(r->block.bytes, r->bytes_room);
    }
    if (length && at)
        memcpy(r->block.bytes + offset, at, length);
    r->used += length;
    return offset;
}

static size_t add_hex(sqlite_result *r, const unsigned char *at, size_t length)
{
    static const char DIGITS[] = "0123456789abcdef";
    const size_t offset = add_text(r, NULL, 2 + 2 * length);
    char *to = r->block.bytes + offset;
    *to++ = '\\';
    *to++ = 'x';
    for (size_t i = 0; i < length; i++) {
        *to++ = DIGITS[at[i] >> 4];
        *to++ = DIGITS[at[i] & 15];
    }
    return offset;
}

static void take_text(sqlite_result *r, sqlite_cell *c, sqlite3_stmt *s, int i)
{
    const bool bytes = sqlite3_column_type(s, i) == SQLITE_BLOB;
    const void *at = bytes ? sqlite3_column_blob(s, i) : sqlite3_column_text(s, i);
    const int length = sqlite3_column_bytes(s, i);           /* after that: asking for it settles the length */
    c->type = SQLITE_CELL_TEXT;
    c->length = bytes ? 2 + 2 * length : length;
    c->offset = bytes ? add_hex(r, at, (size_t)length) : add_text(r, at, (size_t)length);
}

static bool take_whole(sqlite_cell *c, sqlite3_stmt *s, int i)
{
    c->type = SQLITE_CELL_INTEGER;
    if (sqlite3_column_type(s, i) == SQLITE_INTEGER) {
        c->integer = sqlite3_column_int64(s, i);
        return true;
    }
    const char *at = (const char *)sqlite3_column_text(s, i);
    return at && value_whole(at, &c->integer);
}

static bool take_number(sqlite_cell *c, sqlite3_stmt *s, int i)
{
    c->type = SQLITE_CELL_REAL;
    if (sqlite3_column_type(s, i) == SQLITE_FLOAT || sqlite3_column_type(s, i) == SQLITE_INTEGER) {
        c->real = sqlite3_column_double(s, i);
        return true;
    }
    const char *at = (const char *)sqlite3_column_text(s, i);
    return at && value_number(at, &c->real);
}

static bool take_truth(sqlite_cell *c, sqlite3_stmt *s, int i)
{
    const char *at = (const char *)sqlite3_column_text(s, i);
    bool is;
    if (!at || !value_truth(at, &is))
        return false;
    c->type = SQLITE_CELL_INTEGER;
    c->integer = is;
    return true;
}

static bool take_cell(sqlite_result *r, sqlite_cell *c, sqlite3_stmt *s, int i, char letter)
{
    if (sqlite3_column_type(s, i) == SQLITE_NULL) {
        *c = (sqlite_cell){ .type = SQLITE_CELL_NULL };
        return value_fits(NULL, letter);
    }
    const bool bytes = sqlite3_column_type(s, i) == SQLITE_BLOB;
    switch (letter) {
    case 'i': case 'I': return !bytes && take_whole(c, s, i);
    case 'f': case 'F': return !bytes && take_number(c, s, i);
    case 'b': case 'B': return !bytes && take_truth(c, s, i);
    default:            take_text(r, c, s, i); return true;
    }
}

int sqlite_result_add(sqlite_result *r, sqlite3_stmt *s, const char *types)
{
    const int columns = sqlite3_column_count(s);
    const size_t first = (size_t)r->count * (size_t)columns, need = first + (size_t)columns;
    if (need > r->cells_room) {
        r->cells_room = doubled(r->cells_room, FIRST_CELLS, need);
        r->block.cells = mem_resize(r->block.cells, r->cells_room * sizeof(sqlite_cell));
    }
    for (int i = 0; i < columns; i++)
        if (!take_cell(r, &r->block.cells[first + (size_t)i], s, i, types ? types[i] : 't'))
            return i;
    r->columns = columns;
    r->count++;
    return -1;
}

void sqlite_result_split(const sqlite_result *r, int runs, const int ends[], const statement *s, arena *a, rows out[])
{
    sqlite_block *blocks = arena_room(a, (size_t)runs * sizeof *blocks);
    for (int i = 0, from = 0; i < runs; from = ends[i++]) {
        blocks[i] = (sqlite_block){ r->block.cells ? &r->block.cells[(size_t)from * (size_t)r->columns] : NULL, r->block.bytes };
        out[i] = (rows){ ends[i] - from, r->columns, &blocks[i], &sqlite_rows_driver, s->columns };
    }
}

static const sqlite_cell *cell_at(const rows *r, int row, int column)
{
    const sqlite_block *own = r->result;
    return &own->cells[(size_t)row * (size_t)r->columns + (size_t)column];
}

static text cell_as_text(const rows *r, int row, int column)
{
    const sqlite_cell *c = cell_at(r, row, column);
    if (c->type == SQLITE_CELL_NULL || c->length == 0)
        return TEXT("");
    return (text){ ((const sqlite_block *)r->result)->bytes + c->offset, (size_t)c->length };
}

static int64_t cell_as_integer(const rows *r, int row, int column)
{
    const sqlite_cell *c = cell_at(r, row, column);
    int64_t n = 0;
    if (c->type == SQLITE_CELL_TEXT) {              /* of a statement that does not say */
        const text t = cell_as_text(r, row, column);
        char digits[32];
        snprintf(digits, sizeof digits, "%.*s", t.length < sizeof digits ? (int)t.length : 0, t.at);
        value_whole(digits, &n);
        return n;
    }
    return c->integer;
}

static double cell_as_real(const rows *r, int row, int column)  { return cell_at(r, row, column)->real; }
static bool   cell_as_truth(const rows *r, int row, int column) { return cell_at(r, row, column)->integer; }
static bool   cell_is_null(const rows *r, int row, int column)  { return cell_at(r, row, column)->type == SQLITE_CELL_NULL; }

const rows_driver sqlite_rows_driver = {
    .integer = cell_as_integer, .text = cell_as_text, .null = cell_is_null, .real = cell_as_real, .boolean = cell_as_truth
};
