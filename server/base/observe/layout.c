/* layout.c - see layout.h. */
#include "layout.h"

/* The linker's names for the ends of the section. */
extern const layout_entry __start_tenk_layout[] __attribute__((visibility("hidden"))); /* NOLINT(bugprone-reserved-identifier) */
extern const layout_entry __stop_tenk_layout[] __attribute__((visibility("hidden")));  /* NOLINT(bugprone-reserved-identifier) */

/* So that there is such a section in any program. */
static const layout_entry OWN_LAYOUT[] LAYOUT_ENTRIES = { LAYOUT_SIZE("layout", layout_root) };

__attribute__((used)) const layout_root LAYOUT_ROOT = {
    .magic = LAYOUT_MAGIC, .version = LAYOUT_VERSION, .entry_size = sizeof(layout_entry),
    .first = __start_tenk_layout, .end = __stop_tenk_layout, .program = "tenk " TENK_VERSION,
};
