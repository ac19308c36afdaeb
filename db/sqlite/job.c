/* job.c - see job.h. */
#include "job.h"
#include "server/base/memory.h"

#include <assert.h>
#include <string.h>

enum { KEEP_TEXTS = 16 * 1024 };

void sqlite_job_list_add(sqlite_job_list *l, sqlite_job *j)
{
    j->next = NULL;
    j->prev = l->last;
    if (l->last)
        l->last->next = j;
    else
        l->first = j;
    l->last = j;
    l->count++;
}

void sqlite_job_list_remove(sqlite_job_list *l, sqlite_job *j)
{
    if (j->prev)
        j->prev->next = j->next;
    else
        l->first = j->next;
    if (j->next)
        j->next->prev = j->prev;
    else
        l->last = j->prev;
    j->next = j->prev = NULL;
    l->count--;
}

sqlite_job *sqlite_job_new(void) { return mem_alloc(sizeof(sqlite_job)); }

void sqlite_job_free(sqlite_job *j)
{
    sqlite_result_done(&j->result);
    mem_free(j->texts);
    mem_free(j);
}

static char *texts_room(sqlite_job *j, size_t need)
{
    if (need > KEEP_TEXTS)
        return arena_room(j->arena, need);
    if (need > j->texts_size) {
        mem_free(j->texts);
        j->texts = mem_resize(NULL, need);
        j->texts_size = need;
    }
    return j->texts;
}

void sqlite_job_copy_parameters(sqlite_job *j, int n, const value parameters[])
{
    size_t need = 0;
    for (int i = 0; i < n; i++)
        if (parameters[i].type == VALUE_TEXT)
            need += parameters[i].text.length;
    char *to = texts_room(j, need);
    for (int i = 0; i < n; i++) {
        j->parameters[i] = parameters[i];
        if (parameters[i].type != VALUE_TEXT)
            continue;
        const size_t length = parameters[i].text.length;
        j->parameters[i].text.at = length ? memcpy(to, parameters[i].text.at, length) : "";
        to += length;
    }
    j->count = n;
}

const value *sqlite_values_copy(arena *a, int n, const value values[])
{
    value *copies = arena_room(a, (size_t)n * sizeof *copies);
    for (int i = 0; i < n; i++) {
        copies[i] = values[i];
        if (values[i].type == VALUE_TEXT)
            copies[i].text.at = arena_copy(a, values[i].text);
    }
    return copies;
}

static void free_result(void *r) { sqlite_result_done(r); }

void sqlite_job_transact(sqlite_job *j, arena *a, int count, const db_step steps[])
{
    db_step *own = arena_room(a, (size_t)count * sizeof *own);
    for (int i = 0; i < count; i++) {
        own[i] = steps[i];
        own[i].parameters = sqlite_values_copy(a, steps[i].n, steps[i].parameters);
    }
    j->steps = own;
    j->step_count = count;
    j->results = arena_alloc(a, (size_t)count * sizeof *j->results);
    for (int i = 0; i < count; i++) {
        assert(steps[i].n <= MAX_PARAMETERS);
        arena_defer(a, free_result, &j->results[i]);
    }
}

void sqlite_job_give_steps(const sqlite_job *j)
{
    for (int i = 0; i < j->step_count; i++) {
        sqlite_result *r = &j->results[i];
        const db_step *s = &j->steps[i];
        if (s->out)
            *s->out = (rows){ r->count, r->columns, r, &sqlite_rows_driver, s->statement->columns };
    }
}

void sqlite_job_tell(const sqlite_job *j, channels *heard)
{
    if (j->err && j->err != ERR_UNCERTAIN)
        return;
    for (int i = 0; i < (j->steps ? j->step_count : 1); i++)
        channels_tell(heard, (j->steps ? j->steps[i].statement : j->statement)->tells);
}

const statement *sqlite_steps_statement(int count, const db_step steps[])
{
    int i = 0;
    while (i < count - 1 && steps[i].statement->reads)
        i++;
    return steps[i].statement;
}

FOR_WATCHERS void sqlite_job_record_sent(const sqlite_job *j, uint8_t lane)
{
    const uint64_t now = recorder_clock();
    recorder_add_detail(&(record){ now, now, j->statement->name, 0, promise_origin_of(j->promise).label, RECORD_QUERY_SENT,
                                   lane });
}

FOR_WATCHERS void sqlite_job_record_run(const sqlite_job *j, int err)
{
    recorder_add_detail(&(record){ j->began, j->ended, j->statement->name, err, promise_origin_of(j->promise).label,
                                   RECORD_QUERY_RAN, j->lane });
}
