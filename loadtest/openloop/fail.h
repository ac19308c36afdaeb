/* fail.h - says why there can be no result, and ends the program. */
#ifndef FAIL_H
#define FAIL_H

#include <stdio.h>
#include <stdlib.h>

#define fail(...) (fprintf(stderr, "load: " __VA_ARGS__), fputc('\n', stderr), exit(1))

#endif
