/* loop_events.c - see loop_events.h. */
#include "server/async/observe/loop_events.h"

const char *const LOOP_PHASE_NAMES[LOOP_PHASES] = { "timers", "pending", "idle", "prepare", "poll", "check", "closing" };
const char *const LOOP_LIST_NAMES[LOOP_LISTS] = { "next tick", "ready", "turn end", "immediate" };
