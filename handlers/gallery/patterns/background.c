/* background.c - work that outlives its request: a letter is handed in, answered with 202, and sent later. */
#include "handlers/mail.h"
#include "handlers/handlers.h"
#include "pattern.h"
#include "server/base/memory.h"
#include "server/http/client/client.h"

static struct delivery *delivery_new(bool nowhere);
static void delivery_free(void *arg);

SHOW_FROM(background)
enum { TRIES = 3, PAUSE = 20, LOOK = 5 };    /* milliseconds */

struct delivery { uint64_t id; const char *address; arena arena; };

static async int deliver(void *arg)
{
    struct delivery *d = arg;
    http_answer got;
    int err = await(http_get(&d->arena, d->address, &got));
    for (int tries = 1; err && err != UV_ECANCELED && tries < TRIES; tries++) {
        err = await(sleep_for(PAUSE));
        if (!err)
            err = await(http_get(&d->arena, d->address, &got));
    }
    mail_ended(d->id, err);
    return err;                              /* nobody handles it: the group logs it, with the task's name */
}

/* POST /patterns/background/letters: to a friend, or with ?to=nowhere */
int letter_post(request *req)
{
    const bool nowhere = request_has_query(req, "to");
    struct delivery *d = delivery_new(nowhere);
    const uint64_t id = d->id;
    const int err = mail_send(nowhere ? "letter to nowhere" : "letter to a friend", deliver, d, delivery_free);
    if (err) {                               /* as many are under way as may be: 503 */
        mail_ended(id, err);
        delivery_free(d);
        return err;
    }
    respond_header(req, "Location", "/patterns/background/letters/%llu", (unsigned long long)id);
    return respond(req, 202, "text/plain; charset=utf-8", TEXT("under way\n"));
}

/* GET /patterns/background/letters/:id */
int letter_look(request *req)
{
    int64_t id;
    mail m;
    if (request_param_int(req, "id", &id) || !mail_find((uint64_t)id, &m))
        return E_NOT_FOUND;
    const char *said = !m.ended ? "under way\n"
                     : arena_printf(request_arena(req), "%s after %llu ms\n", m.outcome ? uv_strerror(m.outcome) : "delivered",
                                    (unsigned long long)(m.ended - m.since) / 1000000);
    respond_header(req, "Cache-Control", "no-store");
    return respond(req, 200, "text/plain; charset=utf-8", text_of(said));
}

/* What a client sees of it: it posts a letter, has its answer, and asks until it knows more. */
struct client { run *r; const char *path; int64_t answered, known; bool delivered; };      /* microseconds */

static async int post_and_ask(void *arg)
{
    struct client *c = arg;
    arena *a = request_arena(c->r->req);
    http_answer got;
    const uint64_t begun = uv_hrtime();
    int err = await(http_post(a, own_address(c->r, c->path), "text/plain", TEXT("Hello!"), &got));
    if (err || got.status != 202)
        return err ? err : UV_EAGAIN;
    const uint64_t answered = uv_hrtime();
    track *letter = track_begin(run_track(c->r), "the letter, after the answer");
    const text where = http_answer_header(&got, "Location");
    const char *address = own_address(c->r, arena_copy(a, where));
    do {
        err = await(sleep_for(LOOK));
        if (!err)
            err = await(http_get(a, address, &got));
    } while (!err && text_equal(got.body, TEXT("under way\n")));
    c->delivered = !err && got.body.length > 9 && memcmp(got.body.at, "delivered", 9) == 0;
    track_end(letter, err ? err : c->delivered ? 0 : UV_ECONNREFUSED);
    c->answered = (int64_t)(answered - begun) / 1000;
    c->known = (int64_t)(uv_hrtime() - answered) / 1000;
    return err;
}

static async int run_background(run *r)
{
    struct client friend = { r, "/patterns/background/letters", 0, 0, false };
    struct client nowhere = { r, "/patterns/background/letters?to=nowhere", 0, 0, false };
    const int err = await(gather(task_start("a client, to a friend", post_and_ask, &friend),
                                 task_start("a client, to nowhere", post_and_ask, &nowhere)));
    if (err)
        return err;

    figure_is(r, "answered within", friend.answered > nowhere.answered ? friend.answered : nowhere.answered, "us");
    figure_is(r, "delivered", friend.delivered + nowhere.delivered, "");
    figure_is(r, "known so long after the answer", friend.known / 1000, "ms");
    figure_is(r, "failed, and logged", !friend.delivered + !nowhere.delivered, "");
    figure_is(r, "known so long after its answer", nowhere.known / 1000, "ms");
    return 0;
}
SHOW_TO(background)

static struct delivery *delivery_new(bool nowhere)
{
    struct delivery *d = mem_alloc(sizeof *d);
    arena_init(&d->arena, NULL, 0);
    d->id = mail_new();
    d->address = nowhere ? "http://127.0.0.1:1/" : arena_printf(&d->arena, "http://%s/sleep?ms=60", site_address());
    return d;
}

static void delivery_free(void *arg)
{
    struct delivery *d = arg;
    arena_done(&d->arena);
    mem_free(d);
}

const pattern PATTERN_BACKGROUND = {
    .name = "background", .title = "A task that outlives its request", .group = GROUP_BOUNDS, .await = run_background,
    SOURCE_OF(background),
    .shows = "Two clients post a letter each, by HTTP, and are answered at once, with 202 and where to ask what becomes of it."
             " The letter is sent after the answer, by a task that no request waits for: a group has it, which bounds how many"
             " there are, logs those that fail, and stops them when the server stops. One goes to a server that takes 60 ms."
             " The other is for a port where nobody listens: it is tried three times, and ends in the log. The clients ask"
             " until they know. In threads mode it takes a thread of its own to send a letter, for the one that answered goes"
             " on with its connection.",
};
