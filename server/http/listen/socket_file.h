/* socket_file.h - the name of a unix socket (unix(7)): a file, or "@name" of the abstract namespace, which leaves none behind.
 *
 * A server that was killed leaves its file behind. That is taken away if it is a socket at which nobody listens; any other file,
 * and one at which somebody does, is left alone, and an error. */
#ifndef HTTP_SOCKET_FILE_H
#define HTTP_SOCKET_FILE_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

typedef struct socket_file {
    char  path[sizeof((struct sockaddr_un *)0)->sun_path];     /* "": there is none */
    dev_t device;                            /* by these one of another server is told from it: as long as the socket is open, */
    ino_t inode;                             /* the number is not given again */
} socket_file;

/* The address of that path, which fits; a is filled in: its length. */
socklen_t socket_file_address(const char *path, struct sockaddr_un *a);

/* Binds the socket, which listens from then on: those that start at the same time would else take it for a stale one. The
 * file gets that mode, -1: what the umask leaves; at no time may anybody connect whom that does not let in. 0, or an error
 * after saying in why what is wrong. */
int  socket_file_bind(socket_file *f, int fd, const char *path, int mode, int backlog, char *why, size_t size);

/* The same of a file that another process has made, for a socket that it has given to this one. */
void socket_file_adopt(socket_file *f, const char *path);

/* Before the socket is closed: if it is there, and still the one that was made. */
void socket_file_remove(socket_file *f);

#endif
