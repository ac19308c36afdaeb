/* value.h - values as a database writes them, read: a whole number, a number, true or false. */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* Each is false where s is anything else, and *to is written only on success. */
bool value_whole(const char *s, int64_t *to);                /* of 64 bits; 7.00 is one, too */
bool value_number(const char *s, double *to);                /* infinity and NaN are some, too */
bool value_truth(const char *s, bool *to);                   /* t and f, 1 and 0 */

/* Whether s, NULL for null, may stand in a column of that letter of db.h. */
bool value_fits(const char *s, char letter);

/* Logs that statement does not get what it says of that row and column (both from 0), once a second at most. */
void value_log_misfit(const char *statement, int row, int column, char letter);
void value_log_columns(const char *statement, const char *types, int columns);

#endif
