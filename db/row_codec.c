/* row_codec.c - see row_codec.h.
 *
 *     count, columns | a letter for each column | for each cell: is it null? its number, or its length and bytes */
#include "row_codec.h"
#include "driver.h"

#include <assert.h>
#include <string.h>
#include <uv.h>

typedef struct cell { bool null; int64_t integer; text text; } cell;

static void pack_bytes(buffer *b, const void *at, size_t length) { buffer_text(b, (text){ at, length }); }

static void pack_cell(buffer *b, const rows *r, int row, int column, char type)
{
    const char null = (char)rows_null(r, row, column);
    pack_bytes(b, &null, 1);
    if (null)
        return;
    const text t = type == 't' ? rows_text(r, row, column) : TEXT("");
    const int64_t n = type == 't' ? (int64_t)t.length : rows_int(r, row, column);
    pack_bytes(b, &n, sizeof n);
    buffer_text(b, t);
}

void rows_pack(buffer *b, const rows *r, const char *types)
{
    assert(strlen(types) == (size_t)r->columns);
    pack_bytes(b, &r->count, sizeof r->count);
    pack_bytes(b, &r->columns, sizeof r->columns);
    pack_bytes(b, types, (size_t)r->columns);
    for (int row = 0; row < r->count; row++)
        for (int column = 0; column < r->columns; column++)
            pack_cell(b, r, row, column, types[column]);
}

static bool unpack_bytes(text *in, void *to, size_t length)
{
    if (in->length < length)
        return false;
    memcpy(to, in->at, length);
    in->at += length;
    in->length -= length;
    return true;
}

static bool unpack_cell(text *in, cell *c, char type)
{
    char null;
    if (!unpack_bytes(in, &null, 1))
        return false;
    c->null = null;
    c->text = TEXT("");
    if (null)
        return true;
    if (!unpack_bytes(in, &c->integer, sizeof c->integer))
        return false;
    if (type != 't')
        return true;
    if ((uint64_t)c->integer > in->length)   /* a negative one is, too */
        return false;
    c->text = (text){ in->at, (size_t)c->integer };
    in->at += c->text.length;
    in->length -= c->text.length;
    return true;
}

static const cell *cell_at(const rows *r, int row, int column)
{
    return &((const cell *)r->result)[row * r->columns + column];
}

static int64_t integer_at(const rows *r, int row, int column) { return cell_at(r, row, column)->integer; }
static text    text_at(const rows *r, int row, int column)    { return cell_at(r, row, column)->text; }
static bool    null_at(const rows *r, int row, int column)    { return cell_at(r, row, column)->null; }

static const rows_driver driver = { .integer = integer_at, .text = text_at, .null = null_at };

int rows_unpack(rows *out, text *in, arena *a)
{
    rows r = { .driver = &driver };
    if (!unpack_bytes(in, &r.count, sizeof r.count) || !unpack_bytes(in, &r.columns, sizeof r.columns) || r.count < 0 ||
        r.columns < 0 || (size_t)r.columns > in->length)
        return UV_EINVAL;
    const char *types = r.types = in->at;
    in->at += r.columns;
    in->length -= (size_t)r.columns;
    const size_t cells = (size_t)r.count * (size_t)r.columns;
    if (cells > in->length)                  /* each takes a byte at least */
        return UV_EINVAL;
    cell *all = arena_alloc(a, cells * sizeof *all);
    for (size_t i = 0; i < cells; i++)
        if (!unpack_cell(in, &all[i], types[i % (size_t)r.columns]))
            return UV_EINVAL;
    r.result = all;
    *out = r;
    return 0;
}
