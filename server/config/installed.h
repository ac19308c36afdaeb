/* installed.h - where the files are that came with this program. */
#ifndef INSTALLED_H
#define INSTALLED_H

#include <stddef.h>

/* The folder share/tenk/static beside the one that the program's file is in: of the /usr/local/bin/tenk
 * that make install put there, /usr/local/share/tenk/static. So an installation may be moved as a whole.
 * Where that is missing, the folder static beside the last folder build on the way to the file, for a program
 * that is where it was built. 0; or UV_ENOENT if there is neither, or if path, of that size, cannot hold it. */
int installed_static(char *path, size_t size);

/* The same for a program whose file is at program. */
int installed_beside(const char *program, char *path, size_t size);

#endif
