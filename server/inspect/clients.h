/* clients.h - requests that have no task, and the threads of threads mode: added to a snapshot. */
#ifndef INSPECT_CLIENTS_H
#define INSPECT_CLIENTS_H

#include "waits.h"

void clients_read(snapshot *s, waits *w);

#endif
