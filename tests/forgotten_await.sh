#!/bin/sh
# forgotten_await.sh - the classic mistake, to start something and forget to await it, must not
# compile; the same with its await must. Tried with $CC, and with gcc and clang where they are.
cd "$(dirname "$0")/.." || exit 1
failed=0

compiles() {                                 # compiles COMPILER STATEMENT
    $1 -std=gnu17 -I. -D_GNU_SOURCE -Wall -Werror=unused-result -x c -c -o /dev/null - 2>/dev/null <<END
#include "server/async/task.h"
#include "server/async/chain.h"
#include "server/async/combine.h"
#include "server/async/lane.h"
#include "server/async/processes.h"
#include "server/async/semaphore.h"
#include "server/async/threads.h"
#include "server/async/timing.h"
#include "db/db.h"
int body(db *db, arena *a, rows *rows, const statement *s, semaphore *line, task *t,
         int (*fn)(void *), promise *(*next)(void *));
int body(db *db, arena *a, rows *rows, const statement *s, semaphore *line, task *t,
         int (*fn)(void *), promise *(*next)(void *))
{
    (void)db, (void)a, (void)rows, (void)s, (void)line, (void)t, (void)fn, (void)next;
    $2;
    return 0;
}
END
}

for compiler in $(printf '%s\n' "${CC:-gcc}" gcc clang | sort -u); do
    command -v "$compiler" >/dev/null || continue
    while read -r start; do
        if compiles "$compiler" "$start"; then
            echo "$compiler lets one forget to await $start" >&2
            failed=1
        fi
        if ! compiles "$compiler" "return await($start)"; then
            echo "$compiler refuses to await $start" >&2
            failed=1
        fi
    done <<END
sleep_for(1)
with_timeout(sleep_for(1), 2)
gather(sleep_for(1), sleep_for(2))
race(sleep_for(1), sleep_for(2))
then(sleep_for(1), next, NULL)
task_start("name", fn, NULL)
task_run(t, fn, NULL)
in_thread(fn, NULL)
in_lane(LANE_CPU, fn, NULL)
lane_enter(LANE_FILES)
in_process(NULL, TEXT(""), 0, a, NULL)
semaphore_enter(line)
promise_new(NULL, NULL)
promise_settled(0)
db_query(db, a, NULL, rows, s, 0, NULL)
db_close(db)
END
done
exit $failed
