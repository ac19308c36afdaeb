/* places.c - see places.h. */
#include "places.h"
#include "handlers/gallery/sources.h"
#include "server/base/buffer.h"
#include "server/base/embed.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/diagnose/symbols.h"
#include "server/executor/thread_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { KNOWN = 512, NAME = 96 };

static struct known { int32_t value; char name[NAME]; } *known;       /* made when the first is asked for, for good */
static atomic_int      known_count;          /* what is known is written before it grows, and then stays as it is */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Those that the site's own handlers await in; patterns have theirs in the gallery. */
#define EACH_SOURCE(source) \
    source(users_c, "handlers/users/users.c") \
    source(user_page_c, "handlers/users/user_page.c") \
    source(user_page_sequential_c, "handlers/users/user_page_sequential.c") \
    source(post_page_c, "handlers/users/post_page.c") \
    source(post_new_c, "handlers/users/post_new.c") \
    source(export_c, "handlers/users/export.c") \
    source(sleep_c, "handlers/sleep.c") \
    source(static_file_c, "handlers/static_file.c") \
    source(chat_pages_c, "handlers/chat/chat_pages.c") \
    source(chat_store_c, "handlers/chat/chat_store.c") \
    source(requests_c, "handlers/requests/requests.c") \
    source(advisor_c, "handlers/requests/advisor.c")

#define EMBED_SOURCE(name, file) EMBED(name, file);
EACH_SOURCE(EMBED_SOURCE)

#define LIST_SOURCE(name, file) { file, name },
static const struct { const char *path, *text; } SOURCES[] = { EACH_SOURCE(LIST_SOURCE) };

static int place_find(int32_t value)
{
    const int count = atomic_load_explicit(&known_count, memory_order_acquire);
    for (int i = 0; i < count; i++)
        if (known[i].value == value)
            return i;
    return -1;
}

const char *place_name(int32_t value)
{
    const int i = value ? place_find(value) : -1;
    return i < 0 ? "" : known[i].name;
}

static int places_read(void *arg)
{
    const places_wanted *const w = arg;
    symbols *s = NULL;
    pthread_mutex_lock(&lock);
    known = known ? known : mem_alloc(KNOWN * sizeof *known);
    for (int i = 0; i < w->count; i++) {
        const int next = atomic_load_explicit(&known_count, memory_order_relaxed);
        if (!w->values[i] || next == KNOWN || place_find(w->values[i]) >= 0)
            continue;
        s = s ? s : symbols_open();
        symbols_place(s, symbols_call(record_place_at(w->values[i])), known[next].name, NAME);
        known[next].value = w->values[i];
        atomic_store_explicit(&known_count, next + 1, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    if (s)
        symbols_close(s);
    return 0;
}

promise *places_learn(places_wanted *wanted)
{
    int i = 0;
    while (i < wanted->count && (!wanted->values[i] || place_find(wanted->values[i]) >= 0))
        i++;
    return promise_named(i < wanted->count ? in_thread(places_read, wanted) : promise_settled(0));
}

static const char *source_of(text path)
{
    source_file f;
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++)
        if (text_equal(path, text_of(SOURCES[i].path)))
            return SOURCES[i].text;
    return source_find(path, &f) ? f.all : NULL;
}

text place_line(const char *name)
{
    const char *const colon = strrchr(name, ':');
    const char *at = colon ? source_of((text){ name, (size_t)(colon - name) }) : NULL;
    for (long line = at ? strtol(colon + 1, NULL, 10) : 0; at && line > 1; line--) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return TEXT("");
    at += strspn(at, " \t");
    return (text){ at, strcspn(at, "\n") };
}

void place_write(buffer *b, const char *name)
{
    source_file f;
    const text all = text_of(name), path = { name, strcspn(name, ":") };
    const bool shown = source_find(path, &f);
    if (shown)
        buffer_printf(b, "<a href=\"/patterns/source/%s\">", f.path);
    buffer_html(b, all);
    if (shown)
        buffer_text(b, TEXT("</a>"));
}
