/* test_inspect.c - a process is seen from outside: what its tasks await, while its loop is stuck; and what cannot be seen. */
#include "server/async/task.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/list.h"
#include "server/base/reserve.h"
#include "server/inspect/commands.h"
#include "server/inspect/snapshot.h"
#include "subject.h"
#include "tests/support/skipped.h"
#include "tests/unit/suites.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

enum { MANY = RESERVE_NOTHING ? 500 : 10000 };

static char why[512];

/* What a command printed, and its errors behind it. */
static char *printed;
static int   code;

static void run(const char *command, const char *first, const char *second)
{
    char words[3][32];
    char *argv[] = { words[0], words[1], words[2], NULL };
    size_t size;
    snprintf(words[0], sizeof words[0], "%s", command);
    snprintf(words[1], sizeof words[1], "%s", first ? first : "");
    snprintf(words[2], sizeof words[2], "%s", second ? second : "");
    free(printed);
    FILE *out = open_memstream(&printed, &size);
    code = command_run(1 + (first != NULL) + (second != NULL), argv, out, out);
    fclose(out);
}

static const char *number(pid_t process)
{
    static char text[16];
    snprintf(text, sizeof text, "%d", (int)process);
    return text;
}

static void says(const char *part) { ck_assert_msg(strstr(printed, part) != NULL, "no \"%s\" in: %.2000s", part, printed); }

/* Where other processes may not be looked into there is nothing to test. */
static target *open_or_skip(const char *test, const subject *s)
{
    target *t = NULL;
    const int err = target_open(&t, s->process, why, sizeof why);
    if (err == UV_EPERM)
        skipped(test, NEEDS_PTRACE);
    else
        ck_assert_msg(err == 0, "%s", why);
    return t;
}

START_TEST(all_tasks_of_a_loop_in_an_endless_callback_are_seen_and_it_goes_on)
{
    subject s = subject_start(MANY, NULL);
    target *t = open_or_skip(__func__, &s);
    snapshot seen;
    size_t sleepers = 0;
    if (t) {
        ck_assert_msg(snapshot_take(&seen, t, why, sizeof why) == 0, "%s", why);
        ck_assert(subject_goes_on(&s));
        ck_assert_uint_eq(seen.loop_count, 1);
        ck_assert(seen.loops[0].busy);
        ck_assert(seen.loops[0].whole);
        ck_assert_uint_eq(seen.loops[0].tasks, MANY + 2);
        for (size_t i = 0; i < seen.task_count; i++) {
            const seen_task *k = &seen.tasks[i];
            if (strcmp(k->name, "sleeper") != 0)
                continue;
            sleepers++;
            ck_assert_int_eq(k->state, SEEN_AWAITS);
            ck_assert_str_eq(seen.waits[k->awaits].maker, "sleep_for");
            ck_assert_ptr_nonnull(strstr(target_place(t, seen.waits[k->awaits].place), "subject.c:"));
        }
        ck_assert_uint_eq(sleepers, MANY);
        ck_assert_uint_lt(seen.took, 10000000000);           /* some ten milliseconds, if the machine has nothing else to do */
        snapshot_free(&seen);
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

START_TEST(a_task_knows_who_awaits_it_through_a_gather)
{
    subject s = subject_start(1, NULL);
    target *t = open_or_skip(__func__, &s);
    snapshot seen;
    int parent = -1, child = -1;
    if (t) {
        ck_assert_int_eq(snapshot_take(&seen, t, why, sizeof why), 0);
        for (int i = 0; i < (int)seen.task_count; i++) {
            if (strcmp(seen.tasks[i].name, "parent") == 0)
                parent = i;
            if (strcmp(seen.tasks[i].name, "child") == 0)
                child = i;
        }
        ck_assert(parent >= 0 && child >= 0);
        const seen_wait *all = &seen.waits[seen.tasks[parent].awaits];
        ck_assert_str_eq(all->maker, "promise_gather");
        ck_assert_int_eq(seen.waits[all->first].task, child);
        ck_assert_str_eq(seen.waits[seen.waits[all->first].next].maker, "sleep_for");
        ck_assert_int_eq(seen.tasks[child].parent, parent);
        ck_assert_int_eq(seen.tasks[parent].parent, -1);
        snapshot_free(&seen);
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

START_TEST(the_tree_has_what_is_awaited_below_who_awaits_it)
{
    subject s = subject_start(1, NULL);
    target *t = open_or_skip(__func__, &s);
    if (t) {
        run("ps", number(s.process), "--tree");
        ck_assert_int_eq(code, 0);
        says("\nloop 1: parent, ");
        says("awaits promise_gather() at tests/unit/inspect/subject.c:");
        says("\n  task_start() at tests/unit/inspect/subject.c:");
        says(" (task child): child, ");
        says("\n    sleep_for() at tests/unit/inspect/subject.c:");
        says("\n  sleep_for() at tests/unit/inspect/subject.c:");
        ck_assert_ptr_null(strstr(printed, "loop 1: child"));        /* it stands below its parent */
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

START_TEST(json_has_loops_tasks_and_what_they_await)
{
    subject s = subject_start(3, NULL);
    target *t = open_or_skip(__func__, &s);
    json_error_t error;
    if (t) {
        run("ps", "--json", number(s.process));
        ck_assert_int_eq(code, 0);
        json_t *all = json_loads(printed, 0, &error), *loops, *tasks, *task, *awaits = NULL;
        int pid, children = 0;
        size_t i;
        ck_assert_msg(all != NULL, "%s: %s", error.text, printed);
        ck_assert_int_eq(json_unpack(all, "{s:i, s:o, s:o}", "pid", &pid, "loops", &loops, "tasks", &tasks), 0);
        ck_assert_int_eq(pid, s.process);
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(loops, 0), "state")), "busy");
        ck_assert_uint_eq(json_array_size(tasks), 5);
        json_array_foreach(tasks, i, task) {
            ck_assert_str_eq(json_string_value(json_object_get(task, "state")), "awaits");
            children += json_is_string(json_object_get(task, "parent"));
            if (strcmp(json_string_value(json_object_get(task, "name")), "parent") == 0)
                awaits = json_object_get(task, "awaits");
        }
        ck_assert_int_eq(children, 1);
        ck_assert_str_eq(json_string_value(json_object_get(awaits, "maker")), "promise_gather");
        ck_assert_uint_eq(json_array_size(json_object_get(awaits, "parts")), 2);
        ck_assert(json_is_string(json_object_get(json_array_get(json_object_get(awaits, "parts"), 0), "task")));
        json_decref(all);
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

START_TEST(top_shows_the_loop_its_cpu_and_the_oldest_task)
{
    subject s = subject_start(1, NULL);
    target *t = open_or_skip(__func__, &s);
    if (t) {
        run("top", "--once", number(s.process));
        ck_assert_int_eq(code, 0);
        says("loop 1, thread ");
        says("has been busy for ");
        says("loop 1: CPU ");
        says("awaits sleep_for() at ");
        ck_assert(subject_goes_on(&s));
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

static void refuses(const char *test, void (*damage)(void), const char *part, const char *command)
{
    subject s = subject_start(1, damage);
    run(command, number(s.process), NULL);
    if (strstr(printed, "may not be looked at") || strstr(printed, "lets only root") || strstr(printed, "lets nobody")) {
        skipped(test, NEEDS_PTRACE);
    } else {
        ck_assert_int_eq(code, 1);
        says(part);
    }
    subject_end(&s);
}

/* How many events of that phase and category there are, and of that name, if it is not NULL. */
static int events(const json_t *trace, const char *phase, const char *category, const char *name)
{
    const json_t *event;
    size_t i;
    int count = 0;
    json_array_foreach(json_object_get(trace, "traceEvents"), i, event) {
        const char *its = json_string_value(json_object_get(event, "cat"));
        count += its && strcmp(its, category) == 0 && strcmp(json_string_value(json_object_get(event, "ph")), phase) == 0 &&
                 (!name || strcmp(json_string_value(json_object_get(event, "name")), name) == 0);
    }
    return count;
}

static json_t *recorded(const subject *s)
{
    json_error_t error;
    run("record", number(s->process), NULL);
    ck_assert_msg(code == 0, "%s", printed);
    json_t *trace = json_loads(printed, 0, &error);
    ck_assert_msg(trace != NULL, "%s: %.200s", error.text, printed);
    return trace;
}

START_TEST(what_tasks_did_is_recorded_and_what_goes_on_is_with_it)
{
    subject s = subject_start(4, NULL);
    target *t = open_or_skip(__func__, &s);
    if (t) {
        json_t *trace = recorded(&s);
        ck_assert_int_eq(events(trace, "X", "task", "sleeper"), 4);
        ck_assert_int_eq(events(trace, "X", "task", "parent"), 1);
        ck_assert_int_eq(events(trace, "X", "task", "child"), 1);
        ck_assert_int_eq(events(trace, "b", "goes on", "sleeper"), 4);
        ck_assert_int_eq(events(trace, "e", "goes on", NULL), events(trace, "b", "goes on", NULL));
        ck_assert(subject_goes_on(&s));
        json_decref(trace);
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

static void damage_recorder(void)
{
    memset(recorder_here->records, 0xff, 3 * sizeof recorder_here->records[0]);
    recorder_here->records[3].what = (const char *)8;
    recorder_here->records[4].label = 0xffff;
}

START_TEST(an_entry_that_makes_no_sense_is_passed_over)
{
    subject s = subject_start(7, damage_recorder);
    target *t = open_or_skip(__func__, &s);
    if (t) {
        json_t *trace = recorded(&s);
        ck_assert_int_eq(events(trace, "X", "task", NULL), 9 - 3);
        ck_assert_int_eq(events(trace, "X", "task", "?"), 1);
        json_decref(trace);
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

/* The newest entry says what the time is. */
static void damage_times(void)
{
    static const struct { const char *name; uint64_t seconds; } OLD[] = { { "ancient", 15 }, { "recent", 5 }, { "newest", 0 } };
    const uint64_t now = recorder_clock();
    for (size_t i = 0; i < sizeof OLD / sizeof OLD[0]; i++) {
        const uint64_t ended = now - recorder_ticks_of(OLD[i].seconds * 1000000000);
        recorder_add_here(RECORD_RUN, ended, ended, OLD[i].name, (record_for){ 0 }, 0);
    }
}

START_TEST(the_last_ten_seconds_are_told_of)
{
    subject s = subject_start(1, damage_times);
    target *t = open_or_skip(__func__, &s);
    if (t) {
        json_t *trace = recorded(&s);
        ck_assert_int_eq(events(trace, "X", "task", "ancient"), 0);
        ck_assert_int_eq(events(trace, "X", "task", "recent"), 1);
        ck_assert_int_eq(events(trace, "X", "task", "newest"), 1);
        json_decref(trace);
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

START_TEST(as_a_picture_it_is_whole_even_if_entries_make_no_sense)
{
    subject s = subject_start(7, damage_recorder);
    target *t = open_or_skip(__func__, &s);
    if (t) {
        const char *const end = "</svg>\n";
        run("record", number(s.process), "--svg");
        ck_assert_int_eq(code, 0);
        ck_assert(strncmp(printed, "<svg xmlns=", 11) == 0);
        ck_assert_str_eq(printed + strlen(printed) - strlen(end), end);
        ck_assert_ptr_nonnull(strstr(printed, ">subject, thread "));
        ck_assert_ptr_nonnull(strstr(printed, "how busy tasks kept it"));
        target_close(t);
    }
    subject_end(&s);
}
END_TEST

static void damage_end(void) { recorder_end(); }

START_TEST(without_a_recorder_it_is_said)
{
    refuses(__func__, damage_end, " has no recorder ([log] recorder)", "record");
}
END_TEST

/* What is damaged is this process's own, before it is stuck: it has come to this by a race, to the reader's eyes. */

static list *tasks_here(void) { return (list *)task_list(); }

static void damage_circle(void) { tasks_here()->first->next->next = tasks_here()->first; }
static void damage_pointer(void) { tasks_here()->first->next->next = (list_node *)8; }

static void damage_awaiting(void)
{
    for (const layout_entry *e = LAYOUT_ROOT.first; e < LAYOUT_ROOT.end; e++)
        for (const layout_entry *node = LAYOUT_ROOT.first; node < LAYOUT_ROOT.end; node++)
            if (strcmp(e->name, "task.awaiting") == 0 && strcmp(node->name, "task.node") == 0) {
                char *task = (char *)tasks_here()->first - node->offset;
                *(void **)(task + e->offset) = (void *)(uintptr_t)0x123456789000;
            }
}

static void sees_torn(const char *test, void (*damage)(void), bool whole)
{
    subject s = subject_start(5, damage);
    target *t = open_or_skip(test, &s);
    snapshot seen;
    if (t) {
        ck_assert_int_eq(snapshot_take(&seen, t, why, sizeof why), 0);
        ck_assert_int_eq(seen.loops[0].whole, whole);
        snapshot_free(&seen);
        run("ps", number(s.process), whole ? "--tree" : NULL);
        ck_assert_int_eq(code, 0);
        if (!whole)
            says("changed too fast");
        target_close(t);
    }
    subject_end(&s);
}

START_TEST(a_list_that_runs_in_a_circle_is_given_up)         { sees_torn(__func__, damage_circle, false); }
END_TEST
START_TEST(a_list_that_leads_nowhere_is_given_up)            { sees_torn(__func__, damage_pointer, false); }
END_TEST
START_TEST(a_promise_that_cannot_be_read_is_passed_over)     { sees_torn(__func__, damage_awaiting, true); }
END_TEST

/* Others than this program has. */

static void writable(const void *at)
{
    const uintptr_t page = (uintptr_t)at & ~(uintptr_t)4095;
    if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE))
        _exit(1);
}

static void damage_version(void)
{
    writable(&LAYOUT_ROOT);
    ++*(volatile uint32_t *)&LAYOUT_ROOT.version;            /* clang leaves out what is written to a constant otherwise */
}

static void damage_name(void)
{
    for (const layout_entry *e = LAYOUT_ROOT.first; e < LAYOUT_ROOT.end; e++)
        if (strcmp(e->name, "task.awaiting") == 0) {
            writable(e);
            ((char *)e->name)[0] = 'T';
        }
}

START_TEST(a_tenk_of_another_time_is_refused_in_words)
{
    refuses(__func__, damage_version, "is a tenk of another time, which this one does not understand: /proc/", "ps");
}
END_TEST

START_TEST(a_tenk_that_lacks_something_is_refused_by_its_name)
{
    refuses(__func__, damage_name, "does not know where it has task.awaiting", "ps");
}
END_TEST

START_TEST(what_is_no_process_or_no_tenk_is_said)
{
    run("ps", "2147483647", NULL);
    ck_assert_int_eq(code, 1);
    says("there is no process 2147483647");

    const pid_t other = fork();
    if (other == 0) {
        execlp("sleep", "sleep", "1000", (char *)NULL);
        _exit(127);
    }
    char path[64], program[256] = "";
    snprintf(path, sizeof path, "/proc/%d/exe", (int)other);
    while (!strstr(program, "sleep") && !strstr(program, "box"))     /* until it has begun */
        if (readlink(path, program, sizeof program - 1) < 0)
            break;
    run("ps", number(other), NULL);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    ck_assert_int_eq(code, 1);
    says(" is no tenk: it runs /");
}
END_TEST

START_TEST(who_may_not_look_is_told_so)
{
    subject s = subject_start(1, NULL);
    if (geteuid() == 0) {
        ck_assert_int_eq(setgid(65534), 0);
        ck_assert_int_eq(setuid(65534), 0);
        run("ps", number(s.process), NULL);
    } else {
        run("ps", "1", NULL);                /* root's */
    }
    ck_assert_int_eq(code, 1);
    says(" may not be looked at: only its own user may, or root");
}
END_TEST

START_TEST(wrong_words_are_refused_and_help_is_given)
{
    run("ps", "--nonsense", NULL);
    ck_assert_int_eq(code, 2);
    says("'--nonsense' is not understood; usage: tenk ps [PID] [--tree] [--json]");
    run("ps", "12x", NULL);
    ck_assert_int_eq(code, 2);
    run("ps", "1", "2");
    ck_assert_int_eq(code, 2);
    run("top", "--tree", NULL);
    ck_assert_int_eq(code, 2);
    run("top", "--help", NULL);
    ck_assert_int_eq(code, 0);
    says("tenk top [PID] [--once]");
    ck_assert(command_known("ps") && !command_known("pss") && !command_known("--help"));
}
END_TEST

Suite *inspect_suite(void)
{
    Suite *s = suite_create("inspect");
    TCase *t = tcase_create("all");
    tcase_add_test(t, all_tasks_of_a_loop_in_an_endless_callback_are_seen_and_it_goes_on);
    tcase_add_test(t, a_task_knows_who_awaits_it_through_a_gather);
    tcase_add_test(t, the_tree_has_what_is_awaited_below_who_awaits_it);
    tcase_add_test(t, json_has_loops_tasks_and_what_they_await);
    tcase_add_test(t, top_shows_the_loop_its_cpu_and_the_oldest_task);
    tcase_add_test(t, what_tasks_did_is_recorded_and_what_goes_on_is_with_it);
    tcase_add_test(t, an_entry_that_makes_no_sense_is_passed_over);
    tcase_add_test(t, the_last_ten_seconds_are_told_of);
    tcase_add_test(t, as_a_picture_it_is_whole_even_if_entries_make_no_sense);
    tcase_add_test(t, without_a_recorder_it_is_said);
    tcase_add_test(t, a_list_that_runs_in_a_circle_is_given_up);
    tcase_add_test(t, a_list_that_leads_nowhere_is_given_up);
    tcase_add_test(t, a_promise_that_cannot_be_read_is_passed_over);
    tcase_add_test(t, a_tenk_of_another_time_is_refused_in_words);
    tcase_add_test(t, a_tenk_that_lacks_something_is_refused_by_its_name);
    tcase_add_test(t, what_is_no_process_or_no_tenk_is_said);
    tcase_add_test(t, who_may_not_look_is_told_so);
    tcase_add_test(t, wrong_words_are_refused_and_help_is_given);
    suite_add_tcase(s, t);
    return s;
}
