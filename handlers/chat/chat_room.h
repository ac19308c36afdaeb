/* chat_room.h - who is in a room at this server, and when the others are to be told of it.
 *
 * Each server says now and then who is in a room at its sockets: an event "here" of the room's topic, which reaches all who are
 * in it, at whatever server. What one has said counts for CHAT_HERE_LASTS, or until it says something else, so that those
 * of a server that has died leave, too. It is said by the task of any of its members:
 *
 *     if (chat_room_tell(room, &data, &before)) {
 *         err = store(data, before, &id);
 *         chat_room_told(room, err, id);
 *     }
 *
 *   Data.     JSON: {"server":"5f0c...","names":["Ann","Bob"],"count":2,"at":1700000000}. names are different ones, and of many
 *             members the first; count is the number of members.
 *   Ownership. A room is there while somebody has it open. A member and its name are the caller's, until it has left.
 *   Threads.  All of it is for any thread. */
#ifndef CHAT_ROOM_H
#define CHAT_ROOM_H

#include "server/base/buffer.h"
#include "server/base/list.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHAT_HERE_SOONEST = 1000, CHAT_HERE_EVERY = 20000, CHAT_HERE_LASTS = 50000 };         /* milliseconds */

typedef struct chat_room chat_room;

typedef struct chat_member {
    list_node  node;
    chat_room *room;                         /* NULL: in none */
    text       name;
} chat_member;

chat_room *chat_room_open(text name);
void       chat_room_close(chat_room *r);    /* by each who has opened it; its member has left */
void       chat_room_enter(chat_room *r, chat_member *m);    /* the name is set */
void       chat_room_leave(chat_member *m);  /* one that is in none: no-op */

/* Milliseconds until there may be something to be told: within CHAT_HERE_SOONEST if somebody has come or gone by now; else, for
 * somebody may go without a word, some seconds, and another time for each who asks: at most one and a half of CHAT_HERE_EVERY. */
uint64_t   chat_room_wait(chat_room *r);

/* Is it time? Then it is for the caller to tell what it finds in *data, and to say with chat_room_told what came of it.
 * *before is the id under which it was told the time before, and which is not needed any more; 0: there is none. */
bool       chat_room_tell(chat_room *r, buffer *data, int64_t *before);
void       chat_room_told(chat_room *r, int err, int64_t id);

text       chat_server(void);                /* this one's name: another one each time that it starts */

#endif
