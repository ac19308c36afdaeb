/* service_manager.h - what systemd, or whoever speaks as it does, gives a service and is told by it.
 *
 * The protocols are a few variables of the environment and one datagram, and promised to stay as they are: sd_listen_fds(3),
 * sd_notify(3), sd_watchdog_enabled(3). libsystemd, which speaks them too, would bring three compressors and a crypto library
 * into the image for that.
 *
 *   Threads.  service_manager_begin is for main, before any other; service_notify for any. */
#ifndef SERVICE_MANAGER_H
#define SERVICE_MANAGER_H

#include <stdint.h>

/* Takes what it left in the environment, so that no process that is started from here takes it for its own: listening
 * sockets, which go to listening_sockets.h, and where it wants to be told what. A variable that makes no sense is as good as
 * none; a descriptor that is no listening stream socket is closed, and said on standard error. */
void service_manager_begin(void);

/* Lines of NAME=VALUE, as sd_notify(3) lists them. Nothing if nobody listens. */
void service_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "RELOADING=1", with the time that systemd orders it by; READY=1 ends it. */
void service_notify_reloading(void);

/* How often it has to be told WATCHDOG=1, in milliseconds: half of the time that it allows; 0: it need not. */
uint64_t service_watchdog_ms(void);

#endif
