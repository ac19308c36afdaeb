/* chat_html.c - see chat_html.h. */
#include "chat_html.h"
#include "chat_message.h"
#include "chat_room.h"
#include "handlers/layout.h"

#include <time.h>

static const char HEAD[] = "<link rel=\"stylesheet\" href=\"/static/chat.css\">\n";
static const char HEAD_OF_ROOM[] = "<link rel=\"stylesheet\" href=\"/static/chat.css\">\n"
                                   "<script src=\"/static/chat.js\" defer></script>\n";

/* With the time of the day: a script shows the reader's own. */
static void chat_write_time(buffer *b, int64_t seconds) { layout_time(b, "%e %B, %H:%M UTC", seconds); }

static void chat_write_room_link(buffer *b, text room)
{
    buffer_text(b, TEXT("<li><a href=\"/chat/"));
    buffer_text(b, room);
    buffer_text(b, TEXT("\"><b>"));
    buffer_text(b, room);
    buffer_text(b, TEXT("</b>"));
}

void chat_html_rooms(buffer *b, const rows *lately)
{
    bool lobby = false;
    layout_begin_with(b, TEXT("Chat"), HEAD);
    buffer_text(b, TEXT("<h1>Chat</h1>\n<p class=\"lead\">Rooms in which something was said lately. Whoever knows the name of a"
                        " room is in it; there are no passwords, and what is said is not kept for ever.</p>\n"
                        "<ul class=\"rooms\">\n"));
    for (int i = 0; i < lately->count; i++) {
        const text topic = rows_text(lately, i, 0), prefix = TEXT("chat/");
        const text room = { topic.at + prefix.length, topic.length - prefix.length };
        chat_message m;
        if (!topic_word_is_valid(room) || !chat_message_of_data(b->arena, rows_text(lately, i, 1), &m))
            continue;
        lobby |= text_equal(room, TEXT("lobby"));
        chat_write_room_link(b, room);
        buffer_text(b, TEXT("<span class=\"meta\"><bdi>"));
        buffer_html(b, m.name);
        buffer_text(b, TEXT("</bdi>, "));
        chat_write_time(b, m.at);
        buffer_text(b, TEXT("</span></a></li>\n"));
    }
    if (!lobby) {
        chat_write_room_link(b, TEXT("lobby"));
        buffer_text(b, TEXT("<span class=\"meta\">quiet</span></a></li>\n"));
    }
    buffer_text(b, TEXT("</ul>\n<form class=\"open\" action=\"/chat\">\n<label>Another room: small letters, digits and hyphens"
                        " <input name=\"room\" required maxlength=\"32\" pattern=\"[a-z0-9\\-]+\" autocapitalize=\"none\""
                        " autocomplete=\"off\" spellcheck=\"false\"></label>\n<button>Open it</button>\n</form>\n"));
    layout_end(b);
}

static void chat_write_message(buffer *b, text data)
{
    chat_message m;
    if (!chat_message_of_data(b->arena, data, &m))
        return;
    buffer_text(b, TEXT("<li data-key=\""));
    buffer_html(b, m.key);
    buffer_text(b, TEXT("\"><b>"));
    buffer_html(b, m.name);
    buffer_text(b, TEXT("</b> "));
    chat_write_time(b, m.at);
    buffer_text(b, TEXT("<p>"));
    buffer_html(b, m.text);
    buffer_text(b, TEXT("</p></li>\n"));
}

/* The names at all servers, each once. */
static void chat_write_names(buffer *b, const rows *told)
{
    json_t *names = json_object(), *each;
    const char *name;
    size_t n;
    char why[POST_WHY];
    for (int i = 0; i < told->count; i++) {
        json_t *said;
        if (post_parse(rows_text(told, i, 0), &said, why))
            continue;
        json_array_foreach(json_object_get(said, "names"), n, each)
            if (json_is_string(each))
                json_object_set_new(names, json_string_value(each), json_true());
        json_decref(said);
    }
    json_object_foreach(names, name, each) {
        buffer_text(b, TEXT("<li>"));
        buffer_html(b, text_of(name));
        buffer_text(b, TEXT("</li>"));
    }
    if (json_object_size(names) == 0)
        buffer_text(b, TEXT("<li class=\"meta\">Nobody else is here yet.</li>"));
    json_decref(names);
}

/* What each server said, and how many seconds ago, for the script to go on with. */
static void chat_write_here(buffer *b, const rows *told)
{
    buffer told_json;
    buffer_init(&told_json, b->arena);
    buffer_text(&told_json, TEXT("["));
    for (int i = 0; i < told->count; i++) {
        buffer_printf(&told_json, "%s{\"ago\":%lld,\"data\":", i ? "," : "", (long long)rows_int(told, i, 1));
        buffer_text(&told_json, rows_text(told, i, 0));
        buffer_text(&told_json, TEXT("}"));
    }
    buffer_text(&told_json, TEXT("]"));
    buffer_text(b, TEXT("<ul class=\"here\" aria-label=\"Who is here\" data-told=\""));
    buffer_html(b, buffer_all(&told_json));
    buffer_text(b, TEXT("\">"));
    chat_write_names(b, told);
    buffer_text(b, TEXT("</ul>\n"));
}

static void chat_write_form(buffer *b, text room, text name, text key)
{
    buffer_text(b, TEXT("<form class=\"say\" method=\"post\" action=\"/chat/"));
    buffer_text(b, room);
    buffer_text(b, TEXT("\">\n<label>Your name <input name=\"name\" required maxlength=\"40\" autocomplete=\"nickname\""
                        " value=\""));
    buffer_html(b, name);
    buffer_text(b, TEXT("\"></label>\n"
                        "<label>Message <textarea name=\"text\" required maxlength=\"1000\" rows=\"1\"></textarea></label>\n"
                        "<input type=\"hidden\" name=\"key\" value=\""));
    buffer_html(b, key);
    buffer_text(b, TEXT("\">\n<button>Send</button>\n</form>\n"));
}

void chat_html_room(buffer *b, text room, const chat_history *h, text name, text key)
{
    layout_begin_with(b, room, HEAD_OF_ROOM);
    buffer_text(b, TEXT("<div class=\"chat\" data-room=\""));
    buffer_text(b, room);
    buffer_printf(b, "\" data-last=\"%lld\">\n<h1>", (long long)h->last);
    buffer_text(b, room);
    buffer_text(b, TEXT("</h1>\n"));
    chat_write_here(b, &h->here);
    buffer_text(b, TEXT("<div class=\"said\" role=\"log\" aria-live=\"polite\" aria-label=\"Messages\" tabindex=\"0\">\n<ol>\n"));
    if (h->said.count == 0)
        buffer_text(b, TEXT("<li class=\"empty\">Nothing has been said here lately.</li>\n"));
    for (int i = h->said.count; i-- > 0;)                    /* the newest is first there, and last on the page */
        chat_write_message(b, rows_text(&h->said, i, 1));
    buffer_text(b, TEXT("</ol>\n</div>\n<p class=\"state\" role=\"status\"></p>\n"));
    chat_write_form(b, room, name, key);
    buffer_text(b, TEXT("</div>\n"));
    layout_end(b);
}
