/* conditions.h - answers to clients that know of one already, or insist on one (RFC 9110, 13). */
#ifndef HTTP_CONDITIONS_H
#define HTTP_CONDITIONS_H

#include "request.h"

#include <time.h>

/* For a handler that knows the tag of what it would answer, a strong one with its quotes, and when that
 * changed: adds ETag and Last-Modified to the answer, and says whether the request's conditions hold. 0: answer;
 * 304: the client has it already, respond_nothing; HTTP_STATUS(412): it is not what the client insists on. */
int respond_conditions(request *req, const char *tag, time_t modified);

#endif
