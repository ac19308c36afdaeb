/* uv_min.c - the smallest server that libuv and llhttp make: what tenk's own libraries cost, and nothing else.
 *
 *   uv_min PORT
 *
 * /plaintext and /json; anything else is answered as /plaintext. It bounds nothing, times nothing out, and trusts its clients;
 * but it parses each request, dates its answers, and writes those of one read together. */
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

typedef struct connection {
    uv_tcp_t tcp;
    llhttp_t parser;
    size_t   url_length;
    char     url[64];
} connection;

typedef struct late {                            /* what the socket did not take at once */
    uv_write_t request;
    char       bytes[];
} late;

static llhttp_settings_t settings;
static char   input[64 * 1024], output[64 * 1024];     /* one for all: both are empty again when a read has been answered */
static size_t output_length;
static char   plaintext[256], json[256];

static void on_second(uv_timer_t *timer)
{
    const time_t now = time(NULL);
    struct tm utc;
    char date[32];
    (void)timer;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    snprintf(plaintext, sizeof plaintext,
             "HTTP/1.1 200 OK\r\nServer: uv\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n"
             "Hello, World!", date);
    snprintf(json, sizeof json,
             "HTTP/1.1 200 OK\r\nServer: uv\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n"
             "{\"message\":\"Hello, World!\"}", date);
}

static void on_closed(uv_handle_t *h) { free(h->data); }
static void on_written(uv_write_t *w, int err)
{
    (void)err;
    free(w);
}

static void hang_up(connection *c)
{
    output_length = 0;
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void flush(connection *c)
{
    uv_buf_t all = uv_buf_init(output, (unsigned)output_length);
    const int taken = output_length > 0 ? uv_try_write((uv_stream_t *)&c->tcp, &all, 1) : 0;
    const size_t sent = taken > 0 ? (size_t)taken : 0, left = output_length - sent;
    output_length = 0;
    if (left == 0)
        return;
    late *rest = malloc(sizeof *rest + left);
    if (!rest)
        abort();
    memcpy(rest->bytes, output + sent, left);
    uv_buf_t buffer = uv_buf_init(rest->bytes, (unsigned)left);
    if (uv_write(&rest->request, (uv_stream_t *)&c->tcp, &buffer, 1, on_written))
        free(rest);
}

static int on_begin(llhttp_t *parser)
{
    ((connection *)parser->data)->url_length = 0;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
    connection *c = parser->data;
    if (c->url_length + length > sizeof c->url)
        return -1;
    memcpy(c->url + c->url_length, at, length);
    c->url_length += length;
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    connection *c = parser->data;
    const char *answer = c->url_length == 5 && memcmp(c->url, "/json", 5) == 0 ? json : plaintext;
    const size_t length = strlen(answer);
    if (output_length + length > sizeof output)
        flush(c);
    memcpy(output + output_length, answer, length);
    output_length += length;
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
    else
        flush(c);
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
    uv_timer_t second;
    struct sockaddr_in address;

    llhttp_settings_init(&settings);
    settings.on_message_begin = on_begin;
    settings.on_url = on_url;
    settings.on_message_complete = on_complete;
    on_second(NULL);
    if (argc != 2 || uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address) || uv_tcp_init(loop, &listener) ||
        uv_timer_init(loop, &second) || uv_timer_start(&second, on_second, 1000, 1000) ||
        uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) || uv_listen((uv_stream_t *)&listener, 8192, on_connection)) {
        fprintf(stderr, "uv_min PORT (which must be free)\n");
        return 1;
    }
    return uv_run(loop, UV_RUN_DEFAULT);
}
