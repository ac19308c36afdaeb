/* refusal.h - how a request that must not be understood is to be answered: once, and then the connection
 * ends, whatever comes behind it. */
#ifndef TESTS_REFUSAL_H
#define TESTS_REFUSAL_H

#include "tests/scenarios/scenarios.h"

#define H "Host: t\r\n"
#define CHUNKED "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
#define SMUGGLED "GET /smuggled HTTP/1.1\r\n" H "\r\n"

#define REFUSED(bytes, status) refused(bytes, sizeof(bytes) - 1, status, status)
#define REFUSED_EITHER(bytes, status, other) refused(bytes, sizeof(bytes) - 1, status, other)

/* Sends the bytes and a request behind them: one answer with one of these statuses, then the end. */
void refused(const char *bytes, size_t length, int status, int or_status);

#endif
