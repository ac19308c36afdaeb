/* clients.c - see clients.h: requests of connections that have no task, and the threads of threads mode. */
#include "clients.h"
#include "list_walk.h"
#include "server/base/memory.h"

#include <uv.h>

enum { MOST_WORKERS = 4096, MOST_DESCRIPTORS = 1 << 22, LARGEST = 4096, AT_ONCE = 512, MOST_REQUESTS = 1000000, QUEUES = 16 };

static const uint64_t STACKS = 400000000;    /* nanoseconds for looking at the stacks of threads: of those left there is less */

struct clients {
    snapshot          *s;
    waits             *waits;
    address_map        waiting;              /* requests, to be admitted */
    int                loop;
    size_t             request_size, route_size;
    target_field       next, route, started, running, place, task, await, promise, callback, method, path;
};

static uint64_t age_ms(const snapshot *s, uint64_t since) { return since < s->taken ? (s->taken - since) / 1000000 : 0; }

/* The method and the path of a route, which is one of the program's own. */
static bool route_read(struct clients *c, uint64_t at, char route[LARGEST], const char **method, const char **path)
{
    if (!target_read(c->s->target, at, route, c->route_size))
        return false;
    *method = target_text(c->s->target, target_number(route, c->route_size, c->method));
    *path = target_text(c->s->target, target_number(route, c->route_size, c->path));
    return true;
}

static void request_show(struct clients *c, uint64_t at, const void *copy)
{
    const size_t size = c->request_size;
    const char *method, *path;
    char route[LARGEST];
    if (address_map_find(&c->waiting, at) >= 0 || c->s->request_count == MOST_REQUESTS ||
        !route_read(c, target_number(copy, size, c->route), route, &method, &path))
        return;
    const bool is_task = target_number(route, c->route_size, c->await);
    const bool is_promise = target_number(route, c->route_size, c->promise);
    if (is_task && target_number(copy, size, c->task))       /* which is listed */
        return;
    const uint64_t running = target_number(copy, size, c->running);
    seen_request *const r = SEEN_ADD(c->s, request);
    r->loop = c->loop;
    r->method = method;
    r->path = path;
    r->age = age_ms(c->s, target_number(copy, size, c->started));
    if (is_promise && running)
        r->kind = SEEN_PROMISE;
    else
        r->kind = target_number(route, c->route_size, c->callback) ? SEEN_CALLBACK : SEEN_NOT_BEGUN;
    r->awaits = is_promise ? waits_add(c->waits, running) : -1;
}

static void request_show_waiting(uint64_t at, const void *copy, void *arg)
{
    struct clients *const c = arg;
    const char *method, *path;
    char route[LARGEST];
    if (address_map_find(&c->waiting, at) >= 0 ||
        !route_read(c, target_number(copy, c->request_size, c->route), route, &method, &path))
        return;
    address_map_add(&c->waiting, at, 1);
    seen_request *const r = SEEN_ADD(c->s, request);
    *r = (seen_request){ .kind = SEEN_WAITS, .loop = c->loop, .method = method, .path = path, .awaits = -1,
                         .age = age_ms(c->s, target_number(copy, c->request_size, c->started)) };
}

/* The requests at those addresses, and those behind each. */
static void requests_read(struct clients *c, uint64_t at[], size_t count)
{
    target_piece pieces[AT_ONCE];
    char *const copies = mem_alloc(AT_ONCE * c->request_size);
    for (int depth = 0; count > 0 && depth < 1000; depth++) {
        size_t left = 0;
        for (size_t done = 0, some; done < count; done += some) {
            some = count - done < AT_ONCE ? count - done : AT_ONCE;
            for (size_t i = 0; i < some; i++)
                pieces[i] = (target_piece){ at[done + i], copies + i * c->request_size, c->request_size, false };
            target_read_all(c->s->target, pieces, some);
            for (size_t i = 0; i < some; i++) {
                if (!pieces[i].read)
                    continue;
                request_show(c, at[done + i], pieces[i].to);
                const uint64_t next = target_number(pieces[i].to, c->request_size, c->next);
                if (next)
                    at[left++] = next;
            }
        }
        count = left;
    }
    mem_free(copies);
}

/* The first requests of connections: those at, which are count, in place. Returns how many there are. */
static size_t connections_read(struct clients *c, uint64_t at[], size_t count)
{
    const uint64_t first = target_field_of(c->s->target, "connection.first").offset;
    target_piece pieces[AT_ONCE];
    uint64_t firsts[AT_ONCE] = { 0 };
    size_t found = 0, done = 0;
    while (done < count) {
        size_t some = 0;
        for (; done < count && some < AT_ONCE; done++)
            if (at[done]) {
                pieces[some] = (target_piece){ at[done] + first, &firsts[some], sizeof firsts[0], false };
                some++;
            }
        target_read_all(c->s->target, pieces, some);
        for (size_t i = 0; i < some; i++)
            if (pieces[i].read && firsts[i])
                at[found++] = firsts[i];
    }
    return found;
}

static void worker_read(struct clients *c, const void *worker, size_t size, uint64_t at)
{
    target *const t = c->s->target;
    const uint64_t count = target_number(worker, size, target_field_of(t, "worker.size"));
    const uint64_t queues = at + target_field_of(t, "worker.queues").offset;
    const size_t step = target_field_of(t, "queue").size;
    const uint64_t fifos[] = { target_field_of(t, "queue.alone").offset, target_field_of(t, "queue.ahead").offset };
    for (uint64_t i = 0; step && i < target_field_of(t, "worker.queues").size / step && i < QUEUES; i++)
        for (int f = 0; f < 2; f++)
            list_walk_run(&(list_walk){ .target = t, .list = queues + i * step + fifos[f], .size = c->request_size,
                                        .node = c->place, .show = request_show_waiting, .arg = c });
    if (!count || count > MOST_DESCRIPTORS || !target_number(worker, size, target_field_of(t, "worker.open")))
        return;
    uint64_t *const connections = mem_alloc(count * sizeof *connections);
    if (target_read(t, target_number(worker, size, target_field_of(t, "worker.connections")), connections,
                    count * sizeof *connections))
        requests_read(c, connections, connections_read(c, connections, count));
    mem_free(connections);
}

static int loop_of_number(const snapshot *s, int number)
{
    for (size_t i = 0; i < s->loop_count; i++)
        if (s->loops[i].number == number)
            return (int)i;
    return -1;
}

static void workers_read(struct clients *c)
{
    target *const t = c->s->target;
    const uint64_t all = seen_pointer(t, target_field_of(t, "workers").offset);
    int count = 0;
    const size_t size = target_field_of(t, "worker").size;
    if (!all || !target_read(t, all + target_field_of(t, "workers.count").offset, &count, sizeof count) || count > MOST_WORKERS)
        return;
    c->s->async_mode = true;
    const uint64_t threads = seen_pointer(t, all + target_field_of(t, "workers.threads").offset);
    char *const worker = mem_alloc(size);
    for (int i = 0; i < count; i++) {
        const uint64_t at = threads + (uint64_t)i * size;
        c->loop = loop_of_number(c->s, i + 1);
        if (c->loop >= 0 && target_read(t, at, worker, size))
            worker_read(c, worker, size, at);
    }
    mem_free(worker);
}

/* Threads. */

static void threads_begin(void *arg) { ((struct clients *)arg)->s->thread_count = 0; }

static void thread_show(uint64_t at, const void *copy, void *arg)
{
    struct clients *const c = arg;
    target *const t = c->s->target;
    const size_t size = target_field_of(t, "thread").size;
    char route[LARGEST];
    (void)at;
    seen_thread *const n = SEEN_ADD(c->s, thread);
    const uint64_t answering = target_number(copy, size, target_field_of(t, "thread.answering"));
    n->id = (pid_t)target_number(copy, size, target_field_of(t, "thread.thread"));
    n->idle = target_number(copy, size, target_field_of(t, "thread.idle"));
    if (answering && route_read(c, answering, route, &n->method, &n->path))
        n->age = age_ms(c->s, target_number(copy, size, target_field_of(t, "thread.since")));
}

static void threads_read(struct clients *c)
{
    target *const t = c->s->target;
    const uint64_t all = seen_pointer(t, target_field_of(t, "threads").offset);
    if (!all)
        return;
    c->s->threads_mode = true;
    list_walk_run(&(list_walk){ .target = t, .list = all + target_field_of(t, "threads.connections").offset,
                                .size = target_field_of(t, "thread").size, .node = target_field_of(t, "thread.node"),
                                .begin = threads_begin, .show = thread_show, .arg = c });
    for (size_t i = 0; i < c->s->thread_count && uv_hrtime() - c->s->taken < STACKS; i++) {
        seen_thread *const n = &c->s->threads[i];
        if (n->method)
            n->count = target_stack(t, n->id, n->frames, SEEN_FRAMES);
    }
}

void clients_read(snapshot *s, waits *w)
{
    target *const t = s->target;
    if (!target_has(t, "workers"))           /* a program without a server */
        return;
    struct clients c = {
        .s = s, .waits = w,
        .request_size = target_field_of(t, "request").size, .route_size = target_field_of(t, "route").size,
        .next = target_field_of(t, "request.next"), .route = target_field_of(t, "request.route"),
        .started = target_field_of(t, "request.started"), .running = target_field_of(t, "request.running"),
        .place = target_field_of(t, "request.place"), .task = target_field_of(t, "request.task"),
        .await = target_field_of(t, "route.await"), .promise = target_field_of(t, "route.promise"),
        .callback = target_field_of(t, "route.callback"), .method = target_field_of(t, "route.method"),
        .path = target_field_of(t, "route.path"),
    };
    if (c.request_size && c.request_size <= LARGEST && c.route_size && c.route_size <= LARGEST)
        workers_read(&c);
    if (c.route_size && c.route_size <= LARGEST && target_has(t, "threads"))
        threads_read(&c);
    address_map_free(&c.waiting);
}
