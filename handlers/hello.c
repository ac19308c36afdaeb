/* hello.c - the handlers that wait for nothing. */
#include "handlers.h"
#include "site.h"
#include "server/http/files.h"
#include "server/http/policy.h"

/* As TechEmpower's benchmark specifies them. */
int plaintext(request *req) { return respond(req, 200, "text/plain", TEXT("Hello, World!")); }
int json(request *req)      { return respond(req, 200, "application/json", TEXT("{\"message\":\"Hello, World!\"}")); }

/* Whether this process serves, and nothing else: the database may be down. */
int healthz(request *req) { return respond(req, 200, "text/plain", TEXT("ok\n")); }

int echo(request *req)
{
    const text type = request_header(req, "content-type");
    const char *copy = type.length > 0 ? arena_copy(request_arena(req), type) : "application/octet-stream";
    if (!policy_is_page(copy))               /* what a browser makes of it is for its sender to say */
        respond_header(req, "X-Content-Type-Options", "nosniff");
    return respond(req, 200, copy, request_body(req));
}

async int static_file(request *req)
{
    return respond_file(req, site_static_folder(), request_param(req, "*"));
}
