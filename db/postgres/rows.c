/* rows.c - views into a PGresult, or a copy of what is in a small one: see db.h.
 *
 * All columns come as texts, for only so whatever type a column has can be read. Of a whole number that costs
 * neither side more than its eight bytes in the binary format: they would have to be turned round.
 *
 * A PGresult takes more than 3 KB, however little is in it, in pieces that malloc has to look for as soon as a request
 * holds several. So one that has a single short row, or none, is gone as soon as that has been copied. */
#include "rows.h"
#include "db/driver.h"
#include "db/value.h"

#include <string.h>

/* The types that the database's catalogue has numbered for ever. */
enum { BOOL = 16, INT8 = 20, INT2 = 21, INT4 = 23, FLOAT4 = 700, FLOAT8 = 701, NUMERIC = 1700 };

static text result_string(const rows *r, int row, int column)
{
    return (text){ PQgetvalue(r->result, row, column), (size_t)PQgetlength(r->result, row, column) };
}

static bool result_is_null(const rows *r, int row, int column) { return PQgetisnull(r->result, row, column); }

struct cell { const char *at; int length; };         /* of null "" and -1 */

static struct cell copied(const rows *r, int column) { return ((const struct cell *)r->result)[column]; }

static text copied_string(const rows *r, int row, int column)
{
    const struct cell c = copied(r, column);
    (void)row;
    return (text){ c.at, c.length < 0 ? 0 : (size_t)c.length };
}

static bool copied_is_null(const rows *r, int row, int column)
{
    (void)row;
    return copied(r, column).length < 0;
}

/* Numbers are made of the text, which is terminated; of null, and of what is none, 0. */

static int64_t rows_integer(const rows *r, int row, int column)
{
    int64_t n = 0;
    value_whole(r->driver->text(r, row, column).at, &n);
    return n;
}

static double rows_real(const rows *r, int row, int column)
{
    double x = 0;
    value_number(r->driver->text(r, row, column).at, &x);
    return x;
}

static bool rows_truth(const rows *r, int row, int column)
{
    bool is = false;
    value_truth(r->driver->text(r, row, column).at, &is);
    return is;
}

static const rows_driver result_driver = {
    .integer = rows_integer, .text = result_string, .null = result_is_null, .real = rows_real, .boolean = rows_truth
};

static const rows_driver copy_driver = {
    .integer = rows_integer, .text = copied_string, .null = copied_is_null, .real = rows_real, .boolean = rows_truth
};

/* What r holds, if it is at most one row, and short; else NULL. */
static struct cell *copy_of(const PGresult *r, const rows *view, arena *a)
{
    enum { MOST_COLUMNS = 16, LONGEST = 512 };       /* bytes of all columns */
    const int columns = view->count ? view->columns : 0;
    int lengths[MOST_COLUMNS];
    size_t size = 0;
    if (view->count > 1 || columns > MOST_COLUMNS)
        return NULL;
    for (int i = 0; i < columns; i++)
        size += (size_t)(lengths[i] = PQgetlength(r, 0, i)) + 1;
    if (size > LONGEST)
        return NULL;

    struct cell *cells = arena_room(a, (size_t)columns * sizeof *cells + size);
    char *at = (char *)(cells + columns);
    for (int i = 0; i < columns; i++) {
        cells[i] = (struct cell){ at, lengths[i] || !PQgetisnull(r, 0, i) ? lengths[i] : -1 };
        at = mempcpy(at, PQgetvalue(r, 0, i), (size_t)lengths[i] + 1);
    }
    return cells;
}

/* Whether all values of this type fit. */
static bool fits_by_type(Oid type, char letter)
{
    switch (letter | 0x20) {
    case 'i': return type == INT8 || type == INT4 || type == INT2;
    case 'f': return type == INT8 || type == INT4 || type == INT2 || type == FLOAT8 || type == FLOAT4 || type == NUMERIC;
    case 'b': return type == BOOL;
    default:  return true;
    }
}

static bool column_fits(const PGresult *r, int column, const statement *s)
{
    const char letter = s->columns[column];
    const bool all = fits_by_type(PQftype(r, column), letter);
    if (all && value_fits(NULL, letter))
        return true;
    for (int row = 0; row < PQntuples(r); row++) {
        const char *at = PQgetisnull(r, row, column) ? NULL : PQgetvalue(r, row, column);
        if (all ? at != NULL : value_fits(at, letter))
            continue;
        value_log_misfit(s->name, row, column, letter);
        return false;
    }
    return true;
}

static bool rows_fit(const PGresult *r, const statement *s)
{
    const int columns = PQnfields(r);
    if (s->columns && strlen(s->columns) != (size_t)columns) {
        value_log_columns(s->name, s->columns, columns);
        return false;
    }
    for (int i = 0; s->columns && i < columns; i++)
        if (!column_fits(r, i, s))
            return false;
    return true;
}

static void clear_result(void *result) { PQclear(result); }

int pg_rows_give(rows *out, arena *a, PGresult *r, const statement *s, bool stored)
{
    if (!rows_fit(r, s)) {
        PQclear(r);
        return stored ? driver_uncertain(s, "what came back is not what was asked for") : DB_EVALUE;
    }
    *out = (rows){ PQntuples(r), PQnfields(r), r, &result_driver, s->columns };
    struct cell *copy = copy_of(r, out, a);
    if (copy) {
        out->result = copy;
        out->driver = &copy_driver;
        PQclear(r);
    } else {
        arena_defer(a, clear_result, r);
    }
    return 0;
}
