/* events.c - GET /events/NAME: what is published under a topic's name, as it comes. */
#include "handlers.h"
#include "topics.h"
#include "server/http/events/events.h"
#include "server/topic/subscription.h"

promise *events(request *req)
{
    const text name = request_param(req, "*");
    int64_t after = TOPIC_NEW;
    topic *t;
    if (!topic_name_is_valid(name))
        return promise_settled(respond_problem(req, 400, "The name of a topic is like users/42 or chat/lobby."));
    if (!topic_is_public(name))
        return promise_settled(respond_problem(req, 404, "There is no such topic to listen to."));
    int err = request_last_event_id(req, &after);
    if (!err && after < TOPIC_NEW)
        err = E_BAD_REQUEST;
    if (!err)
        err = topic_open(name, &t);
    if (err)
        return promise_settled(err);
    subscription *s = topic_subscribe(request_arena(req), t, after);
    topic_close(t);                          /* a subscription keeps it */
    err = respond_events(req);
    return err ? promise_settled(err) : events_follow(req, s);
}
