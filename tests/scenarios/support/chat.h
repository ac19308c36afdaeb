/* chat.h - who takes part in a room of the chat by websocket, GET /ws/chat/:room. */
#ifndef TESTS_CHAT_H
#define TESTS_CHAT_H

#include "frames.h"
#include "json.h"

/* Of its own for each test, for the database is one for all of them. Until the next call. */
const char *chat_new_room(void);

client *chat_enter(const char *room, const char *name, long long after);     /* after -1: it hears nothing of before */
client *chat_enter_and_wait(const char *room, const char *name, long long after);    /* for the end of that, passing it over */

/* An event, the caller's to json_decref. */
json_t *chat_next(client *c);                /* NULL: there is none, it is the end */
json_t *chat_await(client *c, const char *name);     /* the next of that name: others are passed over */
json_t *chat_expect(client *c, const char *name);    /* the next, but for those about who is here, must have that name */

bool        chat_is(const json_t *event, const char *name);
const char *chat_data(const json_t *event, const char *member);      /* "": it has none */

void    chat_say(client *c, const char *key, const char *said);
int64_t chat_stored(client *c, const char *key);     /* waits for that, which must be about the key: its id */
int64_t chat_expect_said(client *c, const char *name, const char *said);     /* the same of the next message of anybody */

/* Until a server other than that one says that exactly these are here, "Bob,Ann". */
void    chat_expect_here(client *c, const char *names, const char *server);

#endif
