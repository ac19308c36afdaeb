/* peer.h - who is at the other end of a connection, and whom it speaks for. */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include "forwarded.h"
#include "proxy_header.h"

/* Whose word counts, and which: the same for a whole server. */
typedef struct peer_trust {
    trusted      *proxies;                   /* NULL: nobody's */
    forwarded_way  way;
} peer_trust;

typedef struct peer {                        /* of a connection */
    int                 fd;
    const peer_trust   *trust;
    const proxy_header *told;                /* what the PROXY protocol has said; NULL: nothing */
    text                name;                /* its address, as client_name.h has it; "": the kernel is asked */
} peer;

/* The client of a request. */
typedef struct peer_client {
    int  family;                             /* AF_INET, with its address, of whatever version; AF_UNIX: it came by a unix */
    ip   address;                            /* socket, and no more is known; AF_UNSPEC: it has gone, and nobody knows */
    text scheme;                             /* "http", or "https" */
    text host;                               /* HOST or HOST:PORT, as it was asked for; a view into the head, or "" */
} peer_client;

bool        peer_is_trusted(const peer *p);  /* its own word: what it says by the PROXY protocol, before there is a head */
text        peer_find_host(const peer *p, const char *at, const header headers[], int count);     /* its host alone */
peer_client peer_find_client(const peer *p, const char *at, const header headers[], int count);

/* Its address in letters: "192.0.2.1", "2001:db8::1"; "unix:"; "": it has gone. A view of room, or of what lives as long. */
text        peer_client_write(const peer_client *c, char room[IP_TEXT]);

/* The same of who has sent a head: where nobody's word counts, and the name is there, that. */
text        peer_find_name(const peer *p, const char *at, const header headers[], int count, char room[IP_TEXT]);

#endif
