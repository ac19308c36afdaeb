/* ws_echo.c - GET /ws/echo: a websocket that sends each message back. */
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
