/* waiting.c - the floor below an idle connection and a waiting request: libuv, llhttp, and
 * callbacks only.
 *
 *   waiting PORT
 *
 * /sleep?ms=N answers after N milliseconds, everything else at once. What it holds for a connection
 * is a handle and a parser, and for a request that waits one timer more. */
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct connection {
    uv_tcp_t tcp;
    llhttp_t parser;
    uv_timer_t *timer; /* of the request that sleeps */
    size_t url_length;
    char url[64];
} connection;

static llhttp_settings_t settings;
static char input[64 * 1024]; /* one for all: a connection that is idle holds none */
static const char answer[] = "HTTP/1.1 200 OK\r\nServer: floor\r\nContent-Type: text/plain\r\n"
                             "Content-Length: 13\r\n\r\nHello, World!";

static void on_connection_closed(uv_handle_t *h) { free(h->data); }
static void on_timer_closed(uv_handle_t *h) { free(h); }

static void hang_up(connection *c)
{
    if (c->timer)
        uv_close((uv_handle_t *)c->timer, on_timer_closed);
    c->timer = NULL;
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_connection_closed);
}

static void respond(connection *c)
{
    uv_buf_t buffer = uv_buf_init((char *)answer, sizeof answer - 1);
    if (uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1) != (int)buffer.len)
        hang_up(c);
}

static void on_rang(uv_timer_t *timer)
{
    connection *c = timer->data;
    uv_close((uv_handle_t *)timer, on_timer_closed);
    c->timer = NULL;
    respond(c);
}

static int on_begin(llhttp_t *parser)
{
    ((connection *)parser->data)->url_length = 0;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
    connection *c = parser->data;
    if (c->url_length + length >= sizeof c->url)
        return -1;
    memcpy(c->url + c->url_length, at, length);
    c->url_length += length;
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    connection *c = parser->data;
    c->url[c->url_length] = '\0';
    const char *ms = strstr(c->url, "?ms=");
    if (!ms) {
        respond(c);
        return 0;
    }
    c->timer = malloc(sizeof *c->timer);
    c->timer->data = c;
    uv_timer_init(c->tcp.loop, c->timer);
    uv_timer_start(c->timer, on_rang, strtoull(ms + 4, NULL, 10), 0);
    return 0;
}

static void on_room_wanted(uv_handle_t *h, size_t size, uv_buf_t *buffer)
{
    (void)h;
    (void)size;
    *buffer = uv_buf_init(input, sizeof input);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    connection *c = stream->data;
    if (n < 0 || llhttp_execute(&c->parser, buffer->base, (size_t)n) != HPE_OK)
        hang_up(c);
}

static void on_connection(uv_stream_t *listener, int err)
{
    connection *c = calloc(1, sizeof *c);
    if (err || !c)
        abort();
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp)) {
        hang_up(c);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    c->parser.data = c;
    uv_read_start((uv_stream_t *)&c->tcp, on_room_wanted, on_read);
}

int main(int argc, char *argv[])
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in address;

    llhttp_settings_init(&settings);
    settings.on_message_begin = on_begin;
    settings.on_url = on_url;
    settings.on_message_complete = on_complete;
    if (argc != 2 || uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address) ||
        uv_tcp_init(loop, &listener) || uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) ||
        uv_listen((uv_stream_t *)&listener, 8192, on_connection)) {
        fprintf(stderr, "waiting PORT (which must be free)\n");
        return 1;
    }
    return uv_run(loop, UV_RUN_DEFAULT);
}
