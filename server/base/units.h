/* units.h - amounts and switches as people write them.
 *
 * Each is 0, UV_EINVAL if text is no such thing, or UV_ERANGE if it is one too large for 64 bits;
 * out is written on success only. No signs, no fractions, no spaces. */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stdint.h>

int units_number(const char *text, uint64_t *out);           /* 1024 */
int units_size(const char *text, uint64_t *out);             /* in bytes: 512 64KiB 1MiB 1GiB */
int units_duration(const char *text, uint64_t *out);   /* in ms: 250ms 30s 5m 1h; 0 needs no unit */
int units_switch(const char *text, bool *out);               /* on off true false yes no */

bool units_is_line(const char *text);        /* UTF-8 without control characters */

#endif
