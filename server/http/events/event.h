/* event.h - a server-sent event, and how the client reads it (WHATWG HTML, 9.2.5 and 9.2.6).
 *
 *     id: 7
 *     event: post
 *     data: each line of it
 *     data: on a line
 *     (an empty one)
 *
 * A blank follows each colon, so that one in front of a value stays; the client takes away one. */
#ifndef HTTP_EVENT_H
#define HTTP_EVENT_H

#include "server/base/text.h"

typedef struct event {
    text     id;                             /* with which the client comes back; "": it keeps the one that it has */
    text     event;                          /* its name; "": the client takes it for "message" */
    text     data;                           /* UTF-8, of any number of lines, which may end with LF, CR or both: the client
                                                gets LF; {0}: none, and nothing happens there, but for id and retry */
    uint64_t retry;                          /* milliseconds after which to come back; 0: as before */
} event;

/* The client would read it as it is: no line's end in its id or name, and no NUL in its id. */
bool   event_is_valid(const event *e);
size_t event_size(const event *e);           /* bytes, as it is sent; of a valid one */
char  *event_write(const event *e, char *to);        /* so many; returns their end */

#endif
