/* chat_pages.c - GET /chat, GET and POST /chat/:room: the pages, and the form for those without scripts. */
#include "chat_html.h"
#include "chat_message.h"
#include "chat_store.h"
#include "handlers/handlers.h"
#include "server/http/message/head.h"
#include "server/http/message/url.h"

#include <time.h>

async int chat_rooms(request *req)
{
    const text asked = request_query(req, "room");
    if (asked.length > 0) {
        if (!topic_word_is_valid(asked))
            return respond_problem(req, 400, CHAT_NO_ROOM);
        respond_header(req, "Location", "/chat/%.*s", (int)asked.length, asked.at);
        return respond_nothing(req, 303);
    }
    rows lately;
    const int err = await(site_query(req, &lately, &CHAT_LATELY, 0, NULL));
    if (err)
        return err;
    buffer b;
    buffer_init(&b, request_arena(req));
    chat_html_rooms(&b, &lately);
    return respond_html(req, 200, buffer_all(&b));
}

async int chat_room_page(request *req)
{
    const text room = request_param(req, "room");
    char name[CHAT_TOPIC], why[CHAT_WHY];
    chat_history h;
    if (!topic_word_is_valid(room))
        return respond_problem(req, 404, CHAT_NO_ROOM);
    const int err = chat_read_page(req, chat_topic(room, name), &h);
    if (err)
        return err;
    const text said = request_query(req, "name");
    buffer b;
    buffer_init(&b, request_arena(req));
    chat_html_room(&b, room, &h, chat_name_check(said, why) ? TEXT("") : said, chat_key_new(b.arena));
    return respond_html(req, 200, buffer_all(&b));
}

static bool chat_message_of_form(request *req, chat_message *m)
{
    const text body = request_body(req);
    arena *a = request_arena(req);
    return form_find(a, body, "name", &m->name) && form_find(a, body, "text", &m->text) && form_find(a, body, "key", &m->key);
}

async int chat_say(request *req)
{
    const text room = request_param(req, "room");
    char topic[CHAT_TOPIC], why[CHAT_WHY];
    chat_message m = { .at = time(NULL) };
    int64_t id;
    if (!topic_word_is_valid(room))
        return respond_problem(req, 404, CHAT_NO_ROOM);
    if (!text_is(request_type(req), "application/x-www-form-urlencoded"))
        return respond_problem(req, 415, "A message comes as application/x-www-form-urlencoded.");
    if (!chat_message_of_form(req, &m))
        return respond_problem(req, 422, "A message has a name, a text and a key: one of the fields is missing.");
    int err = chat_message_check(&m, why);
    if (err)
        return respond_problem(req, status_of(err), "%s", why);
    err = chat_store(req, request_arena(req), chat_topic(room, topic), &m, &id);
    if (err)
        return err;
    respond_header(req, "Location", "/chat/%.*s?name=%s", (int)room.length, room.at, url_encode(request_arena(req), m.name));
    return respond_nothing(req, 303);
}
