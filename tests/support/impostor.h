/* impostor.h - takes connections as a PostgreSQL server does, and gives each statement the answer that a test wants, however
 * little that has to do with it. */
#ifndef IMPOSTOR_H
#define IMPOSTOR_H

#include <stddef.h>

int  impostor_new(const char *answer, size_t length);        /* a thread, with one connection after the other; its port */
void impostor_end(void);                     /* once nobody is connected */

#endif
