/* answer.h - takes the bytes that come on a connection apart into answers.
 *
 * As much of HTTP as a server says to a GET: a status, and a body with a Content-Length. An answer
 * may come in any pieces, and a piece may hold many answers. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum { ANSWER_HEAD = 1024 }; /* bytes of a head that came in pieces, at most */

typedef struct answer {
    int status;
    bool closes;      /* the server ends the connection after it */
    bool in_body;     /* the head has come */
    size_t body;      /* bytes of it that are still to come */
    size_t head_size; /* of what is here of a head */
    char head[ANSWER_HEAD];
} answer;

/* Takes what belongs to the answer that is under way from the n bytes at *at, and moves *at
 * behind that. True when the answer is complete: its status and closes are then valid until the
 * next call. */
bool answer_take(answer *a, const char **at, size_t n);

#endif
