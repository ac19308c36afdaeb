/* peer.c - see peer.h. */
#include "peer.h"
#include "loopback.h"

#include <check.h>
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 256, ROOM = 2 << 20 };

static int        listener, port, gate;
static pthread_t  acceptor, talkers[MANY];
static int        sockets[MANY];
static atomic_int connections, requests, waiting, most, looking_up;
static atomic_bool look_ups_answered;

typedef struct talk {
    int  fd;
    char request[ROOM];                      /* terminated */
    bool last;
} talk;

/* Answering. False: the connection ends. */

static bool say(const talk *t, const char *words)
{
    return send(t->fd, words, strlen(words), MSG_NOSIGNAL) == (ssize_t)strlen(words);
}

static bool say_length(const talk *t, int status, size_t length)
{
    char head[200];
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: text/plain\r\nLocation: /hello\r\nContent-Length: %zu\r\n\r\n",
             status, length);
    return say(t, head);
}

static bool answer(const talk *t, int status, const char *body)
{
    return say_length(t, status, strlen(body)) && say(t, strncmp(t->request, "HEAD", 4) == 0 ? "" : body);
}

/* Until the gate lets it through: true; or its client has left. */
static bool pass(const talk *t)
{
    struct pollfd on[] = { { gate, POLLIN, 0 }, { t->fd, POLLIN | POLLRDHUP, 0 } };
    eventfd_t one;
    bool passed = false;
    const int at_once = atomic_fetch_add(&waiting, 1) + 1;
    for (int before = atomic_load(&most); at_once > before;)
        if (atomic_compare_exchange_weak(&most, &before, at_once))
            break;
    while (!passed && poll(on, 2, -1) >= 0 && !on[1].revents)
        passed = eventfd_read(gate, &one) == 0;
    atomic_fetch_sub(&waiting, 1);
    return passed;
}

static bool without_end(const talk *t, const char *begin, const char *again)
{
    bool more = say(t, begin);
    while (more)
        more = say(t, again);
    return false;
}

static bool reset(const talk *t)
{
    setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    return false;
}

static bool big(const talk *t, size_t length)
{
    char *bytes = malloc(length + 1);
    memset(bytes, 'x', length);
    bytes[length] = '\0';
    const bool more = answer(t, 200, bytes);
    free(bytes);
    return more;
}

static bool respond(talk *t, const char *path)
{
    static const char CHUNKED[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Thing:  a thing \r\n\r\n";
    if (t->last)
        return false;
    t->last = strcmp(path, "/last") == 0;
    if (strcmp(path, "/hello") == 0 || t->last)
        return answer(t, 200, "hello");
    if (strcmp(path, "/echo") == 0)
        return answer(t, 200, t->request);
    if (strncmp(path, "/status/", 8) == 0)
        return answer(t, atoi(path + 8), "whatever");
    if (strncmp(path, "/big/", 5) == 0)
        return big(t, (size_t)atol(path + 5));
    if (strcmp(path, "/chunked") == 0)
        return say(t, "HTTP/1.1 100 Continue\r\nX-Thing: none\r\n\r\n") && say(t, CHUNKED) &&
               say(t, "3\r\none\r\n3\r\ntwo\r\n0\r\nX-Late: yes\r\n\r\n");
    if (strcmp(path, "/endless") == 0)
        return without_end(t, CHUNKED, "10\r\n0123456789abcdef\r\n");
    if (strcmp(path, "/heads") == 0)
        return without_end(t, "HTTP/1.1 200 OK\r\n", "X-More: of that\r\n");
    if (strcmp(path, "/gate") == 0)
        return pass(t) && answer(t, 200, "hello");
    if (strcmp(path, "/drip") == 0)
        return say_length(t, 200, 5) && say(t, "hel") && pass(t) && say(t, "lo");
    if (strcmp(path, "/half") == 0)
        return say_length(t, 200, 100) && say(t, "half") && false;
    if (strcmp(path, "/cut") == 0)
        return say(t, CHUNKED) && say(t, "10\r\nhalf") && false;
    if (strcmp(path, "/nonsense") == 0)
        return say(t, "Nobody here speaks that.\r\n\r\n") && false;
    return strcmp(path, "/reset") == 0 ? reset(t) : false;
}

/* Receiving. */

static bool receive(talk *t, size_t *length)
{
    const ssize_t n = recv(t->fd, t->request + *length, ROOM - 1 - *length, 0);
    if (n <= 0)
        return false;
    *length += (size_t)n;
    t->request[*length] = '\0';
    return true;
}

static bool next_request(talk *t)
{
    size_t length = 0;
    const char *end, *announced;
    while (!(length && (end = strstr(t->request, "\r\n\r\n"))))
        if (!receive(t, &length))
            return false;
        else if (t->request[0] == 0x16)      /* TLS */
            return say(t, "What?\r\n\r\n") && false;
    announced = strcasestr(t->request, "\r\nContent-Length:");
    const size_t body = announced && announced < end ? (size_t)atol(announced + 17) : 0;
    while (length < (size_t)(end + 4 - t->request) + body)
        if (!receive(t, &length))
            return false;
    return true;
}

static void *converse(void *arg)
{
    talk *t = calloc(1, sizeof *t);
    t->fd = *(int *)arg;
    for (bool more = true; more && next_request(t);) {
        char path[200] = "";
        sscanf(t->request, "%*s %199s", path);
        atomic_fetch_add(&requests, 1);
        more = respond(t, path);
    }
    close(t->fd);
    free(t);
    return NULL;
}

static void *accept_all(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        const int i = atomic_load(&connections);
        ck_assert_int_lt(i, MANY);
        sockets[i] = fd;
        atomic_store(&connections, i + 1);   /* before it answers */
        ck_assert_int_eq(pthread_create(&talkers[i], NULL, converse, &sockets[i]), 0);
    }
    return NULL;
}

void peer_start(void)
{
    listener = loopback_listen(128, &port);
    gate = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE | EFD_NONBLOCK);
    ck_assert_int_eq(pthread_create(&acceptor, NULL, accept_all, NULL), 0);
}

/* Whoever uses it has closed its connections before, or is waited for. */
void peer_stop(void)
{
    shutdown(listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    close(listener);
    for (int i = 0; i < atomic_load(&connections); i++)
        pthread_join(talkers[i], NULL);
    close(gate);
}

static const char *url(const char *host, int at, const char *path)
{
    static char urls[32][100];
    static int  next;
    char *room = urls[next++ % 32];
    snprintf(room, sizeof urls[0], "%s:%d%s", host, at, path);
    return room;
}

const char *peer_url(const char *path) { return url("http://127.0.0.1", port, path); }
const char *peer_url_at(const char *host, const char *path) { return url(host, port, path); }
void peer_open(int n)                  { eventfd_write(gate, (eventfd_t)n); }
int  peer_connections(void)            { return atomic_load(&connections); }
int  peer_requests(void)               { return atomic_load(&requests); }
int  peer_most(void)                   { return atomic_load(&most); }

int  peer_waiting(void)                { return atomic_load(&waiting); }

/* Its line of those who wait to be accepted is full. */
const char *peer_deaf_url(void)
{
    int at;
    loopback_listen(0, &at);                /* it and those below end with the test */
    const struct sockaddr_in a = loopback_address(at);
    for (int i = 0; i < 4; i++)
        (void)connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), (const struct sockaddr *)&a, sizeof a);
    return url("http://127.0.0.1", at, "/");
}

/* Stands before libc's, and so everybody asks this one. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    const size_t length = name ? strlen(name) : 0;
    *(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo");
    if (length < 5 || strcmp(name + length - 5, ".test") != 0)
        return libc(name, service, hints, found);
    atomic_fetch_add(&looking_up, 1);
    while (strncmp(name, "slow", 4) == 0 && !atomic_load(&look_ups_answered))
        usleep(100);
    const int err = strncmp(name, "no", 2) == 0 ? EAI_NONAME : libc("127.0.0.1", service, hints, found);
    atomic_fetch_sub(&looking_up, 1);
    return err;
}

void peer_answer_look_ups(void) { atomic_store(&look_ups_answered, true); }
int  peer_look_ups(void)        { return atomic_load(&looking_up); }
