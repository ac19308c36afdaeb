/* rows.c - the cells of any driver's rows: see db.h. */
#include "driver.h"

#include <assert.h>

static const rows_driver *cell(const rows *r, int row, int column)
{
    assert(row >= 0 && row < r->count && column >= 0 && column < r->columns);
    return r->driver;
}

static bool is_read_by(const rows *r, int column, char letter)
{
    return r->types && (r->types[column] | 0x20) == letter;          /* in capitals, too */
}

int64_t rows_int(const rows *r, int row, int column)
{
    const rows_driver *driver = cell(r, row, column);
    assert(!r->types || is_read_by(r, column, 'i'));
    return driver->integer(r, row, column);
}

double rows_double(const rows *r, int row, int column)
{
    const rows_driver *driver = cell(r, row, column);
    assert(is_read_by(r, column, 'f'));
    return driver->real(r, row, column);
}

bool rows_bool(const rows *r, int row, int column)
{
    const rows_driver *driver = cell(r, row, column);
    assert(is_read_by(r, column, 'b'));
    return driver->boolean(r, row, column);
}

text rows_text(const rows *r, int row, int column)
{
    const rows_driver *driver = cell(r, row, column);
    assert(!r->types || is_read_by(r, column, 't'));
    return driver->text(r, row, column);
}

bool rows_null(const rows *r, int row, int column) { return cell(r, row, column)->null(r, row, column); }
