/* compression.h - answers that are compressed as they are made: br by libbrotlienc, gzip by zlib.
 *
 * By the client's Accept-Encoding (accept_header.h), in one piece. What is too small to gain by it, or so large that it
 * would hold the memory twice, goes as it is, and so does what does not get smaller, and all while the thread pool,
 * which compresses what takes more than a moment, has too much to do. */
#ifndef HTTP_COMPRESSION_H
#define HTTP_COMPRESSION_H

#include "server/async/task.h"
#include "request.h"

enum {
    COMPRESSION_LEAST = 1024,                /* bytes: less fits into a packet anyway. Who refuses identity gets it compressed */
    COMPRESSION_HEAVY = 16 * 1024,           /* from here on in the thread pool: some 10 us a KiB */
    COMPRESSION_MOST = 4 * 1024 * 1024,
};

/* Answers with 200 and that body, in the coding that the client likes best; with Vary, and with a tag of the very bytes
 * that are sent, by which it may be 304, or HTTP_STATUS(412), for the handler to return. The body is the request's. */
async int respond_compressed(request *req, const char *type, text body);

#endif
