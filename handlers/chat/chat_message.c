/* chat_message.c - see chat_message.h. */
#include "chat_message.h"
#include "server/http/message/status.h"

#include <stdio.h>
#include <uv.h>

text chat_topic(text room, char name[CHAT_TOPIC])
{
    const int length = snprintf(name, CHAT_TOPIC, "chat/%.*s", (int)room.length, room.at);
    return (text){ name, (size_t)length };
}

static int chat_wrong(char why[CHAT_WHY], const char *what)
{
    snprintf(why, CHAT_WHY, "%s", what);
    return HTTP_STATUS(422);
}

/* Lines and tabs belong into a text; what else is below the space belongs nowhere. */
static bool has_control_characters(text t, bool lines)
{
    for (size_t i = 0; i < t.length; i++) {
        const unsigned char c = (unsigned char)t.at[i];
        if ((c < ' ' && !(lines && (c == '\n' || c == '\r' || c == '\t'))) || c == 0x7f)
            return true;
    }
    return false;
}

int chat_name_check(text name, char why[CHAT_WHY])
{
    if (text_is_blank(name))
        return chat_wrong(why, "Say who you are: the name is empty.");
    if (name.length > CHAT_NAME)
        return chat_wrong(why, "The name is too long: at most 40 letters.");
    if (has_control_characters(name, false) || !post_text_is_valid(name))
        return chat_wrong(why, "The name must be UTF-8 text, on one line.");
    return 0;
}

int chat_message_check(const chat_message *m, char why[CHAT_WHY])
{
    const int err = chat_name_check(m->name, why);
    if (err)
        return err;
    if (text_is_blank(m->text))
        return chat_wrong(why, "The message is empty.");
    if (m->text.length > CHAT_TEXT)
        return chat_wrong(why, "The message is too long: at most 1,000 letters.");
    if (has_control_characters(m->text, true) || !post_text_is_valid(m->text))
        return chat_wrong(why, "The message must be UTF-8 text.");
    if (m->key.length == 0 || m->key.length > CHAT_KEY || has_control_characters(m->key, false) || !post_text_is_valid(m->key))
        return chat_wrong(why, "A message has a key of 1 to 64 bytes of text.");
    return 0;
}

text chat_message_data(arena *a, const chat_message *m)
{
    buffer b;
    buffer_init(&b, a);
    buffer_text(&b, TEXT("{\"name\":"));
    buffer_json(&b, m->name);
    buffer_text(&b, TEXT(",\"text\":"));
    buffer_json(&b, m->text);
    buffer_text(&b, TEXT(",\"at\":"));
    buffer_int(&b, m->at);
    buffer_text(&b, TEXT(",\"key\":"));
    buffer_json(&b, m->key);
    buffer_text(&b, TEXT("}"));
    return buffer_all(&b);
}

static bool chat_member_text(arena *a, const json_t *object, const char *name, text *value)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_string(member))
        return false;
    const size_t length = json_string_length(member);
    *value = (text){ arena_copy(a, (text){ json_string_value(member), length }), length };
    return true;
}

bool chat_message_of_data(arena *a, text data, chat_message *m)
{
    char why[POST_WHY];
    json_t *object;
    if (post_parse(data, &object, why))
        return false;
    const json_t *at = json_object_get(object, "at");
    const bool good = json_is_integer(at) && chat_member_text(a, object, "name", &m->name) &&
                      chat_member_text(a, object, "text", &m->text) && chat_member_text(a, object, "key", &m->key);
    m->at = json_integer_value(at);
    json_decref(object);
    return good;
}

text chat_key_new(arena *a)
{
    uint64_t random[2] = { uv_hrtime() };
    if (uv_random(NULL, NULL, random, sizeof random, 0, NULL))
        random[1] = (uint64_t)(uintptr_t)a;  /* without a source of them: still another one than all others here */
    return text_of(arena_printf(a, "%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]));
}
