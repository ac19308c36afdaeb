/* background.h - tasks that are not awaited, and still belong to a group that answers for them.
 *
 *   err = background_start(b, "mail", send_mail, mail, mail_free);
 *   if (err)
 *       mail_free(mail);
 *
 * A group owns the tasks started in it, logs the ones that fail, and can be waited for and stopped as
 * one. There is no other way to start and forget.
 *
 *   Ownership.   arg belongs to the group from a start that succeeds: it destroys it when the task has
 *                ended. A start that fails leaves it with the caller.
 *   Failures.    Nobody handles what such a task returns. So one that fails is logged, with its name, and
 *                counted; UV_ECANCELED from a task that was stopped is no failure.
 *   Threads.     A group is for the tasks of one thread, with a loop or without. In a blocking thread its
 *                tasks run while another waits: when the group is joined or stopped, for one. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include "promise.h"

#include <stddef.h>
#include <stdint.h>

typedef struct background background;

background *background_new(size_t max_tasks);
void        background_free(background *b);  /* no task may be running, and nothing wait */

/* Starts fn(arg) as a task. UV_EAGAIN when the group is full, UV_ECANCELED once it has been stopped,
 * UV_ENOMEM or so when the kernel refuses a stack. name is static; destroy may be NULL. */
int    background_start(background *b, const char *name, int (*fn)(void *arg), void *arg, void (*destroy)(void *arg));

/* Settles with 0 when all that run now have ended; what is started later is not waited for. */
MUST_AWAIT promise *background_join(background *b);

/* Cancels all, and refuses new ones from now on. Settles with 0 when the last has ended: cancelling it
 * waits no less. */
MUST_AWAIT promise *background_stop(background *b);

size_t   background_running(const background *b);
uint64_t background_failed(const background *b);
uint64_t background_failures(void);          /* of all groups of the process, ever; from any thread */

#endif
