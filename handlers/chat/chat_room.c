/* chat_room.c - see chat_room.h. */
#include "chat_room.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <uv.h>

struct chat_room {
    list_node node;
    int       users;
    list      members;
    size_t    count;                         /* of members */
    uint64_t  told;                          /* milliseconds; 0: never */
    int64_t   told_id;
    bool      changed, telling;
    text      name;                          /* which lies behind it */
};

static pthread_mutex_t rooms_lock = PTHREAD_MUTEX_INITIALIZER;       /* of all rooms and members */
static list            rooms;

static uint64_t chat_now(void) { return uv_hrtime() / 1000000; }

static chat_room *chat_room_find(text name)
{
    for (list_node *n = rooms.first; n; n = n->next) {
        chat_room *r = container_of(n, chat_room, node);
        if (text_equal(r->name, name))
            return r;
    }
    return NULL;
}

static chat_room *chat_room_new(text name)
{
    chat_room *r = mem_alloc(sizeof *r + name.length);
    *r = (chat_room){ .name = { (char *)(r + 1), name.length } };
    memcpy(r + 1, name.at, name.length);
    list_push(&rooms, &r->node);
    return r;
}

chat_room *chat_room_open(text name)
{
    pthread_mutex_lock(&rooms_lock);
    chat_room *r = chat_room_find(name);
    if (!r)
        r = chat_room_new(name);
    r->users++;
    pthread_mutex_unlock(&rooms_lock);
    return r;
}

void chat_room_close(chat_room *r)
{
    pthread_mutex_lock(&rooms_lock);
    if (--r->users == 0) {
        list_remove(&r->node);
        mem_free(r);
    }
    pthread_mutex_unlock(&rooms_lock);
}

void chat_room_enter(chat_room *r, chat_member *m)
{
    pthread_mutex_lock(&rooms_lock);
    list_push(&r->members, &m->node);
    m->room = r;
    r->count++;
    r->changed = true;
    pthread_mutex_unlock(&rooms_lock);
}

void chat_room_leave(chat_member *m)
{
    if (!m->room)
        return;
    pthread_mutex_lock(&rooms_lock);
    list_remove(&m->node);
    m->room->count--;
    m->room->changed = true;
    m->room = NULL;
    pthread_mutex_unlock(&rooms_lock);
}

/* With the lock. */
static uint64_t chat_room_due(const chat_room *r)
{
    if (r->telling || (r->count == 0 && !r->changed))
        return CHAT_HERE_EVERY;
    if (r->count == 0)
        return 0;                            /* there is nobody who could tell it later */
    const uint64_t due = r->told ? r->told + (r->changed ? CHAT_HERE_SOONEST : CHAT_HERE_EVERY) : 0;
    const uint64_t now = chat_now();
    return due > now ? due - now : 0;
}

uint64_t chat_room_wait(chat_room *r)
{
    enum { LOOK = 2000 };                    /* for each member: a room is looked at about as often, however many there are */
    pthread_mutex_lock(&rooms_lock);
    const uint64_t due = chat_room_due(r), count = r->count;
    pthread_mutex_unlock(&rooms_lock);
    if (due <= CHAT_HERE_SOONEST)
        return due;
    const uint64_t look = count > 1 && count < CHAT_HERE_EVERY / LOOK ? count * LOOK : CHAT_HERE_EVERY;
    return look / 2 + uv_hrtime() / 1000 % look;
}

/* With the lock. Different names among the first members: to look for them among thousands would take its time. */
static void chat_room_write(const chat_room *r, buffer *b)
{
    enum { LOOKED_AT = 100, NAMES = 40 };
    text names[NAMES];
    int looked = 0, found = 0;
    buffer_text(b, TEXT("{\"server\":"));
    buffer_json(b, chat_server());
    buffer_text(b, TEXT(",\"names\":["));
    for (const list_node *n = r->members.first; n && looked < LOOKED_AT && found < NAMES; n = n->next, looked++) {
        const text name = container_of(n, chat_member, node)->name;
        int same = 0;
        while (same < found && !text_equal(names[same], name))
            same++;
        if (same < found)
            continue;
        buffer_text(b, found > 0 ? TEXT(",") : TEXT(""));
        buffer_json(b, name);
        names[found++] = name;
    }
    buffer_text(b, TEXT("],\"count\":"));
    buffer_int(b, (int64_t)r->count);
    buffer_text(b, TEXT(",\"at\":"));
    buffer_int(b, (int64_t)time(NULL));
    buffer_text(b, TEXT("}"));
}

bool chat_room_tell(chat_room *r, buffer *data, int64_t *before)
{
    pthread_mutex_lock(&rooms_lock);
    const bool due = chat_room_due(r) == 0;
    if (due) {
        r->telling = true;
        r->changed = false;
        *before = r->told_id;
        chat_room_write(r, data);
    }
    pthread_mutex_unlock(&rooms_lock);
    return due;
}

/* One that failed is tried again, but not at once. */
void chat_room_told(chat_room *r, int err, int64_t id)
{
    pthread_mutex_lock(&rooms_lock);
    r->telling = false;
    r->told = chat_now();
    if (err)
        r->changed = true;
    else
        r->told_id = id;
    pthread_mutex_unlock(&rooms_lock);
}

static char server_name[17];

static void chat_server_begin(void)
{
    uint64_t random = uv_hrtime();
    uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    snprintf(server_name, sizeof server_name, "%016llx", (unsigned long long)random);
}

text chat_server(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, chat_server_begin);
    return (text){ server_name, sizeof server_name - 1 };
}
