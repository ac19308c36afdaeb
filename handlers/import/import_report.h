/* import_report.h - what became of each line of an import: it is blank, stored, refused, missing or uncertain.
 *
 * Those refused are listed, the first thousand of them, with the reason. Those that a failure left behind are
 * listed as stretches, all of them; one may have refused or blank lines in it, but none that is stored. */
#ifndef IMPORT_REPORT_H
#define IMPORT_REPORT_H

#include "handlers/users/post.h"
#include "server/base/arena.h"

enum { IMPORT_REFUSALS_LISTED = 1000 };

typedef struct import_report {               /* { .arena = ... } is empty */
    arena                 *arena;
    uint64_t               lines, blank, stored, refused;
    struct import_refusal *refusals;         /* in the order of the lines */
    int                    listed;
    struct line_range     *missing, *uncertain;              /* the same */
} import_report;

void import_report_refuse(import_report *r, uint64_t line, const char *why);
void import_report_missing(import_report *r, uint64_t from, uint64_t to);          /* they are not stored */
void import_report_uncertain(import_report *r, uint64_t from, uint64_t to);        /* the connection broke under them */

/* That it is answered with: 200 if err is 0. No 503 if any line is uncertain, for that one would be asked to try again. */
int import_report_status(const import_report *r, int err);

/* The report as JSON. err is why the import ended early, or 0; then the JSON is a problem's (RFC 9457) too. */
text import_report_json(const import_report *r, int err);

/* Why it ended, or 0, in words. */
const char *import_report_reason(int err);

#endif
