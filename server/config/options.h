/* options.h - the command line.
 *
 *   options o;
 *   if (options_parse(&o, argc, argv, stderr))
 *       return EXIT_USAGE;
 *
 * What sets a setting goes to config_load as it is, in o.sources; the rest says what to do. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "config_load.h"

#include <stdio.h>

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };   /* beside EXIT_SUCCESS and EXIT_FAILURE */

typedef enum action {
    ACTION_SERVE,                            /* nothing else was asked for */
    ACTION_TEST_CONFIG,
    ACTION_PRINT_CONFIG,
    ACTION_HEALTHCHECK,
    ACTION_INIT_DB,
    ACTION_RELOAD,
    ACTION_STOP,
    ACTION_VERSION,
    ACTION_HELP,
} action;

typedef struct options {
    action         action;
    config_sources sources;                  /* file and flags; the environment is the caller's */
} options;

/* 0, or UV_EINVAL after saying on errors what is wrong and where help is: an unknown or ambiguous
 * flag, a missing or needless argument, an operand, two different actions. Asking for help or the
 * version is never an error, whatever comes after it. Views of argv are kept; argv may be reordered. */
int  options_parse(options *o, int argc, char *argv[], FILE *errors);

void options_help(FILE *out);                /* 80 columns */

#endif
