/* connection_fixture.c - see connection_fixture.h. */
#include "connection_fixture.h"
#include "handlers/handlers.h"
#include "server/async/chain.h"
#include "server/async/scope.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "tests/unit/http/serving.h"
#include "tests/support/support.h"

promise *gate, *second_gate;
int      waited, began, ended;

static char large[300000];                   /* what the long answers are made of */

static int hello(request *req) { return respond(req, 200, "text/plain", TEXT("Hello!")); }
static int mute(request *req)  { (void)req; return 0; }

static int twice(request *req)
{
    respond(req, 200, "text/plain", TEXT("first"));
    ck_assert_int_eq(respond(req, 200, "text/plain", TEXT("second")), UV_EALREADY);
    return 0;
}

static int wait_for_gate(request *req)
{
    static fake f;
    began++;
    waited = await(gate = fake_new(&f, UV_ECANCELED));
    gate = NULL;
    ended++;
    return waited ? waited : respond(req, 200, "text/plain", TEXT("waited"));
}

static int page(request *req)
{
    memset(large, 'x', sizeof large);
    return respond(req, 200, "text/plain", (text){ large, 50000 });
}

/* In pieces: as many bytes as the query says, and the number that it breaks off after. */
static int pieces(request *req)
{
    int64_t length = 0, stop = -1;
    request_query_int(req, "length", &length);
    request_query_int(req, "stop", &stop);
    memset(large, 'x', sizeof large);
    int err = respond_begin(req, 200, "text/plain", (uint64_t)length);
    for (int64_t left = length; !err && left > 0; left -= (int64_t)sizeof large) {
        if (stop >= 0 && length - left >= stop)
            return UV_EIO;
        err = await(respond_piece(req, (text){ large, left < (int64_t)sizeof large ? (size_t)left : sizeof large }));
    }
    ended++;
    return err;
}

/* The same of a length that the client is not told; it breaks off in a way that the query says, too. */
static int stream(request *req)
{
    int64_t length = 0, stop = -1, err = UV_EIO;
    request_query_int(req, "length", &length);
    request_query_int(req, "stop", &stop);
    request_query_int(req, "err", &err);
    memset(large, 'x', sizeof large);
    waited = respond_stream(req, 200, "text/plain");
    for (int64_t left = length; !waited && left > 0 && length - left != stop; left -= (int64_t)sizeof large)
        waited = await(respond_piece(req, (text){ large, left < (int64_t)sizeof large ? (size_t)left : sizeof large }));
    ended++;
    if (!waited && stop >= 0)
        return (int)err;
    respond_end(req);
    return waited;
}

static int stream_at_gate(request *req)
{
    static fake f;
    respond_stream(req, 200, "text/plain");
    waited = await(respond_piece(req, TEXT("first")));
    began++;
    if (!waited)
        waited = await(gate = fake_new(&f, UV_ECANCELED));
    if (!waited)
        waited = await(respond_piece(req, TEXT("second")));
    ended++;
    if (!waited)
        respond_end(req);
    return waited;
}

static int gated(request *req)
{
    static fake f;
    await(second_gate = fake_new(&f, UV_ECANCELED));
    respond_begin(req, 200, "text/plain", 5);
    return await(respond_piece(req, TEXT("piece")));
}

static int echo_back(request *req)
{
    return respond(req, 200, "text/plain", request_body(req));
}

static int measure(request *req)             /* uses some of its stack */
{
    volatile char frame[8192];
    memset((char *)frame, 1, sizeof frame);
    return respond(req, 200, "text/plain", text_of(frame[8191] ? "deep" : ""));
}

static int compute(request *req)             /* for a second, as the clock has it */
{
    clock_skip(1000);
    return respond(req, 200, "text/plain", TEXT("computed"));
}

static int answer_now(request *req)
{
    ck_assert(!task_running());
    ck_assert_uint_eq(request_deadline(req), NO_DEADLINE);
    return respond(req, 200, "text/plain", text_of(scope_here()->name));
}

static int answer_late(request *req)         /* as a bug would have it */
{
    (void)req;
    return await(promise_settled(0));
}

static int fail_now(request *req)
{
    (void)req;
    return UV_EAGAIN;
}

static promise *later(request *req)
{
    (void)req;
    return promise_settled(UV_EAGAIN);
}

static promise *say_waited(void *req)
{
    return promise_settled(respond(req, 200, "text/plain", TEXT("waited")));
}

static promise *promise_at_gate(request *req)
{
    static fake f[2];                        /* as many at once */
    static int  n;
    return then(gate = fake_new(&f[n++ % 2], UV_ECANCELED), say_waited, req);
}

static promise *promise_that_stays(request *req)
{
    static fake f;
    return then(gate = fake_new(&f, 1), say_waited, req);
}

static void call(request *req, void (*done)(int err, void *arg), void *arg)
{
    done(respond(req, 200, "text/plain", TEXT("called")), arg);
}

static struct { request *req; void (*done)(int err, void *arg); void *arg; } caller;

static void call_now(int err, void *arg)
{
    (void)arg;
    caller.done(err ? err : respond(caller.req, 200, "text/plain", TEXT("called")), caller.arg);
}

static void call_at_gate(request *req, void (*done)(int err, void *arg), void *arg)
{
    static fake f;
    caller.req = req, caller.done = done, caller.arg = arg;
    when_settled(gate = fake_new(&f, UV_ECANCELED), call_now, NULL);
}

static int pieces_left;

static void call_piece(int err, void *arg)
{
    if (!err && pieces_left-- > 0) {
        when_settled(respond_piece(caller.req, (text){ large, sizeof large }), call_piece, arg);
        return;
    }
    waited = err;
    ended++;
    caller.done(err, caller.arg);
}

static void call_pieces(request *req, void (*done)(int err, void *arg), void *arg)
{
    caller.req = req, caller.done = done, caller.arg = arg;
    pieces_left = 100;
    respond_begin(req, 200, "text/plain", 100 * sizeof large);
    call_piece(0, NULL);
}

static int call_from_task(void *arg)
{
    await(sleep_for(1));
    call_now(0, arg);
    return 0;
}

static void ignore(int err, void *arg) { (void)err, (void)arg; }

static void call_by_task(request *req, void (*done)(int err, void *arg), void *arg)
{
    caller.req = req, caller.done = done, caller.arg = arg;
    when_settled(task_start("caller", call_from_task, NULL), ignore, NULL);
}

fake forgotten;
int *forgotten_at;

static int forget(request *req)
{
    forgotten_at = request_alloc(req, sizeof *forgotten_at);
    gate = fake_new(&forgotten, 1);          /* the test settles it, and nobody awaits it */
    return respond(req, 200, "text/plain", TEXT("forgot"));
}

static promise *forget_and_settle(void *req)    { return promise_settled(forget(req)); }
static promise *forget_promise(request *req)    { return forget_and_settle(req); }
static promise *forget_in_a_step(request *req)  { return then(promise_settled(0), forget_and_settle, req); }

static void forget_and_call(request *req, void (*done)(int err, void *arg), void *arg) { done(forget(req), arg); }

static void forget_and_call_now(int err, void *arg)
{
    (void)err, (void)arg;
    caller.done(forget(caller.req), caller.arg);
}

static void forget_in_a_follower(request *req, void (*done)(int err, void *arg), void *arg)
{
    caller.req = req, caller.done = done, caller.arg = arg;
    when_settled(promise_settled(0), forget_and_call_now, NULL);
}

static const route ROUTES_HERE[] = {
    { "GET", "/", .await = hello },       { "GET", "/mute", .await = mute },      { "GET", "/twice", .await = twice },
    { "GET", "/wait-long", .await = wait_for_gate, .deadline = WAIT_LONG },
    { "GET", "/wait", .await = wait_for_gate }, { "POST", "/wait", .await = wait_for_gate },
    { "GET", "/page", .await = page },     { "GET", "/gated", .await = gated },
    { "POST", "/users/:id/posts", .await = post_new },
    { "GET", "/stream", .await = stream }, { "GET", "/stream-at-gate", .await = stream_at_gate },
    { "GET", "/pieces", .await = pieces }, { "POST", "/echo", .await = echo_back },    { "GET", "/measure", .await = measure },
    { "GET", "/compute", .await = compute },
    { "GET", "/answer", .answer = answer_now }, { "GET", "/answer/late", .answer = answer_late },
    { "GET", "/answer/mute", .answer = mute },  { "GET", "/answer/failed", .answer = fail_now },
    { "POST", "/answer/echo", .answer = echo_back },
    { "GET", "/later", .promise = later }, { "GET", "/call", .callback = call },
    { "GET", "/promise-at-gate", .promise = promise_at_gate }, { "GET", "/call-pieces", .callback = call_pieces },
    { "GET", "/call-at-gate", .callback = call_at_gate }, { "GET", "/call-by-task", .callback = call_by_task },
    { "POST", "/call", .callback = call },                 { "GET", "/promise-that-stays", .promise = promise_that_stays },
    { "GET", "/forget/await", .await = forget }, { "GET", "/forget/promise", .promise = forget_promise },
    { "GET", "/forget/step", .promise = forget_in_a_step }, { "GET", "/forget/callback", .callback = forget_and_call },
    { "GET", "/forget/follower", .callback = forget_in_a_follower }, { "GET", "/forget/answer", .answer = forget },
};

void serve(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }
