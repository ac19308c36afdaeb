/* whoami.c - GET /whoami: for whom the server takes its client, as JSON; behind a proxy, as that says (peer.h). */
#include "handlers.h"
#include "server/base/buffer.h"

int whoami(request *req)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    buffer_text(&b, TEXT("{\"address\":"));
    buffer_json(&b, request_client_address(req));
    buffer_text(&b, TEXT(",\"scheme\":"));
    buffer_json(&b, request_scheme(req));
    buffer_text(&b, TEXT(",\"host\":"));
    buffer_json(&b, request_authority(req));
    buffer_text(&b, TEXT("}"));
    return respond(req, 200, "application/json", buffer_all(&b));
}
