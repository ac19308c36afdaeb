/* url.h - percent-encoding (RFC 3986, 2.1) and forms (application/x-www-form-urlencoded, WHATWG URL). */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "server/base/arena.h"

/* Decodes %XX, and + as a space where form says so. A malformed %XX stays as it is. The result is a
 * view of t when there was nothing to decode, else it is the arena's. */
text url_decode(arena *a, text t, bool form);

/* Encodes all but letters, digits and - . _ ~: for one segment of a path, or a value of a query. Terminated,
 * and always a copy. A segment that is . or .. stays, and leads where it does. */
char *url_encode(arena *a, text t);

/* The first field of that name in a form or query string: decoded; false if there is none. */
bool form_find(arena *a, text form, const char *name, text *value);

#endif
