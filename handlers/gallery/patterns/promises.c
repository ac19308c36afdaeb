/* promises.c - the letter as a chain of promises; an error in any step goes to the one handler at the end. */
#include "letter.h"
#include "server/async/chain.h"

SHOW_FROM(chain)
static promise *find_reader(void *arg)
{
    letter *l = arg;
    return step(l->r, "database", query(l->r->req, &l->reader, l->find, integer(letter_to(l))));
}

static promise *ask_server(void *arg)
{
    letter *l = arg;
    return step(l->r, "server", http_get(l->arena, l->server, &l->answer));
}

static promise *render(void *arg)
{
    letter *l = arg;
    return step(l->r, "render", in_thread(letter_render, l));
}

static promise *send_page(void *arg)          { return promise_settled(letter_send(arg)); }
static promise *apologize(int err, void *arg) { return promise_settled(letter_apologize(arg, err)); }

static promise *run_chain(run *r)
{
    letter *l = letter_new(r);
    promise *p = step(r, "file", file_read(l->file, l->arena, LETTER_SIZE, &l->words));
    p = then(p, find_reader, l);
    p = then(p, ask_server, l);
    p = then(p, render, l);
    p = then(p, send_page, l);
    return catch(p, apologize, l);
}
SHOW_TO(chain)

const pattern PATTERN_PROMISES = {
    .name = "promises", .title = "A chain of promises, with one catch", .group = GROUP_WRITTEN, .promise = run_chain,
    SOURCE_OF(chain), .choices = &LETTER_FAILS,
    .shows = "The same letter: each step is a function that starts something and returns its promise, and the chain stands"
             " in one place. When a step fails, those behind it are skipped, and the error arrives at the one catch."
             " Let one fail, and see that it is the last that is drawn.",
};
