/* pipeline.c - GET /pipeline: the least there is to say, many times in a row. */
#include "boards.h"

int board_pipeline(request *req) { return respond(req, 200, "text/plain", TEXT("ok")); }
