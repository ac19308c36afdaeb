/* utf8.h - is it UTF-8? Overlong forms, surrogates and what is beyond U+10FFFF are none (RFC 3629). */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the character at p, or 0 if there is none. What it is in has a NUL at its end, or behind it. */
size_t utf8_length(const char *p);

bool utf8_is(const char *at, size_t length); /* NULs among them are characters; what is behind them is not looked at */

#endif
