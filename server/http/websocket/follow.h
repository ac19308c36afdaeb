/* follow.h - a websocket that is sent what is published, without its handler.
 *
 *     subscription *s = topic_subscribe(request_arena(req), t, TOPIC_NEW);
 *     err = websocket_accept(req, "", &ws);
 *     if (!err) {
 *         websocket_follow(ws, s);
 *         err = await(websocket_each(ws, said, t));
 *     }
 *
 * A message is framed once, and its frame shared by all who follow. On a loop those of one turn leave in one write. A thread
 * of threads mode sends them while its handler receives, or waits for the websocket by either().
 *
 * What a handler makes of a message for each of many who get it, it may make once, too: a form (topic_message.h).
 *
 *     static text greeting(const topic_message *m) { return websocket_form(m->event); }
 *
 *     err = await(websocket_send_form(ws, m, greeting));
 *
 *   Slow ones.  To a client that does not take what it was sent nothing more is: it falls behind, and the topic's policy
 *               decides. With TOPIC_DISCONNECT it is closed with 1013. */
#ifndef HTTP_WEBSOCKET_FOLLOW_H
#define HTTP_WEBSOCKET_FOLLOW_H

#include "server/topic/subscription.h"
#include "websocket.h"

/* From now on the messages of s, which must be UTF-8, are sent as text. The handler may send and receive meanwhile, but not of
 * s, which stays until the request has ended, or another is followed; NULL: none is. If s ends (UV_EOF), nothing more comes
 * of it. */
void websocket_follow(websocket *ws, subscription *s);

/* As websocket_send, of a text that make makes of m for the first who sends it, and which all others share. make returns what
 * websocket_form makes of the text, which is copied. To a client whose messages are compressed it is sent compressed. */
MUST_AWAIT promise *websocket_send_form(websocket *ws, const topic_message *m, topic_form_fn *make);
text websocket_form(text bytes);

#endif
