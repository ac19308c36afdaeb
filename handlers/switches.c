/* switches.c - what can be changed while the server runs, for [admin] listen:
 *
 *   GET  /log/level    info
 *   PUT  /log/level    its body is the new one: error, warning, info or debug; until the server ends
 *   POST /recordings   what each loop did last is written to [log] recordings, as on SIGUSR1 */
#include "handlers.h"
#include "server/base/log.h"
#include "server/base/observe/recorder.h"

#include <stdio.h>

static const char *const LEVELS[] = { "error", "warning", "info", "debug" };

int log_level_look(request *req)
{
    char line[16];
    const int length = snprintf(line, sizeof line, "%s\n", LEVELS[log_level_now()]);
    respond_header(req, "Cache-Control", "no-store");
    return respond(req, 200, "text/plain", (text){ line, (size_t)length });
}

int log_level_change(request *req)
{
    const text wanted = text_trim(request_body(req));
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
        if (text_equal(wanted, text_of(LEVELS[level]))) {
            log_set_level((log_level)level);
            log_info("the log's level is %s from now on", LEVELS[level]);
            return respond_nothing(req, 204);
        }
    return respond_problem(req, 422, "The body must be error, warning, info or debug.");
}

int recording_ask(request *req)
{
    recorder_ask();
    return respond(req, 202, "text/plain", TEXT("It is written to [log] recordings.\n"));
}
