/* upgrade.c - see connection.h: what comes is a websocket's frames.
 *
 *     socket -> what is aside -> messages -> handler
 *
 * Frames are looked at when the handler has received the messages before. What arrives until then lies aside, up to the
 * reader's bound; the rest stays in the kernel, whose window slows the client down. */
#include "connection.h"
#include "turn.h"
#include "server/http/client_socket.h"
#include "server/http/websocket/websocket_internal.h"

static websocket *upgrade_of(const connection *c) { return c->first->websocket; }

bool upgrade_is_there(const connection *c) { return c->first && c->first->upgraded; }
bool upgrade_is_over(const connection *c)  { return websocket_is_over(upgrade_of(c)); }

bool upgrade_has_room(const connection *c) { return websocket_wants(upgrade_of(c)) && writer_has_room(c); }

size_t upgrade_take(connection *c, const char *at, size_t length)
{
    websocket *ws = upgrade_of(c);
    const size_t taken = websocket_take(ws, at, length);
    if (c->phase == CONNECTION_WEBSOCKET)
        c->since = (uint32_t)(worker_here->now / 1000000);   /* it is not silent */
    websocket_deliver(ws);
    return taken;
}

/* What lies aside is taken here and now, as long as this turn is for clients: many short messages come in one read. */
static int upgrade_wait(websocket *ws)
{
    connection *c = websocket_request(ws)->connection;
    if (c->input && !c->busy && upgrade_has_room(c) && !turn_is_over(uv_hrtime())) {
        reader_use_frames(c);
        writer_flush_soon(c);                /* pings may have been answered */
        if (websocket_has_something(ws))
            return 0;
    }
    if (c->left && !c->input && !c->busy)    /* its client sends no more */
        return UV_ECANCELED;
    if (!c->busy)
        c->blocked = c->input != NULL;
    if (c->blocked || c->paused)             /* some lies aside yet, or in the kernel */
        writer_flush_next_turn(c);
    return UV_EAGAIN;
}

/* Messages of one turn leave together, as answers do. */
static promise *upgrade_sent(request *r)
{
    connection *c = r->connection;
    if (c->writing || !writer_has_room(c))
        return writer_room(r);
    writer_flush_soon(c);
    return promise_settled(0);
}

/* If the server stops, it is not over with this answer, as others are, but with the client's Close. */
static void upgrade_begun(request *r)
{
    connection *c = r->connection;
    c->ending = false;
    writer_flush_soon(c);
}

static void upgrade_flush(request *r) { writer_flush_soon(r->connection); }

static bool upgrade_has_room_for_more(const request *r)
{
    const connection *c = r->connection;
    return !c->writing && writer_has_room(c);
}

/* There may be room again. */
void upgrade_go_on(connection *c)
{
    if (websocket_pass_on(upgrade_of(c), NULL))
        writer_end_turn(c);
}

static const config *upgrade_config(const request *r)
{
    (void)r;
    return worker_here->config;
}

const websocket_host upgrade_host = { .wait = upgrade_wait, .look = upgrade_wait, .sent = upgrade_sent, .begun = upgrade_begun,
                                      .flush = upgrade_flush, .has_room = upgrade_has_room_for_more, .config = upgrade_config };

connection_phase upgrade_phase(const connection *c)
{
    return websocket_is_closing(upgrade_of(c)) ? CONNECTION_CLOSING : CONNECTION_WEBSOCKET;
}

/* One whose messages are not received is not looked at: it may have sent anything. */
bool upgrade_ping(connection *c)
{
    websocket *ws = upgrade_of(c);
    if (c->blocked || c->paused || upgrade_is_over(c))
        return true;
    writer_flush_soon(c);
    return websocket_ping(ws);
}

void upgrade_stop(connection *c)
{
    websocket_going_away(upgrade_of(c));
    writer_flush_soon(c);
}

void upgrade_cancel(request *r) { websocket_cancel(r->websocket); }

int upgrade_end(request *r, int err)
{
    connection *c = r->connection;
    err = websocket_end(r->websocket, err);
    c->unread = true;                        /* its Close is yet to come, or what it had sent when it sent it */
    return err;
}

void upgrade_free(request *r) { websocket_free(r->websocket); }
