/* plain_head.h - a request's head read plainly: byte by byte, and by llhttp from the first byte to the last. The head
 * scanner and head_read, which are quicker, must come to the same. */
#ifndef TESTS_PLAIN_HEAD_H
#define TESTS_PLAIN_HEAD_H

#include "server/http/message/head_scanner.h"

/* What head_scan must return for these bytes, in how many parts soever they have come. */
long plain_scan(const char *at, size_t length, const head_limits *limits);

/* Of a head that was scanned, and for which head_read has returned err: NULL, or of what llhttp says something else. It
 * refuses some of what RFC 9112 allows in the headers that say how long a body is; there head_read is the judge. */
const char *plain_contradiction(const head *h, int err);

#endif
