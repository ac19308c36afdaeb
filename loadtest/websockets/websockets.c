/* websockets.c - many websockets, or streams of events, at once, and what comes back.
 *
 *   websockets echo   PORT PATH SOCKETS SECONDS DEPTH SIZE      each sends DEPTH messages of SIZE bytes at once, and again when
 *                                                               all have come back
 *   websockets fanout PORT PATH SOCKETS SECONDS STOPPED TEXT SPEAKS     one sends a message, and another the next when all have
 *                                                               it; STOPPED of them read nothing. # in TEXT stands for what
 *                                                               tells when it was sent, % for a number of its own; SPEAKS
 *                                                               ends the path of those that send. It ends before SECONDS
 *                                                               if all of these have sent as much as they may at once
 *   websockets events PORT PATH STREAMS SECONDS STOPPED TEXT SPEAKERS   the same of streams of events; what they hear is sent
 *                                                               by some websockets at the path SPEAKERS
 *   websockets idle   PORT PATH SOCKETS SECONDS                 all are only held open
 *   websockets stream PORT PATH SOCKETS SECONDS                 the same of streams of events, that is no websockets
 *
 * "ready N" is printed when all are open, and have heard a first message, if they are to. A line on stdin begins what is
 * measured, for SECONDS; then comes a line of JSON, of the messages that have been received, and how long these took, in
 * classes of microseconds; cpu_us is that of this program alone. All stay open until stdin ends. */
#include "peer.h"
#include "../openloop/clock.h"
#include "../openloop/fail.h"
#include "../openloop/histogram.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LARGEST = 16 * 1024,                     /* of a message */
    STAMP = 18,                              /* bytes: @, and the time in hexadecimal digits */
    SMALL = 4096,                            /* of the kernel, for one that does not read */
    SPEAKERS = 64, MAY_SAY = 20,             /* take turns; messages of one of them: how many it may send at once is limited */
    AT_ONCE = 64,                            /* are opened, before what has come is read */
    PATIENCE = 10 * SECOND,                  /* for what has been sent to come back */
    QUIET = SECOND / 4,                      /* in which nobody hears a first message any more: it is sent again */
};

static int poller, port, sockets, depth, stopped;
static const char *path, *speaks = "";
static peer *peers, *speakers;
static int64_t start, end;                   /* of what is measured */
static uint64_t messages;
static histogram times;

static char  *batch;                         /* of echo: what is sent at once */
static size_t batch_length;
static char   expected[LARGEST];
static size_t expected_length;
static int    under_way;                     /* peers whose last batch has not come back */
static int64_t *since;                       /* of each peer, when it was sent */

static int     reading;                      /* of fanout: peers that are to hear what is said */
static int     speaking, turns;              /* how many take turns, and how many these were */
static int64_t first, sent;                  /* when the first and the last of them were */
static int     have_it;                      /* peers that have received the last, or, before that, any */

static void watch(peer *p)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, p->fd, &event))
        fail("epoll_ctl");
}

static void turn(int ms, on_message *done)
{
    struct epoll_event events[512];
    const int n = epoll_wait(poller, events, 512, ms);
    for (int i = 0; i < n; i++)
        peer_read(events[i].data.ptr, done);
}

static void drop(peer *p, const char *at, size_t length)
{
    (void)p, (void)at, (void)length;
}

static void open_all(bool stream)
{
    char whole[1024];
    if (stream && *speaks) {
        speakers = calloc(SPEAKERS, sizeof *speakers);
        for (int i = 0; i < SPEAKERS; i++) {
            peer_open(&speakers[i], port, speaks, false, 0);
            watch(&speakers[i]);
        }
    } else {
        speakers = peers;
    }
    for (int i = 0; i < sockets; i++) {
        const bool reads = i < sockets - stopped;
        if (snprintf(whole, sizeof whole, "%s%s", path, !stream && i < SPEAKERS ? speaks : "") >= (int)sizeof whole)
            fail("the path is too long");
        peer_open(&peers[i], port, whole, stream, reads ? 0 : SMALL);
        if (reads && !(stream && speakers == peers))
            watch(&peers[i]);
        if (i % AT_ONCE == 0)                /* others are told of each that comes, perhaps */
            turn(0, drop);
    }
}

/* Until stdin has a line, or its end: is it a line? */
static bool wait_for_a_line(void)
{
    char line[16];
    for (;;) {
        if (poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, 0) > 0)
            return read(STDIN_FILENO, line, sizeof line) > 0;
        turn(10, drop);
    }
}

static int64_t cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * SECOND + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static void send_batch(peer *p)
{
    p->back = 0;
    since[p - peers] = clock_now();
    peer_send(p, batch, batch_length);
}

static void on_echo(peer *p, const char *at, size_t length)
{
    if (length != expected_length || memcmp(at, expected, length) != 0)
        fail("an echo is not what was sent: %.*s", (int)length, at);
    messages++;
    if (++p->back < depth)
        return;
    const int64_t now = clock_now();
    histogram_add(&times, now - since[p - peers]);
    if (now < end)
        send_batch(p);
    else
        under_way--;
}

static void echo(int size)
{
    memset(expected, 'x', expected_length = (size_t)size);
    batch = malloc((size_t)depth * (PEER_FRAME + (size_t)size));
    since = calloc((size_t)sockets, sizeof *since);
    for (int i = 0; i < depth; i++)
        batch_length += peer_frame(batch + batch_length, expected, expected_length);
    for (int i = 0; i < sockets; i++)
        send_batch(&peers[i]);
    under_way = sockets;
    while (under_way > 0) {
        turn(100, on_echo);
        if (clock_now() > end + PATIENCE)
            fail("%d sockets have not got all back", under_way);
    }
}

/* Is there a message in it of those that have been sent since then? Who speaks to streams hears it, too: that is none. */
static bool is_news(const peer *p, const char *at, size_t length, int64_t since)
{
    const char *end = at + length;
    if (speakers != peers && !p->stream)
        return false;
    for (const char *stamp = at; (stamp = memchr(stamp, '@', (size_t)(end - stamp))) && stamp + STAMP <= end; stamp++) {
        const int64_t told = (int64_t)strtoll(stamp + 1, NULL, 16);
        if (told >= since && told <= sent)   /* else it is who comes and goes, or of before */
            return true;
    }
    return false;
}

static void on_first(peer *p, const char *at, size_t length)
{
    if (p->reached || !is_news(p, at, length, first))
        return;
    p->reached = true;
    have_it++;
}

static void on_news(peer *p, const char *at, size_t length)
{
    if (!is_news(p, at, length, sent))
        return;
    messages++;
    have_it++;
    histogram_add(&times, clock_now() - sent);
}

/* The next in turn says it. */
static void publish(const char *text)
{
    char message[LARGEST + STAMP], frame[PEER_FRAME + LARGEST];
    size_t length = 0;
    sent = clock_now();
    for (const char *at = text; *at; at++) {
        if (*at == '#' || *at == '%')
            length += (size_t)sprintf(message + length, *at == '#' ? "@%016" PRIx64 "~" : "%016" PRIx64, (uint64_t)sent);
        else
            message[length++] = *at;
        if (length > LARGEST)
            fail("the text is too long");
    }
    peer_send(&speakers[turns++ % speaking], frame, peer_frame(frame, message, length));
}

/* Who has just come may not be told yet what others say: the first message is said until all have heard it. */
static void reach_all(const char *text)
{
    reading = sockets - stopped;
    speaking = speakers != peers || reading > SPEAKERS ? SPEAKERS : reading;
    int64_t progress = first = clock_now();
    publish(text);
    while (have_it < reading) {
        const int before = have_it;
        turn(QUIET / MILLISECOND, on_first);
        const int64_t now = clock_now();
        if (have_it > before)
            progress = now;
        else if (now > first + PATIENCE)
            fail("%d of %d have received a first message", have_it, reading);
        else if (now > progress + QUIET) {
            publish(text);
            progress = now;
        }
    }
}

static void fanout(const char *text)
{
    while (clock_now() < end && turns < speaking * MAY_SAY) {
        have_it = 0;
        publish(text);
        while (have_it < reading) {
            turn(100, on_news);
            if (clock_now() > sent + PATIENCE)
                fail("%d of %d have received a message", have_it, reading);
        }
    }
}

int main(int argc, char *argv[])
{
    const char *mode = argc > 5 ? argv[1] : "";
    const bool echoes = strcmp(mode, "echo") == 0, fans = strcmp(mode, "fanout") == 0, streams = strcmp(mode, "stream") == 0;
    const bool events = strcmp(mode, "events") == 0, tells = fans || events;
    if (argc != (tells ? 9 : echoes ? 8 : 6) || (!echoes && !tells && !streams && strcmp(mode, "idle") != 0))
        fail("websockets echo|fanout|events|idle|stream PORT PATH SOCKETS SECONDS [DEPTH SIZE|STOPPED TEXT SPEAKS]");
    port = atoi(argv[2]);
    path = argv[3];
    sockets = atoi(argv[4]);
    depth = echoes ? atoi(argv[6]) : 0;
    stopped = tells ? atoi(argv[6]) : 0;
    speaks = tells ? argv[8] : "";
    if (sockets - stopped < 1 || (echoes && (depth < 1 || atoi(argv[7]) < 1 || atoi(argv[7]) > LARGEST)) ||
        (tells && !strchr(argv[7], '#')) || (events && !*speaks))
        fail("there is nothing to measure");

    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    peers = calloc((size_t)sockets, sizeof *peers);
    poller = epoll_create1(0);
    open_all(streams || events);
    if (tells)
        reach_all(argv[7]);
    printf("ready %d\n", sockets);
    fflush(stdout);
    if (!wait_for_a_line() || (!echoes && !tells))
        return 0;

    const int64_t used = cpu_us();
    start = clock_now();
    end = start + (int64_t)(atof(argv[5]) * SECOND);
    if (echoes)
        echo(atoi(argv[7]));
    else
        fanout(argv[7]);
    printf("{\"messages\": %" PRIu64 ", \"microseconds\": %" PRId64 ", \"cpu_us\": %" PRId64 ", \"times_us\": ", messages,
           clock_now() - start, cpu_us() - used);
    histogram_print(&times, stdout);
    puts("}");
    fflush(stdout);
    wait_for_a_line();
    return 0;
}
