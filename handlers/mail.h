/* mail.h - letters that are sent in the background, and what has become of each.
 *
 *     const uint64_t id = mail_new();
 *     err = mail_send("letter to nowhere", deliver, arg, destroy);
 *     ...
 *     mail_ended(id, outcome);              by deliver, much later
 *
 * On a loop a group of tasks sends them (background.h), one for its whole life. A blocking thread has to go on with its
 * connection: for it a thread of its own sends one, and is joined when the connection ends.
 *
 *   Bounds.    So many are under way at once, on each loop or of all blocking threads together: one more is UV_EAGAIN. What
 *              has become of them is known of the last 256, to all threads. */
#ifndef MAIL_H
#define MAIL_H

#include "server/async/promise.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct mail {
    uint64_t id;
    uint64_t since, ended;                   /* by uv_hrtime; ended 0: it is under way */
    int      outcome;                        /* 0 or a negative error */
} mail;

uint64_t mail_new(void);
void     mail_ended(uint64_t id, int outcome);
bool     mail_find(uint64_t id, mail *found);                /* false: there was none, or long ago */

/* Runs deliver(arg), which may await, without waiting for it. As with background_start, arg is destroyed when it has ended,
 * and remains the caller's if it cannot be started; what fails is logged with this name. */
int mail_send(const char *name, int (*deliver)(void *arg), void *arg, void (*destroy)(void *arg));

/* On each thread that serves, before it ends: on a loop what is under way is cancelled, a blocking thread waits for it. */
MUST_AWAIT promise *mail_close(void);

#endif
