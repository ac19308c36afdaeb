/* layout.c - see layout.h. */
#include "layout.h"
#include "server/base/list.h"

/* The linker's names for the ends of the section. */
extern const layout_entry __start_tenk_layout[] __attribute__((visibility("hidden"))); /* NOLINT(bugprone-reserved-identifier) */
extern const layout_entry __stop_tenk_layout[] __attribute__((visibility("hidden")));  /* NOLINT(bugprone-reserved-identifier) */

/* Lists are in headers alone, and there is such a section in any program. */
static const layout_entry LIST_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_FIELD("node.next", list_node, next),
    LAYOUT_FIELD("node.link", list_node, link),
};

__attribute__((used)) const layout_root LAYOUT_ROOT = {
    .magic = LAYOUT_MAGIC, .version = LAYOUT_VERSION, .entry_size = sizeof(layout_entry),
    .first = __start_tenk_layout, .end = __stop_tenk_layout, .program = "tenk " TENK_VERSION,
};
