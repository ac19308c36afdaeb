/* config_load.h - from the sources of settings to a config, and back to text.
 *
 * A flag beats the environment, which beats config.ini, which beats the default. The environment
 * has PORT, HOST, DATABASE_URL and WEB_CONCURRENCY, and TENK_SECTION_KEY for every key
 * (TENK_LIMITS_BODY), which beats those four. PORT and HOST change only their part of the first address
 * of server.listen that has one.
 * An empty variable is as good as none; an unknown one that begins with TENK_ is an error.
 * Values: whole numbers; durations 250ms 30s 5m 1h; sizes 512 64KiB 1MiB 1GiB; on off true false
 * yes no. config.ini in the repository shows every key with its default, and a test keeps it equal to
 * the table of settings.c.
 *
 *   config c;
 *   if (config_load(&c, &sources, stderr))
 *       return EXIT_CONFIG;                 the errors are on stderr, one a line
 *   ...
 *   config_free(&c); */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config.h"

#include <stdio.h>

/* A setting on the command line. */
typedef struct config_flag {
    const char *name;                        /* --listen */
    const char *section, *key;               /* server, listen */
    const char *value;
} config_flag;

enum { CONFIG_FLAGS = 8 };                   /* as many settings have a flag, at most */

/* All of it must outlive config_load only. */
typedef struct config_sources {
    const char  *file;                       /* must exist; NULL: config.ini, if there is one */
    char *const *environment;                /* environ, or NULL for none */
    config_flag  flags[CONFIG_FLAGS];        /* the later of two for one setting wins */
    int          flag_count;
} config_sources;

/* 0, or UV_EINVAL after a line on errors for everything wrong in any of the sources, even for a
 * value that a better source replaces: "config.ini:12: [limits] body: '12x' is not a size (...)".
 * Of lines that are neither [section] nor key = value only the first is named. No line shows a
 * secret. On an error *c is untouched. */
int  config_load(config *c, const config_sources *sources, FILE *errors);
void config_free(config *c);

/* Writes all settings as a config.ini that loads as the same config (but for secrets, which are
 * masked), each with where it came from in a comment; what auto has become is there too. */
void config_print(const config *c, FILE *out);

#endif
