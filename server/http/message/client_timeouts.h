/* client_timeouts.h - how long a client is waited for, beside what the settings say. */
#ifndef HTTP_CLIENT_TIMEOUTS_H
#define HTTP_CLIENT_TIMEOUTS_H

enum {
    HALF_CLOSE_TIMEOUT = 1000,                         /* ms for the answers to a client that has left, if it has */
    LINGER_TIMEOUT = 2000,                           /* ms for a refused client to read why, before the reset */
    BODY_RATE = 16,                          /* bytes a ms: a body that comes faster may take longer */
};

#endif
