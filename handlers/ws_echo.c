/* ws_echo.c - GET /ws/echo: a websocket that sends each message back; in await style, and in the others, which need no task. */
#include "handlers.h"
#include "server/async/task.h"
#include "server/http/websocket/websocket.h"

async int ws_echo(request *req)
{
    websocket *ws;
    int err = websocket_accept(req, "echo", &ws);
    if (err)
        return err;

    websocket_message message;
    while (!(err = await(websocket_receive(ws, &message))))
        if ((err = await(websocket_send(ws, message))))
            break;
    return err;
}

static promise *echo_message(websocket *ws, websocket_message message, void *arg)
{
    (void)arg;
    return websocket_send(ws, message);
}

promise *ws_echo_promise(request *req)
{
    websocket *ws;
    const int err = websocket_accept(req, "echo", &ws);
    return err ? promise_settled(err) : websocket_each(ws, echo_message, NULL);
}

void ws_echo_callback(request *req, void (*done)(int err, void *arg), void *arg)
{
    websocket *ws;
    const int err = websocket_accept(req, "echo", &ws);
    if (err)
        done(err, arg);
    else
        when_settled(websocket_each(ws, echo_message, NULL), done, arg);
}
