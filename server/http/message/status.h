/* status.h - HTTP status codes as errors, and errors as status codes (RFC 9110, section 15). */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

#include "server/base/text.h"

/* A handler that returns HTTP_STATUS(404) is answered with that status. */
#define HTTP_STATUS(code) (-20000 - (code))

enum {
    E_BAD_REQUEST   = HTTP_STATUS(400),
    E_NOT_FOUND     = HTTP_STATUS(404),
    E_TOO_LARGE     = HTTP_STATUS(413),
    E_UNSUPPORTED   = HTTP_STATUS(415),
    E_UNPROCESSABLE = HTTP_STATUS(422),
};

int  status_of(int err);                     /* the status that answers a negative error; 500 if no other fits */
text status_reason(int status);              /* "Not Found" */
/* Its place in our list, above 0 and below STATUSES; of one that is not there, 500's; of 0 it is 0. And back. */
enum { STATUSES = 48, STATUS_CODES = 1024 };
extern const uint8_t STATUS_NUMBERS[STATUS_CODES];
static inline int status_number(unsigned status) { return STATUS_NUMBERS[status % STATUS_CODES]; }
int  status_of_number(int number);           /* 0 if there is none */

text status_line(int status);                /* "HTTP/1.1 404 Not Found\r\n"; of a status not in our list, 500's */

#endif
