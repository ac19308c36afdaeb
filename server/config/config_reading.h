/* config_reading.h - what config_load.c shares with the readers of its sources: config_file.c and environment.c. */
#ifndef CONFIG_READING_H
#define CONFIG_READING_H

#include "settings.h"

#include <stdio.h>

typedef struct config_origin {
    char *text;                              /* trimmed; owned, and text members point to it */
    char *source;                            /* default, config.ini:12, PORT, --listen; owned */
} config_origin;

typedef struct reading {
    config *config;
    FILE   *errors;
    int     error_count;
} reading;

/* Gives s a value, from now on. A value that is wrong is reported, and the one before stays. */
void reading_set(reading *r, const setting *s, const char *value, const char *source);

/* One line on errors: "source: ...". */
void reading_error(reading *r, const char *source, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

config_origin *reading_origin(const config *c, const setting *s);

void config_read_file(reading *r, const char *path, bool must_exist);
void config_read_environment(reading *r, char *const environment[]);

#endif
