/* escape.h - text written so that it cannot end what it stands in.
 *
 *   JSON   within a string, RFC 8259, 7: the quotation mark, the backslash, and all below 0x20, in the short form if
 *          there is one (\n), else as \u001f
 *   HTML   as text, and in a quoted attribute's value, WHATWG HTML, 13.3, "escaping a string", and ' beside it:
 *          & < > " ' as &amp; &lt; &gt; &quot; &#39;
 *
 * All other bytes are written as they are, UTF-8 or not. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include "text.h"

enum { ESCAPE_LEAST = 32 };                  /* bytes of room */

/* Writes what fits between to and end, where there are ESCAPE_LEAST bytes or more, takes that from *t, at least
 * a byte if there is one, and returns where it ends. What is behind that, up to end, is anything. */
typedef char *escape_function(char *to, const char *end, text *t);

escape_function escape_json, escape_html;

#endif
