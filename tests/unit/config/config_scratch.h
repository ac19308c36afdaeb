/* config_scratch.h - what the tests of config share: a folder of their own, a file in it, and
 * a config that is loaded again and again. */
#ifndef CONFIG_SCRATCH_H
#define CONFIG_SCRATCH_H

#include "server/config/config_load.h"
#include "server/config/settings.h"

extern char   folder[32], file[64];          /* file is in folder; a test may write it */
extern config c;                             /* a test that loads it frees it */
extern char  *said;                          /* what the last config_load wrote */

void scratch_make(void);
void scratch_remove(void);

void  write_bytes(const char *bytes, size_t length);         /* to file */
int   load(const config_sources *sources);
int   load_text(const char *text);                           /* as file */
int   load_environment(char *const environment[]);
char *printed(void);                                         /* what config_print writes; free it */

/* Assertions. */
void prints(const char *line);               /* white space before its comment does not count */
void refuses(const char *text, const char *lines);           /* each is "LINE: what is wrong" */
void refuses_bytes(const char *text, size_t length, const char *lines);

#endif
