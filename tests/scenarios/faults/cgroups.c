/* cgroups.c - how many threads a cgroup grants is how many clients threads mode takes; more are refused.
 *
 * What the files of a cgroup say is tried with files of our own, where the kernel has its own; and what becomes of a
 * server that meets the kernel's limit, with a real one. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/launch.h"
#include "tests/support/skipped.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

static char out[16384];

static void say(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    ck_assert_msg(f && fputs(text, f) >= 0 && fclose(f) == 0, "cannot write %s", path);
}

/* Files of our own. */

static const char *own(void)                 /* what /proc/self/cgroup is to say */
{
    static char path[256];
    snprintf(path, sizeof path, "%s/own-cgroup", run_folder());
    return path;
}

static bool groups_or_skip(const char *test)
{
    if (!mount_or_skip(test, CGROUPS, "size=1m"))
        return false;
    mkdir(CGROUPS "/outer", 0755);
    mkdir(CGROUPS "/outer/inner", 0755);
    say(run_folder(), "own-cgroup", "0::/outer/inner\n");
    return true;
}

/* [threads] max = auto, as it came out. */
static int most_threads(void)
{
    next_shown(own(), "/proc/self/cgroup");
    const int code = tenk_run(out, sizeof out, "--print-config", "--mode=threads", "TENK_LIMITS_CONNECTIONS=20000", NULL);
    ck_assert_msg(code == 0, "%s", out);
    const char *threads = strstr(out, "[threads]"), *max = threads ? strstr(threads, "\nmax = auto") : NULL;
    ck_assert_msg(max && (max = strchr(max, '(')), "%s", out);
    return atoi(max + 1);
}

START_TEST(the_cgroups_limit_of_tasks_is_that_of_threads)
{
    if (!groups_or_skip(__func__))
        return;
    say(CGROUPS "/outer/inner", "pids.max", "max\n");
    const int free = most_threads();
    say(CGROUPS "/outer/inner", "pids.max", "200\n");
    const int all = most_threads();
    ck_assert_msg(all > 100 && all < 200 && free > 200, "%d of 200, %d without a limit", all, free);
    say(CGROUPS "/outer/inner", "pids.current", "50\n");
    ck_assert_int_eq(most_threads(), all - 50);
    say(CGROUPS "/outer", "pids.max", "150\n");             /* the tighter one counts */
    say(CGROUPS "/outer", "pids.current", "60\n");
    ck_assert_int_eq(most_threads(), all - 110);
    say(CGROUPS "/outer", "pids.current", "150\n");         /* one is always served */
    ck_assert_int_eq(most_threads(), 1);
}
END_TEST

/* Where there are hierarchies of version 1, each is a line of its own, and a folder. */
START_TEST(cgroups_of_version_1_count_as_well)
{
    if (!mount_or_skip(__func__, CGROUPS, "size=1m"))
        return;
    const char *const folders[] = { CGROUPS "/pids", CGROUPS "/pids/box", CGROUPS "/memory", CGROUPS "/memory/box" };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(folders[i], 0755);
    say(run_folder(), "own-cgroup", "9:name=systemd:/\n8:pids:/box\n4:memory:/box\n0::/\n");
    say(CGROUPS "/memory", "memory.limit_in_bytes", "9223372036854771712\n");
    say(CGROUPS "/memory", "memory.usage_in_bytes", "5000000000\n");
    const int free = most_threads();
    say(CGROUPS "/pids/box", "pids.max", "200\n");
    say(CGROUPS "/pids/box", "pids.current", "50\n");
    const int tasks = most_threads();
    ck_assert_msg(free > 200 && tasks > 50 && tasks < 150, "%d of 150, %d without a limit", tasks, free);
    say(CGROUPS "/memory/box", "memory.limit_in_bytes", "1048576\n");
    ck_assert_int_le(most_threads(), 8);
}
END_TEST

START_TEST(the_cgroups_memory_bounds_the_number_of_threads)
{
    if (!groups_or_skip(__func__))
        return;
    say(CGROUPS "/outer/inner", "memory.max", "67108864\n");
    const int all = most_threads();
    ck_assert_msg(all > 50 && all < 1000, "%d", all);
    say(CGROUPS "/outer/inner", "memory.current", "33554432\n");
    const int half = most_threads();
    ck_assert_msg(half < all && half > all / 4, "%d, and with half of the memory %d", all, half);
    say(CGROUPS "/outer", "memory.max", "1048576\n");
    ck_assert_int_le(most_threads(), 8);
}
END_TEST

/* Clients that all stay: how many are answered, and how many refused with words? */
static void crowd(int many, int *good, int *refused)
{
    client **c = calloc((size_t)many, sizeof *c);
    for (int i = 0; i < many; i++)
        c[i] = client_asking("/json");
    for (int i = 0; i < many; i++) {
        const int status = client_answer(c[i]).status;
        ck_assert_msg(status == 200 || status == 503, "%d", status);
        *(status == 200 ? good : refused) += 1;
    }
    for (int i = 0; i < many; i++)
        client_free(c[i]);
    free(c);
    ck_assert_msg(server_running(), "it is gone");
    ck_assert_msg(eventually(10, get("/users/42").status == 200), "it does not recover");
}

START_TEST(more_clients_than_the_cgroup_has_threads_for_are_refused)
{
    enum { MANY = 150, TASKS = 100 };
    int good = 0, refused = 0;
    if (!groups_or_skip(__func__))
        return;
    say(CGROUPS "/outer/inner", "pids.max", "100\n");
    next_shown(own(), "/proc/self/cgroup");
    server_start("cgroups", NULL);
    crowd(MANY, &good, &refused);
    if (in_threads_mode())
        ck_assert_msg(good > 10 && good <= TASKS && refused > 0, "%d good, %d refused", good, refused);
    else
        ck_assert_int_eq(good, MANY);
    server_stop();
}
END_TEST

/* A real one: of version 2, or of a controller that is still in the hands of version 1. */

static char group[128];

static void leave_group(void)
{
    if (here.pid)
        server_kill();
    rmdir(group);
}

/* Of a new group, in which the next server starts: the name of the file with its limit. NULL: the test is to be skipped. */
static const char *group_or_skip(const char *test, const char *limit, const char *controller, const char *limit_1)
{
    for (int version = 2; version > 0; version--) {
        const char *const name = version == 2 ? limit : limit_1;
        char path[192];
        snprintf(group, sizeof group, CGROUPS "/%s/tenk-test-%d", version == 2 ? "." : controller, (int)getpid());
        snprintf(path, sizeof path, "%s/%s", group, name);
        if (mkdir(group, 0755) == 0 && access(path, W_OK) == 0) {
            atexit(leave_group);
            next_in_cgroup(group);
            return name;
        }
        rmdir(group);
    }
    skipped(test, NEEDS_CGROUP);
    return NULL;
}

/* They may be as many as somebody has asked for: then the kernel says no. */
START_TEST(where_the_kernel_grants_no_thread_more_clients_are_refused)
{
    enum { MANY = 150 };
    int good = 0, refused = 0;
    if (!group_or_skip(__func__, "pids.max", "pids", "pids.max"))
        return;
    say(group, "pids.max", "60\n");
    server_start("cgroups", _i ? "TENK_THREADS_MAX=1000" : "TENK_THREADS_MAX=auto", NULL);
    crowd(MANY, &good, &refused);
    if (in_threads_mode())
        ck_assert_msg(good > 10 && good <= 60 && refused > 0, "%d good, %d refused", good, refused);
    else
        ck_assert_int_eq(good, MANY);
    server_stop();
}
END_TEST

START_TEST(in_little_memory_of_its_cgroup_it_takes_as_many_as_have_room)
{
    enum { MANY = 300 };
    int good = 0, refused = 0;
    const char *limit;
    if (run_slowed() || !(limit = group_or_skip(__func__, "memory.max", "memory", "memory.limit_in_bytes")))
        return;
    say(group, limit, "64M\n");
    server_start("cgroups", NULL);
    crowd(MANY, &good, &refused);
    ck_assert_int_gt(good, 10);
    server_stop();
}
END_TEST

Suite *cgroups_suite(void)
{
    Suite *s = suite_create("cgroups");
    TCase *t = theme(s, "cgroups", NULL);
    tcase_add_test(t, the_cgroups_limit_of_tasks_is_that_of_threads);
    tcase_add_test(t, cgroups_of_version_1_count_as_well);
    tcase_add_test(t, the_cgroups_memory_bounds_the_number_of_threads);
    tcase_add_test(t, more_clients_than_the_cgroup_has_threads_for_are_refused);
    tcase_add_loop_test(t, where_the_kernel_grants_no_thread_more_clients_are_refused, 0, 2);
    tcase_add_test(t, in_little_memory_of_its_cgroup_it_takes_as_many_as_have_room);
    return s;
}
