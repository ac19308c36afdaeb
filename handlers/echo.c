/* echo.c - POST /echo: the body, back again. */
#include "handlers.h"
#include "server/http/policy.h"

int echo(request *req)
{
    const text type = request_header(req, "content-type");
    const char *copy = type.length > 0 ? arena_copy(request_arena(req), type) : "application/octet-stream";
    if (!policy_is_page(copy))               /* what a browser makes of it is for its sender to say */
        respond_header(req, "X-Content-Type-Options", "nosniff");
    return respond(req, 200, copy, request_body(req));
}
