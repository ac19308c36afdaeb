/* test_server_start.c - a server that cannot start says so, and leaves nothing behind: no thread, no descriptor. */
#include "server/http/second_server.h"
#include "server/config/config_load.h"
#include "server/config/config.h"
#include "tests/unit/suites.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

static config settings;
static bool   started;

static void     site_opens(void *arg)           { (void)arg; }
static promise *site_closes(void *arg)          { (void)arg; return promise_settled(0); }
static void     site_answers(request *req)      { (void)req; }
static int      site_room(void *arg, need n)    { (void)arg, (void)n; return 1; }
static int      answer_nothing(request *req)    { (void)req; return 0; }

static const route ROUTE = { "GET", "/", .answer = answer_nothing };
static const site  SITE = { .routes = &ROUTE, .count = 1, .open = site_opens, .close = site_closes, .answering = site_answers,
                            .room = site_room, .threads = site_room };

static void settings_load(const char *in)
{
    char mode[64], *environment[] = { "TENK_SERVER_LISTEN=127.0.0.1:0", "TENK_SERVER_WORKERS=3", mode, NULL };
    snprintf(mode, sizeof mode, "TENK_SERVER_MODE=%s", in);
    ck_assert_int_eq(config_load(&settings, &(config_sources){ .environment = environment }, stderr), 0);
}

/* Entries of that folder which count; NULL: all do. */
static int entries(const char *folder, bool (*counts)(const char *name))
{
    int count = 0;
    DIR *const d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (const struct dirent *e; (e = readdir(d));)
        count += e->d_name[0] != '.' && (!counts || counts(e->d_name));
    closedir(d);
    return count;
}

/* A thread is joined before the kernel has done with it: then it is still to be seen, but on its way out. */
static bool stays(const char *thread)
{
    enum { EXITING = 4 };                    /* of its flags in the kernel */
    char path[300], line[512] = "";
    unsigned flags = EXITING;
    snprintf(path, sizeof path, "/proc/self/task/%s/stat", thread);
    FILE *const f = fopen(path, "r");
    if (f && fgets(line, sizeof line, f))
        sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %u", &flags);
    if (f)
        fclose(f);
    return !(flags & EXITING);
}

static int threads_here(void)     { return entries("/proc/self/task", stays); }
static int descriptors_here(void) { return entries("/proc/self/fd", NULL); }

static void descriptors_limit(int most)
{
    struct rlimit l;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
    l.rlim_cur = (rlim_t)most;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
}

static void on_started(void *arg)
{
    (void)arg;
    started = true;
    kill(getpid(), SIGTERM);
}

/* With so many descriptors to spare; -1: enough. */
static int run_with(int spare)
{
    enum { ENOUGH = 1000 };
    char why[256];
    server *s;
    descriptors_limit(ENOUGH);
    ck_assert_msg(server_open(&s, &settings, why, sizeof why) == 0, "%s", why);
    server_set_site(s, &SITE);
    const int next = dup(STDERR_FILENO);
    close(next);
    if (spare >= 0)
        descriptors_limit(next + spare);
    started = false;
    const int err = server_run(s, on_started, NULL);
    descriptors_limit(ENOUGH);
    server_close(s);
    return err;
}

static const char *const MODES[] = { "async", "threads" };

START_TEST(whatever_it_has_no_descriptor_for_it_returns_the_error_and_nothing_is_left)
{
    int spare = 0;
    settings_load(MODES[_i]);
    ck_assert_int_eq(run_with(-1), 0);       /* what libuv makes once for the process is there */
    const int threads = threads_here(), descriptors = descriptors_here();
    for (; run_with(spare); spare++) {
        ck_assert(!started);
        ck_assert_int_lt(spare, 100);
        ck_assert_int_eq(threads_here(), threads);
        ck_assert_int_eq(descriptors_here(), descriptors);
    }
    ck_assert(started);
    ck_assert_int_gt(spare, 2);
    config_free(&settings);
}
END_TEST

START_TEST(a_second_one_that_cannot_start_is_said_and_the_first_goes_on)
{
    char why[256] = "";
    server *first;
    settings_load("async");
    settings.threads.stack = 1;
    ck_assert_int_eq(server_open(&first, &settings, why, sizeof why), 0);
    server_set_site(first, &SITE);
    second_server *const second = second_server_new(first, &settings, &SITE);
    for (int i = 0; i < 2; i++) {            /* and may be asked again */
        ck_assert_int_eq(second_server_open(second, NULL, why, sizeof why), UV_EINVAL);
        ck_assert_str_eq(why, "cannot start it: invalid argument");
        ck_assert_ptr_null(second_server_address(second));
    }
    started = false;
    ck_assert_int_eq(server_run(first, on_started, NULL), 0);
    ck_assert(started);
    ck_assert_int_eq(second_server_free(second), 0);
    server_close(first);
    config_free(&settings);
}
END_TEST

Suite *server_start_suite(void)
{
    Suite *s = suite_create("server_start");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, whatever_it_has_no_descriptor_for_it_returns_the_error_and_nothing_is_left, 0, 2);
    tcase_add_test(t, a_second_one_that_cannot_start_is_said_and_the_first_goes_on);
    suite_add_tcase(s, t);
    return s;
}
