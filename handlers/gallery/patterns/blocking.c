/* blocking.c - the letter as most programs write it: by a thread that does nothing else while it waits. */
#include "letter.h"

#include <stdatomic.h>
#include <time.h>

enum { READERS = 8 };

typedef struct crowd {                       /* who want a letter at the same time */
    atomic_int    now, most;                 /* have a thread */
    atomic_llong  busy;                      /* nanoseconds of a processor, of all of them */
    track        *track;
    struct reader {
        struct crowd *crowd;
        letter        letter;
        arena         arena;
        text          page;
    } readers[READERS];
} crowd;

static int write_letter(letter *l, db *here);

static long long thread_nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void crowd_enter(crowd *c)
{
    const int now = atomic_fetch_add(&c->now, 1) + 1;
    for (int most = atomic_load(&c->most); now > most && !atomic_compare_exchange_weak(&c->most, &most, now);)
        ;
}

static int serve_reader(void *arg)           /* in a thread of the pool */
{
    struct reader *v = arg;
    const long long before = thread_nanoseconds();
    track *mine = track_begin(v->crowd->track, "a thread"), *outer = track_enter(mine);
    db *here;
    crowd_enter(v->crowd);
    int err = replica_open(&here);           /* what a loop has open is the loop's */
    if (!err) {
        err = write_letter(&v->letter, here);
        replica_give_back(here);
    }
    atomic_fetch_sub(&v->crowd->now, 1);
    track_enter(outer);
    track_end(mine, err);
    atomic_fetch_add(&v->crowd->busy, thread_nanoseconds() - before);
    return err;
}

static void end_reader(void *arg) { arena_done(&((struct reader *)arg)->arena); }

static crowd *crowd_new(run *r)
{
    crowd *c = run_alloc(r, sizeof *c);
    c->track = run_track(r);
    for (struct reader *v = c->readers; v < c->readers + READERS; v++) {
        v->crowd = c;
        arena_init(&v->arena, NULL, 0);
        arena_defer(request_arena(r->req), end_reader, v);
        letter_init(&v->letter, r, &v->arena, &v->page);
    }
    return c;
}

SHOW_FROM(blocking)
/* Each await blocks the thread until there is an answer. */
static int write_letter(letter *l, db *here)
{
    int err = await(file_read(l->file, l->arena, LETTER_SIZE, &l->words));
    if (!err)
        err = await(replica_query(here, l->arena, &l->reader, l->find, integer(letter_to(l))));
    if (!err)
        err = await(http_get(l->arena, l->server, &l->answer));
    if (!err)
        err = letter_render(l);
    return err ? letter_apologize(l, err) : letter_send(l);
}

static async int run_blocking(run *r)
{
    crowd   *c = crowd_new(r);               /* serve_reader writes their letters */
    promise *letters[READERS];
    for (int i = 0; i < READERS; i++)
        letters[i] = in_thread(serve_reader, &c->readers[i]);
    int err = await(promise_gather(letters, READERS));

    r->output = c->readers[0].page;
    figure_is(r, "letters", READERS, "");
    figure_is(r, "threads at once, at most", c->most, "");
    figure_is(r, "processor time of all", c->busy / 1000, "us");
    return err;
}
SHOW_TO(blocking)

const pattern PATTERN_BLOCKING = {
    .name = "blocking", .title = "Blocking, in threads", .group = GROUP_WRITTEN, .await = run_blocking, SOURCE_OF(blocking),
    .choices = &LETTER_FAILS,
    .shows = "A letter is made of a file, the database and the answer of another server (this one, over its own address), which"
             " takes 20 ms. Written like this, by calls that block, a letter has a thread, which does nothing else while it"
             " waits. Eight are wanted at once, and as many threads work as [threads] running says, one for each processor:"
             " the other letters wait for a thread, though the processors have next to nothing to do. In threads mode there is"
             " only the one thread of the connection, and the letters come one after the other.",
};
