/* spoil.h - makes some of the HTTP answers that pass by errors: 200 becomes 500. */
#ifndef SPOIL_H
#define SPOIL_H

#include <stdbool.h>
#include <stddef.h>

enum { SPOIL_LINE = 64 };                    /* of a header line so much is looked at */

typedef struct answers {                     /* where in a connection's stream of them we are */
    size_t at;                               /* bytes of the head so far */
    size_t body;                             /* bytes of the body still to come */
    size_t length;                           /* of the body, as the head says */
    bool   chosen;                           /* to become an error */
    bool   unframed;                         /* no telling where it ends: nothing is changed any more */
    int    column;
    char   line[SPOIL_LINE];
} answers;

/* Changes what of the next bytes it must, so that percent of all connections' answers are errors. */
void spoil(answers *a, char *bytes, size_t length, unsigned percent);

#endif
