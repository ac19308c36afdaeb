/* message.h - the bytes between a worker and its parent, who must not wait for them.
 *
 *     worker                 parent
 *       | ---- hello ---------> |              once
 *       | <--- job, in -------- |
 *       | ---- err, out ------> |              and so on
 *
 * Each is a header and, behind it, so many bytes. Anything else that a worker sends is no answer: its memory
 * is not what it was, and nothing that it says can be trusted any more. */
#ifndef PROCESS_MESSAGE_H
#define PROCESS_MESSAGE_H

#include "server/base/arena.h"
#include "server/base/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct process_header {
    uint32_t magic;
    int32_t  what;                           /* the number of the job, or the outcome */
    uint64_t length;                         /* of the bytes behind it */
} process_header;

enum { PROCESS_MAGIC = 0x74656e6b };

typedef struct process_message {             /* what is sent, and its answer */
    process_header header;                   /* as it is sent, then as it comes */
    text           in;
    arena         *arena;                    /* NULL: it is the hello */
    char          *bytes;                    /* of out, in the arena */
    size_t         done;                     /* bytes of header and body, of this direction */
    bool           receiving;
    int            err;                      /* the outcome, and if that is 0 */
    text           out;
} process_message;

void  process_message_expect_hello(process_message *m);
void  process_message_begin(process_message *m, int job, text in, arena *a);

/* Goes on as far as it can without waiting. 0: it has ended, with m->err; UV_EAGAIN: there is more to do
 * when fd has process_message_events; UV_EOF: the worker is gone; UV_EPROTO: it wrote what is no answer. */
int   process_message_step(process_message *m, int fd);
short process_message_events(const process_message *m);       /* poll's */

/* Of a worker that has nothing to do: 0, it is there and silent; or as above. */
int   process_message_listen(int fd);

#endif
