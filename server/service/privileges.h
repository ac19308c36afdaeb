/* privileges.h - who tenk is: root may start it, to bind a port below 1024 or to read a file of its own, but does not serve. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/* Becomes that user, a name or a number, for good: with its group, its supplementary groups, and no capability. 0, or an error
 * after saying in why what is wrong: there is no such user; UV_EPERM: this process is neither root nor that user. Before any
 * other thread. */
int  privileges_drop(const char *user, char *why, size_t size);

bool privileges_are_roots(void);             /* is it root? */
void privileges_gain_no_more(void);          /* no program that is started from here on has more of them (no_new_privs) */

#endif
