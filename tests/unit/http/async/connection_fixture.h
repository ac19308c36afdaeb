/* connection_fixture.h - a worker whose handlers wait, stay mute or answer in pieces, for the tests of connections. */
#ifndef TESTS_CONNECTION_FIXTURE_H
#define TESTS_CONNECTION_FIXTURE_H

#include "tests/support/support.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, length, body) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n" body

extern promise *gate, *second_gate;          /* what /wait and those at the gate, and what /gated waits for */
extern int      waited, began, ended;        /* how /wait, /call-pieces or a stream ended; how many began; ended */

extern fake     forgotten;                   /* what /forget/await, /promise and so on make and never await */
extern int     *forgotten_at;                /* memory of their request */

enum { WAIT_LONG = 90000 };                  /* ms: the deadline of /wait-long, which is /wait otherwise */

void serve(void);                            /* serving_start with the routes of connection_fixture.c */

#endif
