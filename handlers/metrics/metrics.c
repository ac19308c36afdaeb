/* metrics.c - GET /metrics: all that is counted, as Prometheus reads it (exposition.h). docs/metrics.md says what each is. */
#include "metrics.h"
#include "handlers/handlers.h"
#include "server/async/task.h"
#include "server/executor/executor.h"

static const metric_family *const SUBJECTS[] = {
    METRICS_OF_HTTP, METRICS_OF_TOPICS, METRICS_OF_LOOPS, METRICS_OF_DATABASE, METRICS_OF_WORK, METRICS_OF_PROCESS,
};

text metrics_labels_of(metrics_page *p, const char *label)
{
    char method[16] = "";
    const char *const space = strchr(label, ' ');
    if (!space || (size_t)(space - label) >= sizeof method)
        return exposition_labels(&p->e, "method", "", "route", label, NULL);
    memcpy(method, label, (size_t)(space - label));
    return exposition_labels(&p->e, "method", method, "route", space + 1, NULL);
}

int metrics_names(metrics_page *p, shard_kind kind, const name_sums **names)
{
    name_sums *const room = arena_room(p->e.text.arena, (SHARD_NAMES + 1) * sizeof *room);
    *names = room;
    return shard_sum_names(kind, room);
}

static int look_at_process(void *arg)
{
    *(process_figures *)arg = process_figures_take();
    return 0;
}

/* Where there is much to do, the figures of the process are what one can do without. */
async int metrics(request *req)
{
    process_figures process;
    metrics_page p = { .process = &process };
    const int err = await(run_in_executor(EXECUTOR_FILES, look_at_process, &process));
    if (err == UV_ECANCELED || err == UV_ETIMEDOUT)
        return err;
    if (err)
        p.process = NULL;
    exposition_init(&p.e, request_arena(req));
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof *SUBJECTS; i++)
        for (const metric_family *f = SUBJECTS[i]; f->is.name; f++) {
            exposition_begin(&p.e, &f->is);
            f->write(&p);
        }
    respond_header(req, "Cache-Control", "no-store");
    return respond(req, 200, EXPOSITION_TYPE, buffer_all(&p.e.text));
}
