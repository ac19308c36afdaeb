/* conditions.h - answers to clients that know of one already, or insist on one (RFC 9110, 13). */
#ifndef HTTP_CONDITIONS_H
#define HTTP_CONDITIONS_H

#include "request.h"

#include <time.h>

enum { CONDITIONS_NO_TIME = 0, CONDITIONS_TAG = 2 + 16 + 1 };

/* For a handler that knows the tag of what it would answer, a strong one with its quotes, and when that
 * changed, or CONDITIONS_NO_TIME: adds ETag and Last-Modified to the answer, and says whether the request's
 * conditions hold. 0: answer; 304: the client has it already, respond_nothing; HTTP_STATUS(412): it is not what the
 * client insists on. A time that is still to come is none. */
int respond_conditions(request *req, const char *tag, time_t modified);

/* Only the second: whether the conditions hold, by a tag that may be "", which none matches but *. For a handler that
 * changes what it knows to be there. */
int conditions_check(request *req, const char *tag, time_t modified);

/* A strong tag, made of the bytes of a body. */
void conditions_tag(char tag[CONDITIONS_TAG], text body);

/* For one that has made it: answers with 200 and that body, whose tag is made of its bytes, or with 304; or returns
 * HTTP_STATUS(412). */
int respond_tagged(request *req, const char *type, text body, time_t modified);

#endif
