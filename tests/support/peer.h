/* peer.h - another server to ask, on threads of its own, that answers well or badly, as it is asked to.
 *
 *     /hello           "hello", and the connection stays
 *     /echo            the request itself, head and body
 *     /status/N        an answer of that status, which is a redirection to /hello
 *     /big/N           so many bytes
 *     /chunked         in chunks, after a 100, and with a trailer
 *     /endless         chunks without end
 *     /heads           headers without end
 *     /gate            what peer_open lets through, then as /hello
 *     /drip            a head and a part of the body, and the rest as /gate
 *     /last            as /hello; the next request on that connection finds it closed
 *     /half /cut       closed in the midst of a body, of known length or in chunks
 *     /nothing /reset  closed, or reset, without a word
 *     /nonsense        no HTTP */
#ifndef PEER_H
#define PEER_H

void        peer_start(void);
void        peer_stop(void);                 /* whoever asks now is refused */
const char *peer_url(const char *path);      /* good until some more have been asked for */
const char *peer_url_at(const char *host, const char *path);     /* host: "http://some.test" */
void        peer_open(int n);                /* the gate, for so many */
int         peer_connections(void);          /* so far */
int         peer_requests(void);             /* so far */
int         peer_waiting(void);              /* at the gate, now */
int         peer_most(void);                 /* and at once, at most */

/* A server that takes no connections, though it does not refuse them. */
const char *peer_deaf_url(void);

/* From now on names that end in .test are looked up here: "slow..." takes until peer_answer_look_ups, and
 * is then 127.0.0.1, as all others are but "no...", which nobody is called. */
void        peer_answer_look_ups(void);
int         peer_look_ups(void);             /* under way */

#endif
