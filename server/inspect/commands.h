/* commands.h - the commands that look at a server which runs: tenk ps, tenk top, tenk record.
 *
 *   if (argc > 1 && command_known(argv[1]))
 *       return command_run(argc - 1, argv + 1, stdout, stderr);
 *
 * They neither stop it nor ask it anything (target.h), and need no configuration. */
#ifndef INSPECT_COMMANDS_H
#define INSPECT_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

bool command_known(const char *word);

/* argv[0] is the command. The exit code: 0; 1 if the server could not be looked at, or which one is meant is not clear, and
 * errors says why; 2 for wrong words. */
int command_run(int argc, char *argv[], FILE *out, FILE *errors);

void commands_help(FILE *out);               /* a line for each */

#endif
