/* json.h - a string and a number, as the floors write them: json.c, or json_improved.c in its place.
 *
 * Each function writes at p and returns where it stopped; the room is the caller's business. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

char *put_string(char *p, const char *text, size_t length); /* with its quotes */
char *put_integer(char *p, int64_t value);

#endif
