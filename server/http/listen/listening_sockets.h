/* listening_sockets.h - the sockets on which this process listens, and those that it was given instead of opening them itself.
 *
 * To close a listening socket resets all who wait in its queue. So a server that is replaced hands the socket itself on, the same
 * open file description: systemd keeps it for the next one (service_manager.h), or one tenk sends it to the next (handover.h).
 * While another process has it, too, nobody is lost when it is closed here.
 *
 *   Ownership.  All descriptors that are listed here are the list's, and closed by listening_socket_close.
 *   Threads.    For any. */
#ifndef HTTP_LISTENING_SOCKETS_H
#define HTTP_LISTENING_SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>

typedef enum listening_socket_source {
    LISTENING_OPENED,                        /* by this process: nobody else has it yet */
    LISTENING_SHARED,                        /* another descriptor of one that is listed as well */
    LISTENING_FROM_TENK,                     /* from the one before this; it closes its own */
    LISTENING_FROM_MANAGER,                  /* which keeps it, for the next one; it stands for whatever address was configured */
} listening_socket_source;

/* It listens, or is about to. Of those that were given the list has them until they are taken. */
void listening_sockets_add(int fd, listening_socket_source source);

/* Those that were given and listen at that address, or if it has port 0, at any port of it; or else those of the manager. How
 * many; the caller frees *fds with mem_free. None is given out twice. */
int  listening_sockets_take(const struct sockaddr *at, socklen_t length, int **fds);

/* Closes those that were given and that nobody has taken: how many. */
int  listening_sockets_close_untaken(void);

void listening_socket_close(int fd);
bool listening_socket_stays(int fd);         /* has another process it as well, so that its queue is not lost? */

/* Calls send with all, once, while none of them can be closed. If it returns 0, all stay (listening_socket_stays) from
 * the moment of listening_sockets_set_handed_on. */
int  listening_sockets_send(int (*send)(void *arg, const int fds[], int count), void *arg);
void listening_sockets_set_handed_on(void);
bool listening_sockets_are_handed_on(void);

#endif
