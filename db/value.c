/* value.c - see value.h. */
#include "value.h"
#include "server/base/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Grows downwards, where there is one number more. */
bool value_whole(const char *s, int64_t *to)
{
    const bool negative = *s == '-';
    int64_t n = 0;
    s += negative;
    if (!isdigit((unsigned char)*s))
        return false;
    for (; isdigit((unsigned char)*s); s++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *s - '0', &n))
            return false;
    if (*s == '.')
        s += 1 + strspn(s + 1, "0");
    if (*s || (!negative && n == INT64_MIN))
        return false;
    *to = negative ? n : -n;
    return true;
}

bool value_number(const char *s, double *to)
{
    char *end;
    if (!*s || isspace((unsigned char)*s))
        return false;
    const double x = strtod(s, &end);
    if (*end)
        return false;
    *to = x;
    return true;
}

bool value_truth(const char *s, bool *to)
{
    if (!*s || s[1] || !strchr("tf10", *s))
        return false;
    *to = *s == 't' || *s == '1';
    return true;
}

bool value_fits(const char *s, char letter)
{
    int64_t n;
    double  x;
    bool    b;
    if (!s)
        return letter != 'i' && letter != 'f' && letter != 'b';
    switch (letter) {
    case 'i': case 'I': return value_whole(s, &n);
    case 'f': case 'F': return value_number(s, &x);
    case 'b': case 'B': return value_truth(s, &b);
    default:            return true;
    }
}

void value_log_misfit(const char *statement, int row, int column, char letter)
{
    const char *const what = letter == 'i' ? "a whole number" : letter == 'I' ? "a whole number or null" :
                             letter == 'f' ? "a number" : letter == 'F' ? "a number or null" :
                             letter == 'b' ? "true or false" : "true, false or null";
    log_error("%s: what came in row %d, column %d, is not %s", statement, row + 1, column + 1, what);
}

void value_log_columns(const char *statement, const char *types, int columns)
{
    log_error("%s: %d columns came, and not the %zu that it asks for", statement, columns, strlen(types));
}
