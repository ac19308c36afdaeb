/* postgres_rows.c - typed views into a PGresult in binary format: see db.h. */
#include "postgres.h"

#include <assert.h>
#include <string.h>

/* The types that the database's catalogue has numbered for ever. */
enum { CHAR = 18, NAME = 19, INT8 = 20, INT2 = 21, INT4 = 23, TEXT_ = 25, JSON = 114, UNKNOWN = 705,
       BPCHAR = 1042, VARCHAR = 1043 };

static const char *cell(const rows *r, int row, int column)
{
    assert(row >= 0 && row < r->count && column >= 0 && column < r->columns);
    return PQgetvalue(r->result, row, column);
}

static int64_t rows_integer(const rows *r, int row, int column)
{
    const char *at = cell(r, row, column);
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    assert(!PQgetisnull(r->result, row, column));
    switch (PQftype(r->result, column)) {
    case INT2: memcpy(&two, at, sizeof two); return (int16_t)__builtin_bswap16(two);
    case INT4: memcpy(&four, at, sizeof four); return (int32_t)__builtin_bswap32(four);
    case INT8: memcpy(&eight, at, sizeof eight); return (int64_t)__builtin_bswap64(eight);
    default: assert(!"rows_int reads int2, int4 and int8"); return 0;
    }
}

static text rows_string(const rows *r, int row, int column)
{
    const char *at = cell(r, row, column);
    switch (PQftype(r->result, column)) {
    case TEXT_: case VARCHAR: case NAME: case BPCHAR: case CHAR: case JSON: case UNKNOWN: break;
    default: assert(!"rows_text reads text, varchar, char, name and json");
    }
    return (text){ at, (size_t)PQgetlength(r->result, row, column) };
}

static bool rows_is_null(const rows *r, int row, int column)
{
    cell(r, row, column);
    return PQgetisnull(r->result, row, column);
}

const rows_driver pg_rows_driver = { .integer = rows_integer, .text = rows_string, .null = rows_is_null };

static void clear(void *result) { PQclear(result); }

void pg_rows_give(rows *out, arena *a, PGresult *r)
{
    *out = (rows){ .count = PQntuples(r), .columns = PQnfields(r), .result = r, .driver = &pg_rows_driver };
    arena_defer(a, clear, r);
}
