/* events.h - server-sent events: an answer that goes on, of which a client has one event after the other (WHATWG HTML, 9.2).
 *
 *     int err = respond_events(req);
 *     for (int i = 0; i < 10 && !err; i++)
 *         if (!(err = await(event_send(req, (event){ .data = TEXT("tick") }))))
 *             err = await(sleep_for(1000));
 *     return err;
 *
 * A browser that has lost such an answer, or had all of it, asks again by itself, after the time that it was last told
 * (retry), and says which id it had last. What it is answered with instead of events, 204 for one, it takes for the end.
 *
 *   The end.    A handler that returns 0 or UV_EOF ends the answer; one that fails breaks it off, and is logged.
 *   Silence.    When nothing has been sent for [events] heartbeat, the server sends a comment, which the client passes over:
 *               so what lies between sees that the connection is in use, and a client that is gone is noticed.
 *   Slow ones.  A client that takes nothing, or does not so much as acknowledge, for [timeouts] write is gone. Of what it
 *               does not take, no more than [limits] output and one event is held; then the handler waits.
 *   Stopping.   When the server stops, it ends what the handler awaits as if its client had gone (UV_ECANCELED), each
 *               client's at a moment of its own in the first quarter of [timeouts] drain; of a handler in callback style,
 *               an event that waits for room. The handler may yet send while there is room, and then returns. The last that
 *               the client hears is when to come back: its own time, after [events] retry and before the drain time has
 *               passed once more.
 *   Modes.      Any handler may answer so but one that may not wait (.answer). In threads mode each takes a thread for as long
 *               as it goes on. */
#ifndef HTTP_EVENTS_H
#define HTTP_EVENTS_H

#include "event.h"
#include "server/async/promise.h"
#include "server/http/route.h"

#include <stdbool.h>

struct subscription;

/* Begins the answer, 200 as text/event-stream; there is no deadline from now on. Headers come before. UV_EOF: it is
 * complete already, for the handler to return: the method is HEAD, or the server stops, and the client has been told when
 * to come back. UV_EALREADY: it has been answered before. */
int respond_events(request *req);

/* Sends an event, which is copied; those of one turn leave together. Settles when there is room for another; each is awaited
 * before the next. UV_EINVAL: the client would read it otherwise (event_is_valid), and it is not sent; UV_ENOMEM: nor is it,
 * for it is large. UV_EOF: the server stops; it is sent, and should be the last. UV_ECANCELED: the client is gone, or the
 * server stops and there was no room. */
MUST_AWAIT promise *event_send(request *req, event e);

/* A topic's messages, each as an event with its id, go to the client as they come, and no task is needed for it; then one that
 * has no room for them is treated as the topic's policy says, on a loop at once, in a thread when its client reads again. One
 * whose event has a line's end is passed over. Settles with 0 when the subscription has ended, by that policy or because topics
 * end; else as event_send. The subscription ends with it. On a route with .events nothing of the request's head is there any
 * more from this call on: an idle one is small. */
MUST_AWAIT promise *events_follow(request *req, struct subscription *s);

/* The same for one that need not end when the topic's policy would have it, or that is behind from the beginning: then it awaits
 * the promise that again returns, and goes on with s if that settles with 0; else it settles with that. */
typedef promise *events_again(request *req, struct subscription *s);
MUST_AWAIT promise *events_follow_on(request *req, struct subscription *s, events_again *again, bool behind);

/* The id that the client had last: its Last-Event-ID, or else, for the first time that it comes, ?last-event-id= of the
 * query. *id stays if there is neither; E_BAD_REQUEST if it is no whole number. Of ids that are none: request_header. */
int request_last_event_id(request *req, int64_t *id);

#endif
