/* workloads.c - see workloads.h. */
#include "workloads.h"

workload USERS_PAGE = { .name = "GET /users" },
         USER_PAGE  = { .name = "GET /users/:id" },
         POST_PAGE  = { .name = "GET /posts/:id" };

workload *const WORKLOADS[] = { &USERS_PAGE, &USER_PAGE, &POST_PAGE };
const int WORKLOAD_COUNT = sizeof WORKLOADS / sizeof WORKLOADS[0];
