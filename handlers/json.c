/* json.c - GET /json, as TechEmpower's benchmark specifies it. */
#include "handlers.h"

int json(request *req) { return respond(req, 200, "application/json", TEXT("{\"message\":\"Hello, World!\"}")); }
