/* client.c - opens thousands of connections, and times what comes back.
 *
 *   client idle   PORT PATH CONNECTIONS SECONDS          one request on each, one after the other; then all are held
 *                                                        open until stdin ends
 *   client burst  PORT PATH CONNECTIONS SECONDS          one request on each, all at once; ends with the last answer
 *   client spread PORT PATH CONNECTIONS SECONDS          the same, but sent evenly over a second
 *   client steady PORT PATH RATE SECONDS [ACCEPT]        RATE requests a second on one connection
 *
 * It prints a line "ready N" when all is sent (idle: answered; spread: connected), and at the end one line of JSON:
 * how many were answered with 200, how many were not, and the mean and the percentiles of the time to the last
 * byte of an answer. In steady, time runs from when the request was due, so that a slow answer
 * counts against those queued behind it. SECONDS is a bound: what has not been answered by then is
 * missing. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct connection {
    int fd;
    int64_t since; /* when the request was sent, or due, in microseconds */
    long body;     /* bytes of it still to come; -1 while the head is */
} connection;

static int port;
static char request[512];
static int64_t *times; /* of the good answers, in microseconds */
static int good, bad;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static connection dial(void)
{
    connection c = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
    if (c.fd < 0 || connect(c.fd, (struct sockaddr *)&address, sizeof address))
        die("connect");
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    /* A reset instead of a goodbye: ten thousand ports in TIME_WAIT would be missing in the next
     * run. */
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
    return c;
}

static void ask(connection *c, int64_t since)
{
    c->since = since;
    c->body = -1;
    if (send(c->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        die("send");
}

/* Reads what has come. True when the answer is complete, or the connection is of no more use. */
static bool take(connection *c)
{
    static char input[64 * 1024];
    ssize_t n = recv(c->fd, input, sizeof input - 1, MSG_DONTWAIT | (c->body < 0 ? MSG_PEEK : 0));
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        bad++;
        return true;
    }
    if (c->body < 0) { /* it was a peek: take the head, if it is all there */
        input[n] = '\0';
        const char *end = strstr(input, "\r\n\r\n");
        const char *size = strcasestr(input, "\r\ncontent-length:");
        if (!end)
            return false;
        if (strncmp(input, "HTTP/1.1 200 ", 13) != 0 || !size || size > end) {
            bad++;
            return true;
        }
        c->body = atol(strchr(size, ':') + 1);
        n = recv(c->fd, input, (size_t)(end + 4 - input) + (size_t)c->body, MSG_DONTWAIT);
        n -= end + 4 - input;
    }
    c->body -= n;
    if (c->body > 0)
        return false;
    times[good++] = now() - c->since;
    return true;
}

static void wait_for(connection *c, int64_t deadline)
{
    while (!take(c)) {
        if (now() >= deadline ||
            poll(&(struct pollfd){ .fd = c->fd, .events = POLLIN }, 1, 1000) < 0) {
            fprintf(stderr, "client: no answer in time\n");
            exit(1);
        }
    }
}

static void idle(int count, int64_t deadline)
{
    for (int i = 0; i < count; i++) {
        connection c = dial();
        ask(&c, now());
        wait_for(&c, deadline);
    }
    printf("ready %d\n", good);
    fflush(stdout);
    const int64_t left = (deadline - now()) / 1000;
    poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, left > 0 ? (int)left : 0);
}

/* All at once, or a few each millisecond so that the last is sent after a second. */
static void crowd(int count, bool spread, int64_t deadline)
{
    connection *all = calloc((size_t)count, sizeof *all);
    const int poller = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        all[i] = dial();
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &all[i] };
        if (epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &event))
            die("epoll_ctl");
    }
    const int64_t start = now();
    int asked = 0;
    for (; !spread && asked < count; asked++)
        ask(&all[asked], now());
    printf("ready %d\n", count);
    fflush(stdout);
    while (good + bad < count && now() < deadline) {
        struct epoll_event events[512];
        const int n = epoll_wait(poller, events, 512, asked < count ? 1 : 100);
        for (int i = 0; i < n; i++) {
            connection *c = events[i].data.ptr;
            if (take(c))
                epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL);
        }
        for (; asked < count && start + (int64_t)asked * 1000000 / count <= now(); asked++)
            ask(&all[asked], now());
    }
}

static void steady(int rate, int seconds, int64_t deadline)
{
    connection c = dial();
    const int64_t start = now();
    printf("ready 1\n");
    fflush(stdout);
    for (int i = 0; i < rate * seconds; i++) {
        const int64_t due = start + (int64_t)i * 1000000 / rate, early = due - now();
        if (early > 0)
            usleep((useconds_t)early);
        ask(&c, due);
        wait_for(&c, deadline);
        if (bad > 0)
            return;
    }
}

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double p) /* in milliseconds; the nearest rank */
{
    if (good == 0)
        return 0;
    int rank = (int)(p / 100 * good + 0.999999);
    return (double)times[rank > 0 ? rank - 1 : 0] / 1000;
}

int main(int argc, char *argv[])
{
    if (argc < 6) {
        fprintf(stderr, "client idle|burst|spread|steady PORT PATH COUNT SECONDS [ACCEPT]\n");
        return 2;
    }
    const bool steadily = strcmp(argv[1], "steady") == 0;
    const int count = atoi(argv[4]), seconds = atoi(argv[5]);
    const int requests = steadily ? count * seconds : count;
    port = atoi(argv[2]);
    times = calloc((size_t)requests, sizeof *times);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: %s\r\n\r\n",
             argv[3], port, argc > 6 ? argv[6] : "*/*");

    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    const int64_t deadline = now() + (int64_t)seconds * 1000000 + 5000000 * steadily;
    if (steadily)
        steady(count, seconds, deadline);
    else if (*argv[1] == 'i')
        idle(count, deadline);
    else
        crowd(count, *argv[1] == 's', deadline);
    qsort(times, (size_t)good, sizeof *times, ascending);
    double sum = 0;
    for (int i = 0; i < good; i++)
        sum += (double)times[i] / 1000;
    printf("{\"answered\": %d, \"bad\": %d, \"missing\": %d, \"mean\": %.3f, \"p50\": %.3f, \"p99\": %.3f, "
           "\"max\": %.3f}\n",
           good, bad, requests - good - bad, good ? sum / good : 0, percentile(50), percentile(99), percentile(100));
    return 0;
}
