/* progress.h - a bar on stderr that grows in place; nothing at all unless stderr is a terminal. */
#ifndef DB_PROGRESS_H
#define DB_PROGRESS_H

void progress_show(const char *what, int done, int whole);
void progress_clear(void);                   /* leaves the line as it was before the first show */

#endif
