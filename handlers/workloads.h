/* workloads.h - every rendering of this site that is done on the loop or in the pool (server/executor/workload.h). */
#ifndef WORKLOADS_H
#define WORKLOADS_H

#include "server/executor/workload.h"

extern workload USERS_PAGE, USER_PAGE, POST_PAGE;            /* their units are bytes of HTML */

extern workload *const WORKLOADS[];
extern const int       WORKLOAD_COUNT;

#endif
