/* healthz.c - GET /healthz: whether this process serves, and nothing else; the database may be down. */
#include "handlers.h"

int healthz(request *req) { return respond(req, 200, "text/plain", TEXT("ok\n")); }
