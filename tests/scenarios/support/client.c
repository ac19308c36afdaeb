/* client.c - sockets with deadlines, and the least of a parser that can tell where an answer ends.
 * */
#include "client.h"
#include "server.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    int    fd;
    double timeout;                          /* seconds */
    bool   ended, reset;                     /* the other side has closed or reset; it has reset */
    char  *in;                               /* received and not yet taken; terminated */
    size_t have, room;
    char  *head, *body;                      /* of the last answer */
};

static int connected(int family, const void *to, socklen_t size, int receive_buffer)
{
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (fd < 0 || connect(fd, to, size) == 0)
        return fd;
    close(fd);
    return -1;
}

static client *dial(int port, int receive_buffer)
{
    const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = four.sin_port, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = connected(AF_INET, &four, sizeof four, receive_buffer);
    if (fd < 0)                              /* on some machines localhost is that one alone */
        fd = connected(AF_INET6, &six, sizeof six, receive_buffer);
    if (fd < 0)
        return NULL;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    client *c = calloc(1, sizeof *c);
    *c = (client){ .fd = fd, .timeout = 40, .room = 4096, .in = malloc(4097) };
    c->in[0] = '\0';
    return c;
}

client *client_try(int port) { return dial(port, 0); }

bool client_refused(int port)
{
    client *c = client_try(port);
    client_free(c);
    return c == NULL;
}

client *client_small(int bytes)
{
    client *c = dial(here.port, bytes);
    ck_assert_msg(c != NULL, "no connection to port %d: %s", here.port, strerror(errno));
    return c;
}

client *client_new(void) { return client_small(0); }

void client_set_timeout(client *c, double seconds) { c->timeout = seconds; }

void client_free(client *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c->in);
    free(c->head);
    free(c->body);
    free(c);
}

void client_reset(client *c)
{
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
    client_free(c);
}

void client_half_close(client *c) { shutdown(c->fd, SHUT_WR); }

static bool ready(client *c, short event, double end)
{
    for (;;) {
        const double left = end - now_s();
        struct pollfd p = { .fd = c->fd, .events = event };
        const int n = poll(&p, 1, left > 0 ? (int)(left * 1000) + 1 : 0);
        if (n > 0)
            return true;
        if (n == 0)
            return false;
    }
}

/* Takes in what is there, and waits for something. False: nothing came. */
static bool take_in(client *c, double seconds)
{
    if (c->ended || !ready(c, POLLIN, now_s() + seconds))
        return false;
    if (c->room - c->have < 65536) {
        c->room = c->room * 2 + 65536;
        c->in = realloc(c->in, c->room + 1);
    }
    const ssize_t n = recv(c->fd, c->in + c->have, c->room - c->have, 0);
    if (n <= 0) {
        c->reset = n < 0 && errno != EAGAIN && errno != EINTR;
        c->ended = n == 0 || c->reset;
        return !c->ended;
    }
    c->have += (size_t)n;
    c->in[c->have] = '\0';
    return true;
}

bool client_send(client *c, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        const ssize_t n = send(c->fd, at, length, MSG_NOSIGNAL);
        if (n > 0) {
            at += n;
            length -= (size_t)n;
        } else if (errno != EAGAIN || !ready(c, POLLOUT, now_s() + c->timeout)) {
            return false;
        }
    }
    return true;
}

bool client_say(client *c, const char *text) { return client_send(c, text, strlen(text)); }

client *client_asking(const char *path)
{
    char request[128];
    client *c = client_new();
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", path);
    client_say(c, request);
    return c;
}

client *client_heard(const char *path)
{
    char requests[256];
    client *c = client_new();
    snprintf(requests, sizeof requests, "GET /json HTTP/1.1\r\nHost: t\r\n\r\nGET %s HTTP/1.1\r\nHost: t\r\n\r\n", path);
    client_say(c, requests);
    ck_assert_int_eq(client_answer(c).status, 200);
    return c;
}

static void drop(client *c, size_t n)
{
    memmove(c->in, c->in + n, c->have - n + 1);
    c->have -= n;
}

static bool need(client *c, size_t n)
{
    while (c->have < n)
        if (!take_in(c, c->timeout))
            return false;
    return true;
}

/* The length of a line at offset from, its CRLF included, or 0 if it does not come. */
static size_t line_at(client *c, size_t from)
{
    for (size_t looked = from;;) {
        const char *lf = c->have > looked ? memchr(c->in + looked, '\n', c->have - looked) : NULL;
        if (lf)
            return (size_t)(lf - c->in) - from + 1;
        looked = c->have > from ? c->have : from;
        if (!take_in(c, c->timeout))
            return 0;
    }
}

/* Unwraps the chunks at the front of what came. */
static bool unchunk(client *c, answer *a)
{
    c->body = malloc(1);
    for (;;) {
        const size_t line = line_at(c, 0);
        if (!line)
            return false;
        const size_t size = strtoul(c->in, NULL, 16);
        drop(c, line);
        if (!need(c, size + 2))
            return false;
        c->body = realloc(c->body, a->length + size + 1);
        memcpy(c->body + a->length, c->in, size);
        a->length += size;
        drop(c, size + 2);
        if (size == 0)
            return true;
    }
}

static answer receive(client *c, bool no_body)
{
    const answer none = { .head = "", .body = "" };
    answer a = none;
    free(c->head);
    free(c->body);
    c->head = c->body = NULL;

    size_t head = 0;
    for (;;) {
        const size_t line = line_at(c, head);
        if (!line)
            return none;
        head += line;
        if (line == 2)
            break;
    }
    a.head = c->head = strndup(c->in, head);
    if (sscanf(a.head, "HTTP/1.%*1[01] %3d ", &a.status) != 1)
        ck_abort_msg("this is no answer: %.100s", c->in);
    drop(c, head);

    const char *length = header(&a, "Content-Length");
    if (no_body || a.status < 200 || a.status == 204 || a.status == 304) {
        c->body = calloc(1, 1);
    } else if (header_is(&a, "Transfer-Encoding", "chunked")) {
        if (!unchunk(c, &a))
            return none;
    } else {
        ck_assert_msg(length != NULL, "no Content-Length: %s", a.head);
        a.length = strtoul(length, NULL, 10);
        if (!need(c, a.length))
            return none;
        c->body = malloc(a.length + 1);
        memcpy(c->body, c->in, a.length);
        drop(c, a.length);
    }
    c->body[a.length] = '\0';
    a.body = c->body;
    return a;
}

answer client_answer(client *c) { return receive(c, false); }

answer client_answer_to_head(client *c) { return receive(c, true); }

bool client_closed(client *c)
{
    while (c->have == 0 && !c->ended)
        if (!take_in(c, c->timeout) && !c->ended)
            return false;
    return c->have == 0;
}

bool client_let_go(client *c) { return client_closed(c) && !c->reset; }

bool client_bytes(client *c, void *to, size_t length)
{
    if (!need(c, length))
        return false;
    memcpy(to, c->in, length);
    drop(c, length);
    return true;
}

void client_take(client *c) { take_in(c, 0); }

const char *client_rest(client *c)
{
    while (take_in(c, c->timeout))
        ;
    return c->in ? c->in : "";
}

size_t client_drain(client *c)
{
    size_t total = c->have;
    c->have = 0;
    while (take_in(c, c->timeout) || !c->ended) {
        if (c->have == 0 && !c->ended && !ready(c, POLLIN, now_s()))
            break;
        total += c->have;
        c->have = 0;
    }
    return total;
}

int client_segments(client *c)
{
    struct tcp_info info = { 0 };
    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){ sizeof info });
    return (int)info.tcpi_data_segs_in;
}

bool client_quiet(client *c)
{
    return c->have == 0 && !c->ended && !ready(c, POLLIN, now_s());
}

static client *once; /* the connection of ask and its kin, kept until the next one */

answer ask_bytes(const char *request, size_t length)
{
    client_free(once);
    once = NULL;                             /* who fails to connect leaves from there, and a fixture's process goes on */
    once = client_new();
    client_send(once, request, length);      /* a refusal may come before all is sent */
    return strncmp(request, "HEAD ", 5) == 0 ? client_answer_to_head(once) : client_answer(once);
}

answer ask(const char *request) { return ask_bytes(request, strlen(request)); }

answer get_as(const char *path, const char *accept)
{
    char request[16384];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: tenk.test\r\nConnection: close\r\nAccept: %s\r\n\r\n", path,
             accept);
    return ask(request);
}

answer get(const char *path) { return get_as(path, "*/*"); }

answer post_as(const char *path, const char *type, const char *body, const char *accept)
{
    const size_t room = strlen(body) + 1024;
    char *request = malloc(room);
    snprintf(request, room, "POST %s HTTP/1.1\r\nHost: tenk.test\r\nConnection: close\r\nAccept: %s\r\n"
             "%s%s%sContent-Length: %zu\r\n\r\n%s", path, accept, type ? "Content-Type: " : "", type ? type : "",
             type ? "\r\n" : "", strlen(body), body);
    const answer a = ask(request);
    free(request);
    return a;
}

answer post(const char *path, const char *type, const char *body)
{
    return post_as(path, type, body, "*/*");
}

static const char *find_header(const char *from, const char *name)
{
    const size_t n = strlen(name);
    for (const char *line = strstr(from, "\r\n"); line && line[2] != '\r';
         line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':')
            return line;
    return NULL;
}

const char *header(const answer *a, const char *name)
{
    static _Thread_local char values[8][1024];
    static _Thread_local unsigned turn;
    const char *line = find_header(a->head, name);
    if (!line)
        return NULL;
    line += 2 + strlen(name) + 1;
    line += strspn(line, " \t");
    char *value = values[turn++ % 8];
    snprintf(value, sizeof values[0], "%.*s", (int)strcspn(line, "\r\n"), line);
    return value;
}

bool header_is(const answer *a, const char *name, const char *value)
{
    const char *is = header(a, name);
    return is && strcasecmp(is, value) == 0;
}

bool header_has(const answer *a, const char *name, const char *part)
{
    const char *is = header(a, name);
    return is && strcasestr(is, part);
}

int header_count(const answer *a, const char *name)
{
    int count = 0;
    for (const char *line = a->head; (line = find_header(line, name)); line += 2)
        count++;
    return count;
}

int occurrences(const char *in, const char *part)
{
    int count = 0;
    for (; (in = strstr(in, part)); in += strlen(part))
        count++;
    return count;
}
