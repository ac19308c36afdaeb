/* settings.h - the table of all settings: the one place that knows their names, types, ranges and
 * defaults. config.ini, the environment, the flags and --print-config all go by it. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "config.h"

#include <stdio.h>

typedef enum setting_type {
    SETTING_TEXT,                            /* char * */
    SETTING_ADDRESS,                         /* char *, which address_parse understands */
    SETTING_ENDPOINTS,                       /* char *, a list as endpoint.h has it */
    SETTING_NETWORKS,                        /* the same of network_list.h */
    SETTING_URL,                             /* char *, shown only as redaction_mask leaves it */
    SETTING_NUMBER,                          /* int */
    SETTING_SIZE,                            /* size_t, bytes */
    SETTING_DURATION,                        /* uint64_t, milliseconds */
    SETTING_RATIO,                           /* double, 0 to 1 */
    SETTING_SWITCH,                          /* bool */
    SETTING_CHOICE,                          /* an enum: the place among the choices */
} setting_type;

typedef struct setting {
    const char        *section, *key;
    size_t             offset;               /* in a config */
    setting_type       type;
    const char        *low, *high;           /* of a number, size or duration, both allowed */
    const char *const *choices;              /* ends with NULL */
    const char        *initial;              /* the default, as one would write it */
    int              (*automatic)(const config *c);          /* what "auto" is; NULL: not allowed */
    char            *(*automatic_text)(void);                /* the same of a text; it lives for ever */
    bool               live;                 /* it can be changed while tenk runs: by SIGHUP (config_reload.h) */
    const char        *why;                  /* one line for people */
} setting;

typedef struct setting_section {
    const char *name;
    const char *about;
} setting_section;

/* Settings of one section stand together, in the order of SETTING_SECTIONS. "auto" is worked out in the
 * order of the table, so it may depend on what stands above it. */
extern const setting_section SETTING_SECTIONS[];
extern const setting SETTINGS[];
extern const int     SETTING_SECTION_COUNT, SETTING_COUNT;

bool           setting_section_known(const char *name);
const setting *setting_find(const char *section, const char *key);     /* NULL: there is none */

/* Reads text as the value of s, into c. 0, or UV_EINVAL after saying in why what is wrong with it.
 * c keeps a pointer to text if s is text. "auto" is left to setting_resolve. */
int  setting_store(const setting *s, config *c, char *text, char *why, size_t size);

/* Works out s, which was given as "auto". */
void setting_resolve(const setting *s, config *c);

/* Copies the value of s; a text is both's then. */
void setting_copy(const setting *s, config *to, const config *from);

bool setting_may_be_auto(const setting *s);

/* Writes the value of a setting that may be auto: a whole number, a switch or a text. */
void setting_write(const setting *s, const config *c, FILE *out);

#endif
