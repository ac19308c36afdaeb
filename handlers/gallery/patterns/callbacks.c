/* callbacks.c - the letter by callbacks: each step is a function that starts the next, and has to deal with errors. */
#include "letter.h"

SHOW_FROM(callbacks)
static void on_rendered(int err, void *arg)
{
    letter *l = arg;
    l->done(err ? letter_apologize(l, err) : letter_send(l), l->arg);
}

static void on_answered(int err, void *arg)
{
    letter *l = arg;
    if (err) {
        l->done(letter_apologize(l, err), l->arg);
        return;
    }
    when_settled(step(l->r, "render", in_thread(letter_render, l)), on_rendered, l);
}

static void on_found(int err, void *arg)
{
    letter *l = arg;
    if (err) {
        l->done(letter_apologize(l, err), l->arg);
        return;
    }
    when_settled(step(l->r, "server", http_get(l->arena, l->server, &l->answer)), on_answered, l);
}

static void on_read(int err, void *arg)
{
    letter *l = arg;
    if (err) {                               /* else the client waits for ever */
        l->done(letter_apologize(l, err), l->arg);
        return;
    }
    promise *p = query(l->r->req, &l->reader, l->find, integer(letter_to(l)));
    when_settled(step(l->r, "database", p), on_found, l);
}

static void run_callbacks(run *r, void (*done)(int err, void *arg), void *arg)
{
    letter *l = letter_new(r);
    l->done = done;
    l->arg = arg;
    when_settled(step(r, "file", file_read(l->file, l->arena, LETTER_SIZE, &l->words)), on_read, l);
}
SHOW_TO(callbacks)

const pattern PATTERN_CALLBACKS = {
    .name = "callbacks", .title = "Callbacks, four levels deep", .group = GROUP_WRITTEN, .callback = run_callbacks,
    SOURCE_OF(callbacks), .choices = &LETTER_FAILS,
    .shows = "The same letter, and on a loop no thread waits: who starts a step says what shall be called when it is over."
             " Every arrow between two steps is a function of its own, what they share lives on the heap, and each of the four"
             " has to get its errors right. Read it from the bottom up, and let a step fail: those behind it do not begin.",
};
