/* escape.h - text written so that it cannot end what it stands in.
 *
 *   JSON   within a string, RFC 8259, 7: the quotation mark, the backslash, and all below 0x20, in the short form if
 *          there is one (\n), else as \u001f
 *   HTML   as text, and in a quoted attribute's value, WHATWG HTML, 13.3, "escaping a string", and ' beside it:
 *          & < > " ' as &amp; &lt; &gt; &quot; &#39;
 *   log    within the quotes of an access log's field: " and \ and all that is not printable ASCII as \x1F, as nginx and
 *          Apache have it
 *
 * All other bytes are written as they are, UTF-8 or not. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include "text.h"

enum { ESCAPE_LEAST = 32 };                  /* bytes of room */

/* Writes what fits between to and end, where there are ESCAPE_LEAST bytes or more, takes that from *t, at least
 * a byte if there is one, and returns where it ends. What is behind that, up to end, is anything. */
typedef char *escape_function(char *to, const char *end, text *t);

escape_function escape_json, escape_html, escape_log;

/* For what needs none of it nearly always: copies the whole text, and says whether it stands for itself in JSON and in a log. If
 * not, the copy is of no use. There is room for all of it. */
bool escape_none(char *to, text t);

#endif
