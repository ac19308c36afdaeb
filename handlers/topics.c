/* topics.c - see topics.h. */
#include "topics.h"
#include "site.h"

/* How many there are of a word at the front. */
static size_t word_length(text t)
{
    size_t n = 0;
    while (n < t.length && ((t.at[n] >= 'a' && t.at[n] <= 'z') || (t.at[n] >= '0' && t.at[n] <= '9') || t.at[n] == '-'))
        n++;
    return n;
}

static text topic_kind(text name) { return (text){ name.at, word_length(name) }; }

/* What follows the slash. */
static text topic_which(text name)
{
    const size_t before = word_length(name) + 1;
    return before < name.length ? (text){ name.at + before, name.length - before } : TEXT("");
}

bool topic_word_is_valid(text t) { return t.length > 0 && t.length <= TOPIC_WORD && word_length(t) == t.length; }

/* As it is written in a path: else the same user would have several topics. */
static bool word_is_number(text t)
{
    size_t n = 0;
    while (n < t.length && t.at[n] >= '0' && t.at[n] <= '9')
        n++;
    return n == t.length && t.at[0] != '0' && n < TEXT_DIGITS;
}

bool topic_name_is_valid(text name)
{
    const text kind = topic_kind(name);
    return topic_word_is_valid(kind) && kind.length < name.length && name.at[kind.length] == '/' &&
           topic_word_is_valid(topic_which(name));
}

bool topic_is_public(text name)
{
    const text kind = topic_kind(name);
    if (!topic_is_stored(name))
        return site_has_gallery();
    return text_equal(kind, TEXT("chat")) || (text_equal(kind, TEXT("users")) && word_is_number(topic_which(name)));
}

bool topic_is_stored(text name)
{
    return !text_equal(topic_kind(name), TEXT("patterns")) && !text_equal(topic_kind(name), TEXT("compare"));
}

bool topic_is_indexed(text name) { return !text_equal(topic_kind(name), TEXT("users")); }
