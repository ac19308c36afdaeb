/* chat_socket.c - GET /ws/chat/:room?name=Ann&after=123: a room by websocket, one task with two sources.
 *
 *     to us     {"key":"5f0c...","text":"Hello"}                    a message; the key is its sender's, see chat_message.h
 *     from us   {"event":"message","id":124,"data":{...}}           what was said, in the order of ids, each once
 *               {"event":"here","data":{...},"ago":3}               who is there at one of the servers (chat_room.h)
 *               {"event":"ready","id":124}                          all that was said before has been sent
 *               {"event":"pruned"}                                  but for what is kept no more
 *               {"event":"stored","id":124,"data":{"key":"..."}}    yours is kept, and all will get it
 *               {"event":"refused","data":{"key":"...","why":"..."}}        it is not; with "again": send it once more after so
 *                                                                   many milliseconds, with its key
 *
 * A client that comes again names the id that it had last. What is newer comes from what the topic keeps in memory, or, if
 * it has been away for longer, or has been too slow, from the outbox: nothing is lost, and nothing comes twice. */
#include "chat_message.h"
#include "chat_room.h"
#include "chat_store.h"
#include "handlers/handlers.h"
#include "handlers/past.h"
#include "server/http/websocket/follow.h"

#include <time.h>

enum { BURST = 20, EACH = 250, TROUBLE = 3000 };     /* messages at once; ms for each more; ms after which to try again */
enum { ROUND = 64 };                         /* messages passed on before the client is listened to again */

typedef struct chat_client {
    request      *req;
    websocket    *ws;
    topic        *topic;
    subscription *news;
    chat_room    *room;
    chat_member   me;
    arena         round;                     /* what is needed for one event */
    text          topic_name;
    int64_t       last;                      /* the id of the message that it has had last; TOPIC_NEW: it wants none of before */
    uint64_t      allowed;                   /* of uv_hrtime: one message for each EACH since then, but at most BURST */
} chat_client;

static void chat_begin(arena *a, buffer *b, const char *event)
{
    buffer_init(b, a);
    buffer_printf(b, "{\"event\":\"%s\"", event);
}

static void chat_write_number(buffer *b, const char *name, int64_t number)
{
    buffer_printf(b, ",\"%s\":%lld", name, (long long)number);
}

static async int chat_end(chat_client *s, buffer *b)
{
    buffer_text(b, TEXT("}"));
    return await(websocket_send(s->ws, (websocket_message){ .bytes = buffer_all(b) }));
}

static void chat_write_data(arena *a, buffer *b, const char *event, int64_t id, text data)
{
    chat_begin(a, b, event);
    if (id > 0)
        chat_write_number(b, "id", id);
    buffer_text(b, TEXT(",\"data\":"));
    buffer_text(b, data);
}

static async int chat_send_data(chat_client *s, const char *event, int64_t id, text data, int64_t ago)
{
    buffer b;
    chat_write_data(&s->round, &b, event, id, data);
    if (ago > 0)
        chat_write_number(&b, "ago", ago);
    return chat_end(s, &b);
}

static async int chat_send_stored(chat_client *s, text key, int64_t id)
{
    buffer b;
    chat_begin(&s->round, &b, "stored");
    chat_write_number(&b, "id", id);
    buffer_text(&b, TEXT(",\"data\":{\"key\":"));
    buffer_json(&b, key);
    buffer_text(&b, TEXT("}"));
    return chat_end(s, &b);
}

/* again: milliseconds; 0: it is not to be tried again. */
static async int chat_send_refused(chat_client *s, text key, const char *why, uint64_t again)
{
    buffer b;
    chat_begin(&s->round, &b, "refused");
    buffer_text(&b, TEXT(",\"data\":{\"key\":"));
    buffer_json(&b, key);
    buffer_text(&b, TEXT(",\"why\":"));
    buffer_json(&b, text_of(why));
    if (again > 0)
        chat_write_number(&b, "again", (int64_t)again);
    buffer_text(&b, TEXT("}"));
    return chat_end(s, &b);
}

/* Is an event of the topic for the client, whether from memory or from the outbox? Messages are in the order of ids, and each
 * once. */
static bool chat_is_news(chat_client *s, int64_t id, text event)
{
    if (text_equal(event, TEXT("here")))
        return true;
    if (id <= s->last || !text_equal(event, TEXT("message")))
        return false;
    s->last = id;
    return true;
}

static void chat_write_news(arena *a, buffer *b, int64_t id, text event, text data)
{
    const bool here = text_equal(event, TEXT("here"));
    chat_write_data(a, b, here ? "here" : "message", here ? 0 : id, data);
    buffer_text(b, TEXT("}"));
}

/* Written once for all who are in the room. */
static text chat_form(const topic_message *m)
{
    arena a = { 0 };
    buffer b;
    chat_write_news(&a, &b, m->id, m->event, m->bytes);
    const text form = websocket_form(buffer_all(&b));
    arena_done(&a);
    return form;
}

static promise *chat_pass_on_row(void *arg, const outbox_row *row)
{
    chat_client *s = arg;
    arena a = { 0 };
    buffer b;
    if (!chat_is_news(s, row->id, row->event))
        return promise_settled(0);
    chat_write_news(&a, &b, row->id, row->event, row->data);
    promise *const sent = websocket_send(s->ws, (websocket_message){ .bytes = buffer_all(&b) });
    arena_done(&a);
    return promise_named(sent);
}

static promise *chat_say_pruned(void *arg, int64_t after)
{
    const chat_client *s = arg;
    (void)after;
    return promise_named(websocket_send(s->ws, (websocket_message){ .bytes = TEXT("{\"event\":\"pruned\"}") }));
}

static async int chat_tell_here(chat_client *s)
{
    rows here;
    int err = chat_read_here(s->req, &s->round, s->topic_name, &here);
    for (int i = 0; !err && i < here.count; i++)
        err = chat_send_data(s, "here", 0, rows_text(&here, i, 0), rows_int(&here, i, 1));
    return err;
}

/* The server stops. */
static async int chat_go_away(chat_client *s)
{
    const int err = await(websocket_close(s->ws, WEBSOCKET_GOING_AWAY, TEXT("")));
    return err ? err : UV_EOF;
}

static past chat_past(chat_client *s)
{
    const int64_t last = subscription_last(s->news);
    return (past){ .news = s->news, .last = last, .sent = last, .send = chat_pass_on_row, .missed = chat_say_pruned, .arg = s };
}

/* It was away, or has not kept up with what the topic keeps. */
static async int chat_catch_up(chat_client *s)
{
    past p = chat_past(s);
    int err = past_catch_up(&p);
    if (err == UV_EOF)
        return chat_go_away(s);
    if (err != PAST_UNREADABLE)
        return err;
    err = await(websocket_close(s->ws, WEBSOCKET_TRY_AGAIN, TEXT("What was said before cannot be read just now.")));
    return err ? err : UV_EOF;
}

static async int chat_subscribe(chat_client *s)
{
    s->news = topic_subscribe(request_arena(s->req), s->topic, s->last == TOPIC_NEW ? site_published() : s->last);
    const past p = chat_past(s);
    return past_is_there(&p) ? 0 : chat_catch_up(s);
}

static async int chat_tell_news(chat_client *s)
{
    const topic_message *m;
    int err = 0;
    for (int i = 0; !err && i < ROUND && !(err = subscription_next(s->news, &m)); i++)
        err = chat_is_news(s, m->id, m->event) ? await(websocket_send_form(s->ws, m, chat_form)) : 0;
    switch (err) {
    case UV_EAGAIN:           return 0;
    case UV_EOF:              return chat_go_away(s);
    case SUBSCRIPTION_BEHIND: return chat_catch_up(s);
    default:                  return err;
    }
}

static async int chat_begin_news(chat_client *s)
{
    int err = chat_tell_here(s);
    if (!err)
        err = chat_subscribe(s);
    while (!err && subscription_is_ready(s->news))           /* what was kept in memory */
        err = chat_tell_news(s);
    if (err)
        return err;
    buffer b;
    chat_begin(&s->round, &b, "ready");
    chat_write_number(&b, "id", s->last);
    return chat_end(s, &b);
}

/* 0, or how many milliseconds too early this message is. */
static uint64_t chat_too_early(chat_client *s)
{
    const uint64_t ms = 1000000, now = uv_hrtime(), full = now - BURST * EACH * ms;
    if (s->allowed < full || s->allowed > now)
        s->allowed = full;
    if (now - s->allowed < EACH * ms)
        return EACH - (now - s->allowed) / ms;
    s->allowed += EACH * ms;
    return 0;
}

/* It is kept before anybody hears of it. What went wrong, or may have, is tried again by the client: it has the key. */
static async int chat_keep(chat_client *s, const chat_message *m)
{
    char why[CHAT_WHY];
    int64_t id;
    int err = chat_message_check(m, why);
    if (err)
        return chat_send_refused(s, m->key, why, 0);
    const uint64_t early = chat_too_early(s);
    if (early > 0)
        return chat_send_refused(s, m->key, "Not so fast, please.", early);
    err = chat_store(s->req, &s->round, s->topic_name, m, &id);
    if (err == UV_ECANCELED)
        return err;
    return err ? chat_send_refused(s, m->key, "It cannot be kept just now.", TROUBLE) : chat_send_stored(s, m->key, id);
}

static text chat_text_in(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return json_is_string(member) ? (text){ json_string_value(member), json_string_length(member) } : TEXT("");
}

static async int chat_hear(chat_client *s)
{
    websocket_message said;
    char why[CHAT_WHY];
    json_t *object;
    int err = await(websocket_receive(s->ws, &said));
    if (err)
        return err;
    if (post_parse(said.bytes, &object, why))
        return chat_send_refused(s, TEXT(""), why, 0);
    const chat_message m = { .name = s->me.name, .text = chat_text_in(object, "text"), .key = chat_text_in(object, "key"),
                             .at = time(NULL) };
    err = chat_keep(s, &m);
    json_decref(object);
    return err;
}

/* If it is time, and nobody else does it. That it cannot be told is no harm to what is said. */
static async int chat_say_who_is_here(chat_client *s)
{
    buffer data;
    int64_t before;
    buffer_init(&data, &s->round);
    if (!chat_room_tell(s->room, &data, &before))
        return 0;
    int64_t id = 0;
    const int err = chat_store_here(s->req, &s->round, s->topic_name, buffer_all(&data), before, &id);
    chat_room_told(s->room, err, id);
    return err == UV_ECANCELED ? err : 0;
}

static async int chat_talk(chat_client *s)
{
    enum { HEARS, NEWS, TIME };
    int which = HEARS, err = chat_begin_news(s);
    while (!err) {
        err = chat_say_who_is_here(s);
        arena_done(&s->round);
        if (!err)
            err = await(either(&which, websocket_source(s->ws), subscription_source(s->news),
                               time_source(deadline_in(chat_room_wait(s->room)))));
        if (!err && which == HEARS)
            err = chat_hear(s);
        if (!err && which == NEWS)
            err = chat_tell_news(s);
    }
    return err;
}

/* Its name and where it goes on: 0, or what the handler returns. */
static int chat_read_request(chat_client *s)
{
    const text room = request_param(s->req, "room");
    char why[CHAT_WHY];
    if (!topic_word_is_valid(room))
        return respond_problem(s->req, 404, CHAT_NO_ROOM);
    s->topic_name = chat_topic(room, request_alloc(s->req, CHAT_TOPIC));
    const text name = request_query(s->req, "name");         /* part of a head that goes once it is a websocket */
    s->me.name = (text){ arena_copy(request_arena(s->req), name), name.length };
    int err = s->me.name.length > 0 ? chat_name_check(s->me.name, why) : 0;
    if (err)
        return respond_problem(s->req, status_of(err), "%s", why);
    s->last = TOPIC_NEW;
    err = request_query_int(s->req, "after", &s->last);
    return !err && s->last < TOPIC_NEW ? E_BAD_REQUEST : err;
}

async int chat_socket(request *req)
{
    chat_client s = { .req = req };
    int err = chat_read_request(&s);
    if (!err)
        err = topic_open(s.topic_name, &s.topic);
    if (err)
        return err;
    err = websocket_accept(req, "", &s.ws);
    if (!err) {
        topic_set_policy(s.topic, TOPIC_DISCONNECT);
        s.room = chat_room_open(s.topic_name);
        if (s.me.name.length > 0)
            chat_room_enter(s.room, &s.me);
        err = chat_talk(&s);
        chat_room_leave(&s.me);
        if (err == UV_EOF)                   /* else, or if it is too early, one of those who stay tells it, in some seconds */
            chat_say_who_is_here(&s);
        subscription_end(s.news);
        chat_room_close(s.room);
        arena_done(&s.round);
    }
    topic_close(s.topic);
    return err;
}
