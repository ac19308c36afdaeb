/* stop_spread.h - which client is told when that the server stops.
 *
 * Those who hold a connection for long come back when it ends, to another server. If it ended for all of them in one
 * moment, they would come in one wave: so each is told at a moment of its own in the first quarter of [timeouts] drain,
 * and those who can be told when to come back, by events, get a time of their own in all of it. */
#ifndef HTTP_STOP_SPREAD_H
#define HTTP_STOP_SPREAD_H

#include <stdint.h>
#include <uv.h>

enum { STOP_PARTS = 128 };                   /* of all clients; those of one part are told in the same moment */

/* Milliseconds in which all are told: few do not make a wave. */
static inline uint64_t stop_spread_ms(uint64_t drain, int clients)
{
    enum { EACH = 5 };
    const uint64_t enough = EACH * (uint64_t)clients;
    return enough < drain / 4 ? enough : drain / 4;
}

/* The part to which a client belongs: the kernel numbers sockets one after the other, so that all are of a size. */
static inline int stop_part(int fd) { return fd % STOP_PARTS; }

/* How many parts have been told when so much of it has passed. */
static inline int stop_parts_told(uint64_t passed, uint64_t spread)
{
    return passed >= spread ? STOP_PARTS : (int)(passed * STOP_PARTS / spread) + 1;
}

/* When to come back, in milliseconds: any in a range as long as the drain time. */
static inline uint64_t stop_retry(uint64_t retry, uint64_t drain)
{
    const uint64_t mixed = (uv_hrtime() * 0x9e3779b97f4a7c15u) >> 32;        /* Knuth's multiplicative hash, 32 bits of it */
    return retry + mixed * drain / UINT32_MAX;
}

#endif
