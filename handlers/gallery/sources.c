/* sources.c - see sources.h. */
#include "sources.h"
#include "gallery.h"
#include "server/base/embed.h"

/* By the words that are linked to each. */
#define EACH_SOURCE(source) \
    source(task_h, "server/async/task.h", "async await task_start task_yield task_running") \
    source(promise_h, "server/async/promise.h", "promise_new promise_settle promise_settled promise_cancel when_settled") \
    source(combine_h, "server/async/combine.h", \
            "gather all_settled race any promise_gather promise_all_settled promise_race promise_any") \
    source(chain_h, "server/async/chain.h", "then catch finally") \
    source(either_h, "server/async/either.h", "either time_source") \
    source(timing_h, "server/async/timing.h", "sleep_for with_timeout with_deadline") \
    source(semaphore_h, "server/async/semaphore.h", "semaphore_new semaphore_enter semaphore_leave semaphore_free") \
    source(queue_h, "server/async/queue.h", \
            "queue_new queue_push queue_pop queue_close queue_free queue_join") \
    source(background_h, "server/async/background.h", \
            "background_new background_start background_join background_failed background_free background_stop") \
    source(schedule_h, "server/async/schedule.h", "next_tick queue_microtask set_timeout set_immediate") \
    source(trace_h, "server/async/trace.h", "track_begin track_end track_mark trace_root") \
    source(thread_pool_h, "server/executor/thread_pool.h", "in_thread") \
    source(process_pool_h, "server/executor/process/process_pool.h", "in_process") \
    source(file_h, "server/executor/file.h", "file_read file_write") \
    source(client_h, "server/http/client/client.h", "http_fetch http_get http_post") \
    source(topic_h, "server/topic/topic.h", "topic_open topic_close topic_publish") \
    source(subscription_h, "server/topic/subscription.h", \
            "topic_subscribe subscription_receive subscription_end subscription_source") \
    source(site_h, "handlers/site.h", "query site_query site_render") \
    source(replica_h, "handlers/replica.h", "replica_open replica_query replica_give_back") \
    source(jobs_c, "handlers/jobs.c", "") \
    source(pattern_h, "handlers/gallery/patterns/pattern.h", \
            "step mark plot figure_is slow_query block_for spin_for run_alloc own_address run_topic run_track") \
    source(pattern_c, "handlers/gallery/patterns/pattern.c", "") \
    source(letter_h, "handlers/gallery/patterns/letter.h", \
            "letter_new letter_to letter_render letter_apologize letter_send letter_init") \
    source(letter_c, "handlers/gallery/patterns/letter.c", "") \
    source(mirrors_h, "handlers/gallery/patterns/mirrors.h", "mirrors_set_up") \
    source(mirrors_c, "handlers/gallery/patterns/mirrors.c", "") \
    source(loopback_h, "handlers/gallery/patterns/loopback.h", \
            "loopback_open loopback_close loopback_send loopback_receive loopback_source") \
    source(loopback_c, "handlers/gallery/patterns/loopback.c", "")

#define EMBED_SOURCE(name, file, declares) EMBED(name, file);
EACH_SOURCE(EMBED_SOURCE)

#define LIST_SOURCE(name, file, declares) { file, name, declares },
static const source_file SOURCES[] = { EACH_SOURCE(LIST_SOURCE) };
enum { SOURCE_COUNT = sizeof SOURCES / sizeof SOURCES[0] };

int source_word(const source_file *f, text word)
{
    const char *at = f->words;
    for (int i = 0; word.length > 0 && *at; i++) {
        const size_t n = strcspn(at, " ");
        if (n == word.length && memcmp(at, word.at, n) == 0)
            return i;
        at += n + (at[n] == ' ');
    }
    return -1;
}

const source_file *source_declaring(text word)
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (source_word(&SOURCES[i], word) >= 0)
            return &SOURCES[i];
    return NULL;
}

bool source_find(text path, source_file *f)
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (text_equal(path, text_of(SOURCES[i].path))) {
            *f = SOURCES[i];
            return true;
        }
    for (int i = 0; i < PATTERN_COUNT; i++)
        if (text_equal(path, text_of(PATTERNS[i]->file))) {
            *f = (source_file){ PATTERNS[i]->file, PATTERNS[i]->source, "" };
            return true;
        }
    return false;
}
