/* bytes_to_and_fro.c - two ends of a connection answer each other: what each read makes ready runs
 * before the next read. See the .js. */
#include "order.h"

#include <sys/socket.h>

static uv_pipe_t ends[2];
static char      room[16];

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buffer)
{
    (void)h, (void)suggested;
    *buffer = uv_buf_init(room, sizeof room);
}

static char *const HAS[2][5] = {
    { "", "client has 1", "client has 2", "client has 3", "" },
    { "", "", "server has 2", "", "server has 4" },
};

static void take(uv_stream_t *end, ssize_t n)
{
    const int i = (uv_pipe_t *)end == &ends[1];
    if (n == UV_EOF) {
        uv_close((uv_handle_t *)end, NULL);
        return;
    }
    say(HAS[i][n]);
    next_tick(say, i ? "tick of server" : "tick of client");
    then_last(soon(), i ? "promise of server" : "promise of client");
    uv_buf_t less = uv_buf_init("xxxx", (unsigned)n - 1);
    if (n > 1)
        ck_assert_int_eq(uv_try_write(end, &less, 1), n - 1);
    else
        uv_close((uv_handle_t *)end, NULL);
}

static void on_read(uv_stream_t *end, ssize_t n, const uv_buf_t *buffer)
{
    (void)buffer;
    loop_enter();
    take(end, n);
    loop_leave();
}

void bytes_to_and_fro(void)
{
    int fds[2];
    uv_buf_t first = uv_buf_init("xxxx", 4);
    ck_assert_int_eq(uv_socketpair(SOCK_STREAM, 0, fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE), 0);
    for (int i = 0; i < 2; i++) {
        uv_pipe_init(loop_here(), &ends[i], 0);
        uv_pipe_open(&ends[i], fds[i]);
        uv_read_start((uv_stream_t *)&ends[i], on_room, on_read);
    }
    ck_assert_int_eq(uv_try_write((uv_stream_t *)&ends[0], &first, 1), 4);
}
