/* admission_fixture.c - see admission_fixture.h. */
#include "admission_fixture.h"
#include "server/async/task.h"
#include "server/http/request.h"
#include "tests/support/support.h"

int there_is_room, pool_room;
int numbers[MOST_WORK], begun;

static promise *inside[MOST_WORK];           /* what each that has begun waits for */
static fake     fakes[MOST_WORK];
static int      held_now;

static int room(void *arg, need n)
{
    ck_assert_int_ne(n, NEEDS_NOTHING);
    return n == NEEDS_PAGE && pool_room < *(int *)arg ? pool_room : *(int *)arg;
}

/* It takes its part of the room until its promise is settled by the test. */
static int work(request *req)
{
    int64_t number = 0;
    request_query_int(req, "n", &number);
    const int i = begun++;
    numbers[i] = (int)number;
    there_is_room--;
    const int err = await(inside[i] = fake_new(&fakes[i], UV_ECANCELED));
    inside[i] = NULL;
    there_is_room++;
    char *said = arena_printf(request_arena(req), "[%d]", (int)number);
    return err ? err : respond(req, 200, "text/plain", text_of(said));
}

static int other(request *req) { return respond(req, 200, "text/plain", TEXT("other")); }

static promise *held(request *req)
{
    (void)req;
    return fake_new(&fakes[held_now++], UV_ECANCELED);
}

static promise *promised(request *req) { return promise_settled(respond(req, 200, "text/plain", TEXT("promised"))); }

static const route ROUTES_HERE[] = {
    { "GET", "/page", .await = work, .needs = NEEDS_PAGE },
    { "GET", "/work", .await = work, .needs = NEEDS_READS }, { "POST", "/work", .await = work, .needs = NEEDS_WRITES },
    { "GET", "/other", .await = other }, { "GET", "/held", .promise = held },
    { "GET", "/promised", .promise = promised, .needs = NEEDS_READS },
};

void serve_with_room(int free)
{
    there_is_room = free;
    begun = held_now = 0;
    serving_config.database.line = 100;
    serving_config.database.target = 10000;  /* leaps of the clock are of seconds, so that a slow machine's own time */
    serving_config.database.line_timeout = 200000;           /* does not begun */
    if (serving_config.timeouts.request == 30000)
        serving_config.timeouts.request = 0;
    serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE);
    serving_worker()->admission.room = room;
    serving_worker()->admission.arg = &there_is_room;
}

void end_work(int i)
{
    promise_settle(inside[i], 0);
    serving_turns();
}

client asking(const char *words)
{
    client c = client_new();
    client_say(&c, words);
    return c;
}
