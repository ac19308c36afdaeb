/* plaintext.c - GET /plaintext, as TechEmpower's benchmark specifies it. */
#include "handlers.h"

int plaintext(request *req) { return respond(req, 200, "text/plain", TEXT("Hello, World!")); }
