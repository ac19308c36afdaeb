/* chat_message.h - what is said in a room: the rules, and how it is kept and told.
 *
 * A message is an event of the topic chat/ROOM, and its data is JSON: {"name":"Ann","text":"Hello","at":1700000000,"key":"..."}.
 * Whoever sends it makes up a key, by which the same message, sent again because nobody knows whether it came, is kept once. */
#ifndef CHAT_MESSAGE_H
#define CHAT_MESSAGE_H

#include "handlers/topics.h"
#include "handlers/users/post.h"

/* Bytes, at most. Of names and texts pages say a third: a character of theirs has three at most. */
enum { CHAT_ROOM = TOPIC_WORD, CHAT_NAME = 120, CHAT_TEXT = 3000, CHAT_KEY = 64, CHAT_WHY = POST_WHY,
       CHAT_TOPIC = CHAT_ROOM + sizeof "chat/" };

typedef struct chat_message {
    text    name, text, key;
    int64_t at;                              /* seconds since 1970 */
} chat_message;

#define CHAT_NO_ROOM "A room's name is made of 1 to 32 small letters, digits and hyphens."

text chat_topic(text room, char name[CHAT_TOPIC]);           /* of a valid one; in name */

/* 0, or HTTP_STATUS(422) and why it cannot be taken, in words. */
int  chat_name_check(text name, char why[CHAT_WHY]);
int  chat_message_check(const chat_message *m, char why[CHAT_WHY]);

text chat_message_data(arena *a, const chat_message *m);

/* The same read; false if it is no such data. The texts are the arena's. */
bool chat_message_of_data(arena *a, text data, chat_message *m);

/* A key for a client that makes none, because it has no scripts. */
text chat_key_new(arena *a);

#endif
