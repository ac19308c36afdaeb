/* version.h - what tenk is made of. */
#ifndef VERSION_H
#define VERSION_H

#include <stdio.h>

/* A line for tenk, then one for each library: the version that is running where it can tell, else
 * the one it was built with. */
void version_print(FILE *out);

#endif
