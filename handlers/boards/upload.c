/* upload.c - POST /upload: how many bytes the body has, of which no more than a piece is kept. */
#include "boards.h"
#include "server/async/task.h"

async int board_upload(request *req)
{
    uint64_t length = 0;
    text piece;
    char digits[TEXT_DIGITS];
    int err;
    while (!(err = request_read(req, &piece)))
        length += piece.length;
    return err == UV_EOF ? respond(req, 200, "text/plain", text_number(length, digits)) : err;
}
