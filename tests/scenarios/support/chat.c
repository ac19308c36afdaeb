/* chat.c - see chat.h. */
#include "chat.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *chat_new_room(void)
{
    static char room[32];
    static int rooms;
    snprintf(room, sizeof room, "room-%d-%d", (int)getpid(), ++rooms);
    return room;
}

client *chat_enter(const char *room, const char *name, long long after)
{
    char handshake[512], resume[40] = "";
    if (after >= 0)
        snprintf(resume, sizeof resume, "&after=%lld", after);
    snprintf(handshake, sizeof handshake, HANDSHAKE_OF("/ws/chat/%s?name=%s%s", ""), room, name, resume);
    return websocket_open(handshake);
}

json_t *chat_next(client *c)
{
    const frame *f = frame_next(c);
    if (f->first != (FRAME_END | FRAME_TEXT))
        return NULL;
    json_t *event = json_loadb(f->bytes, f->length, 0, NULL);
    ck_assert_msg(event && json_is_string(json_object_get(event, "event")), "%s", f->bytes);
    return event;
}

bool chat_is(const json_t *event, const char *name)
{
    return strcmp(json_string_value(json_object_get(event, "event")), name) == 0;
}

json_t *chat_await(client *c, const char *name)
{
    json_t *event;
    while ((event = chat_next(c)) && !chat_is(event, name))
        json_decref(event);
    ck_assert_msg(event, "no %s comes", name);
    return event;
}

json_t *chat_expect(client *c, const char *name)
{
    json_t *event;
    while ((event = chat_next(c)) && chat_is(event, "here"))
        json_decref(event);
    ck_assert_msg(event && chat_is(event, name), "no %s comes, but %s", name,
                  event ? json_string_value(json_object_get(event, "event")) : "the end");
    return event;
}

const char *chat_data(const json_t *event, const char *member)
{
    const char *value = json_string_value(json_object_get(json_object_get(event, "data"), member));
    return value ? value : "";
}

client *chat_enter_and_wait(const char *room, const char *name, long long after)
{
    client *c = chat_enter(room, name, after);
    json_decref(chat_await(c, "ready"));
    return c;
}

void chat_say(client *c, const char *key, const char *said)
{
    json_t *message = json_pack("{s:s, s:s}", "key", key, "text", said);
    char *bytes = json_dumps(message, 0);
    frame_say(c, FRAME_END | FRAME_TEXT, bytes);
    free(bytes);
    json_decref(message);
}

int64_t chat_stored(client *c, const char *key)
{
    json_t *event = chat_await(c, "stored");
    const int64_t id = number_of(event, "id");
    ck_assert_str_eq(chat_data(event, "key"), key);
    json_decref(event);
    return id;
}

int64_t chat_expect_said(client *c, const char *name, const char *said)
{
    json_t *event = chat_await(c, "message");
    ck_assert_str_eq(chat_data(event, "name"), name);
    ck_assert_str_eq(chat_data(event, "text"), said);
    const int64_t id = number_of(event, "id");
    json_decref(event);
    return id;
}

void chat_expect_here(client *c, const char *names, const char *server)
{
    for (bool found = false; !found;) {
        json_t *event = chat_await(c, "here"), *each;
        char said[64] = "";
        size_t i;
        json_array_foreach(json_object_get(json_object_get(event, "data"), "names"), i, each) {
            strcat(said, i ? "," : "");
            strcat(said, json_string_value(each));
        }
        found = strcmp(said, names) == 0 && strcmp(chat_data(event, "server"), server) != 0;
        json_decref(event);
    }
}
