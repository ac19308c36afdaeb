/* config_reload.h - another configuration for a server that runs.
 *
 * The sources are read again, as config_load does. What is live (settings.h) holds as they say now; all else stays as it is,
 * and is told if it should be otherwise: that takes a restart. */
#ifndef CONFIG_RELOAD_H
#define CONFIG_RELOAD_H

#include "config_load.h"
#include "settings.h"

/* Told of each setting that is written differently now; not of what follows from another by "auto". before and now are
 * masked if they may hold a password. */
typedef void config_change(void *arg, const setting *s, const char *before, const char *now);

/* Makes *c of the sources and of old, which stays as it is and must outlive *c, for some texts are both's. 0, or what
 * config_load returns: then *c is untouched. */
int config_reload(config *c, const config *old, const config_sources *sources, FILE *errors, config_change *changed, void *arg);

#endif
