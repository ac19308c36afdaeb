/* test_config.c - every source of a setting, who wins, and what is printed. */
#include "config_scratch.h"
#include "tests/unit/suites.h"

#include "server/config/descriptor_budget.h"
#include "server/base/machine.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

static void refuses_variable(const char *variable, const char *line)
{
    ck_assert_int_eq(load_environment((char *[]){ (char *)variable, NULL }), UV_EINVAL);
    ck_assert_str_eq(said, line);
}

START_TEST(without_any_source_every_setting_has_its_default)
{
    ck_assert_int_eq(load(&(config_sources){ 0 }), 0);
    ck_assert_str_eq(said, "");
    ck_assert_str_eq(c.server.listen, "127.0.0.1:8080");
    ck_assert_int_eq(c.server.mode, MODE_ASYNC);
    ck_assert_uint_eq(c.limits.head, 16384);
    ck_assert_int_eq(c.limits.headers, 100);
    ck_assert_uint_eq(c.limits.uri, 8192);
    ck_assert_uint_eq(c.limits.body, 1 << 20);
    ck_assert_int_eq(c.limits.pipeline, 32);
    ck_assert_uint_eq(c.limits.output, 1 << 20);
    ck_assert_uint_eq(c.timeouts.head, 10000);
    ck_assert_uint_eq(c.timeouts.body, 30000);
    ck_assert_uint_eq(c.timeouts.idle, 75000);
    ck_assert_uint_eq(c.timeouts.write, 30000);
    ck_assert_uint_eq(c.timeouts.request, 30000);
    ck_assert_uint_eq(c.timeouts.drain, 10000);
    ck_assert_str_eq(c.database.url, "sqlite:tenk.db");
    ck_assert_int_eq(c.database.connections, 4);
    ck_assert_int_eq(c.database.pipeline_depth, 32);
    ck_assert_uint_eq(c.database.cache, 128 << 20);
    ck_assert_int_eq(c.database.line, c.limits.connections);
    ck_assert_uint_eq(c.database.target, 200);
    ck_assert_uint_eq(c.database.timeout, 5000);
    ck_assert_uint_eq(c.database.line_timeout, 2000);
    ck_assert_uint_eq(c.database.connect_timeout, 5000);
    ck_assert(c.database.prepare);
    ck_assert_int_eq(c.threads.waiting, 1024);
    ck_assert_uint_eq(c.tasks.stack, 65536);
    ck_assert_str_eq(c.files.root + strlen(c.files.root) - strlen("/static"), "/static");    /* where this program was built */
    ck_assert_int_eq(c.log.level, 2);
    prints("/static) default\n");
    config_free(&c);
}
END_TEST

START_TEST(auto_is_what_the_machine_has)
{
    const int processors = machine_processors();
    ck_assert_int_eq(load_environment((char *[]){ "TENK_SERVER_WORKERS=2", NULL }), 0);
    ck_assert_int_eq(c.server.workers, 2);
    ck_assert_int_eq(c.database.readers, processors);
    ck_assert_int_eq(c.threads.pool, processors > 4 ? processors : 4);
    ck_assert_int_eq(c.threads.running, processors);
    ck_assert_int_ge(c.limits.connections, 1);
    ck_assert_int_lt(c.limits.connections, machine_open_files() / 2);
    config_free(&c);
    ck_assert_int_eq(load_environment((char *[]){ "WEB_CONCURRENCY=auto", "TENK_THREADS_POOL=1",
        NULL }), 0);
    ck_assert_int_eq(c.server.workers, processors);
    ck_assert_int_eq(c.threads.running, 1);                  /* never more than the pool */
    char line[64];
    snprintf(line, sizeof line, "workers = auto ; (%d) WEB_CONCURRENCY\n", processors);
    prints(line);
    config_free(&c);
}
END_TEST

START_TEST(a_flag_beats_the_environment_beats_the_file_beats_the_default)
{
    char *const own[] = { "TENK_LIMITS_HEADERS=3", NULL };
    config_sources s = { 0 };
    char line[128];

    ck_assert_int_eq(load(&s), 0);
    prints("headers = 100 ; default\n");
    config_free(&c);

    write_bytes("[limits]\nheaders = 2\n", 21);
    s.file = file;
    ck_assert_int_eq(load(&s), 0);
    ck_assert_int_eq(c.limits.headers, 2);
    snprintf(line, sizeof line, "headers = 2 ; %s:2\n", file);
    prints(line);
    config_free(&c);

    s.environment = own;
    ck_assert_int_eq(load(&s), 0);
    ck_assert_int_eq(c.limits.headers, 3);
    prints("headers = 3 ; TENK_LIMITS_HEADERS\n");
    config_free(&c);

    s.flags[s.flag_count++] = (config_flag){ "--headers", "limits", "headers", "4" };
    ck_assert_int_eq(load(&s), 0);
    ck_assert_int_eq(c.limits.headers, 4);
    prints("headers = 4 ; --headers\n");
    config_free(&c);
}
END_TEST

START_TEST(port_and_host_change_their_part_of_listen)
{
    static const struct { const char *listen, *host, *port, *is; } ALL[] = {
        { NULL, NULL, "PORT=90", "127.0.0.1:90" },
        { NULL, "HOST=0.0.0.0", NULL, "0.0.0.0:8080" },
        { NULL, "HOST=::", "PORT=90", "[::]:90" },
        { NULL, "HOST=[::1]", NULL, "[::1]:8080" },
        { "[::1]:70", NULL, "PORT=90", "[::1]:90" },
        { "[::1]:70", "HOST=example.org", NULL, "example.org:70" },
        { ":70", NULL, "PORT=0", ":0" },
        { ":70", "HOST=", "PORT=", ":70" },
        { "unix:/a,mode=0660, :70 , :80", "HOST=h", "PORT=90", "unix:/a,mode=0660, h:90 , :80" },
    };
    char line[128];
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        char *const environment[] = { (char *)(ALL[i].host ? ALL[i].host : "A=b"),
                                      (char *)ALL[i].port, NULL };
        snprintf(line, sizeof line, "[server]\n%s%s\n", ALL[i].listen ? "listen = " : "",
                 ALL[i].listen ? ALL[i].listen : "");
        write_bytes(line, strlen(line));
        ck_assert_int_eq(load(&(config_sources){ .file = file, .environment = environment }), 0);
        ck_assert_str_eq(c.server.listen, ALL[i].is);
        config_free(&c);
    }
    write_bytes("[server]\nlisten = :70", 21);
    ck_assert_int_eq(load(&(config_sources){ .file = file,
        .environment = (char *[]){ "PORT=90", "HOST=::", NULL } }), 0);
    snprintf(line, sizeof line, "listen = [::]:90 ; %s:2, HOST, PORT\n", file);
    prints(line);
    config_free(&c);
    refuses_variable("PORT=http", "PORT: [server] listen: '127.0.0.1:http' is not HOST:PORT, nor unix:PATH "
                                  "(try 127.0.0.1:8080, [::1]:8080, :8080, unix:/run/tenk.sock)\n");
    refuses_variable("PORT=65536", "PORT: [server] listen: '127.0.0.1:65536' is not HOST:PORT, nor unix:PATH "
                                   "(try 127.0.0.1:8080, [::1]:8080, :8080, unix:/run/tenk.sock)\n");
    refuses_variable("PORT=9:9", "PORT: [server] listen: '127.0.0.1:9:9' is not HOST:PORT, nor unix:PATH "
                                 "(try 127.0.0.1:8080, [::1]:8080, :8080, unix:/run/tenk.sock)\n");
}
END_TEST

START_TEST(host_and_port_need_an_address_that_has_them)
{
    write_bytes("[server]\nlisten = unix:/a", 25);
    ck_assert_int_eq(load(&(config_sources){ .file = file, .environment = (char *[]){ "PORT=90", NULL } }), UV_EINVAL);
    ck_assert_str_eq(said, "PORT: [server] listen = unix:/a has no HOST:PORT of which it could be a part\n");
    ck_assert_int_eq(load(&(config_sources){ .file = file, .environment = (char *[]){ "PORT=", NULL } }), 0);
    config_free(&c);
}
END_TEST

START_TEST(the_gallery_is_off_where_no_address_has_a_port_and_boards_are_not)
{
    ck_assert_int_eq(load_environment((char *[]){ "TENK_SERVER_LISTEN=unix:/a", NULL }), 0);
    ck_assert(!c.patterns.enabled);
    ck_assert(c.boards.enabled);
    config_free(&c);
    ck_assert_int_eq(load_environment((char *[]){ "TENK_SERVER_LISTEN=unix:/a, 127.0.0.1:1", NULL }), 0);
    ck_assert(c.patterns.enabled);
    config_free(&c);
    ck_assert_int_eq(load_environment((char *[]){ "TENK_SERVER_LISTEN=unix:/a", "TENK_PATTERNS_ENABLED=on", NULL }), UV_EINVAL);
    ck_assert_str_eq(said, "TENK_PATTERNS_ENABLED: [patterns] enabled: the gallery asks the server itself by TCP, and "
                           "[server] listen = unix:/a has no HOST:PORT\n");
}
END_TEST

START_TEST(the_proxy_protocol_needs_someone_who_is_trusted)
{
    char *nobody[] = { "TENK_SERVER_LISTEN=:1,proxy_protocol=on", NULL };
    char *somebody[] = { "TENK_SERVER_LISTEN=:1,proxy_protocol=on", "TENK_SERVER_TRUSTED_PROXIES=10.0.0.0/8", NULL };
    ck_assert_int_eq(load_environment(nobody), UV_EINVAL);
    ck_assert_str_eq(said, "TENK_SERVER_LISTEN: [server] listen: proxy_protocol=on is for [server] trusted_proxies, of whom "
                           "there is none\n");
    ck_assert_int_eq(load_environment(somebody), 0);
    config_free(&c);
    refuses_variable("TENK_SERVER_TRUSTED_PROXIES=10.0.0.1/8", "TENK_SERVER_TRUSTED_PROXIES: [server] trusted_proxies: "
                     "'10.0.0.1/8' is no network, nor unix (try 10.0.0.0/8, 192.0.2.1, fd00::/8)\n");
}
END_TEST

START_TEST(who_trusts_a_proxy_has_strangers_for_clients)
{
    char *proxied[] = { "TENK_SERVER_LISTEN=127.0.0.1:1", "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1", NULL };
    ck_assert_int_eq(load_environment(proxied), 0);
    ck_assert(!c.patterns.enabled && !c.boards.enabled && !c.admin.public);
    config_free(&c);
    proxied[1] = NULL;
    ck_assert_int_eq(load_environment(proxied), 0);
    ck_assert(c.patterns.enabled && c.boards.enabled && c.admin.public);
    config_free(&c);
}
END_TEST

START_TEST(cookies_are_for_origins_that_are_listed)
{
    char *any[] = { "TENK_CORS_ORIGINS=*", "TENK_CORS_CREDENTIALS=on", NULL };
    ck_assert_int_eq(load_environment(any), UV_EINVAL);
    ck_assert_str_eq(said, "TENK_CORS_CREDENTIALS: [cors] credentials: with origins = * any site could read what is its "
                           "visitors' alone; list the origins\n");
}
END_TEST

START_TEST(the_other_mode_has_an_address_of_its_own)
{
    char *same[] = { "TENK_SERVER_LISTEN=:1, 127.0.0.1:2", "TENK_SERVER_COMPARE=127.0.0.1:2", NULL };
    ck_assert_int_eq(load_environment(same), UV_EINVAL);
    ck_assert_str_eq(said, "TENK_SERVER_COMPARE: [server] compare: 127.0.0.1:2 is where [server] listen is\n");
    char *free[] = { "TENK_SERVER_LISTEN=:0, 127.0.0.1:0", "TENK_SERVER_COMPARE=127.0.0.1:0", NULL };
    ck_assert_int_eq(load_environment(free), 0);
    config_free(&c);
}
END_TEST

START_TEST(a_tenk_variable_beats_the_four_usual_ones)
{
    ck_assert_int_eq(load_environment((char *[]){
        "TENK_DATABASE_URL=sqlite:a", "DATABASE_URL=sqlite:b", "TENK_SERVER_LISTEN=:1", "PORT=2",
        "HOST=::1",
        "TENK_SERVER_WORKERS=3", "WEB_CONCURRENCY=4", NULL }), 0);
    ck_assert_str_eq(c.database.url, "sqlite:a");
    ck_assert_str_eq(c.server.listen, ":1");
    ck_assert_int_eq(c.server.workers, 3);
    config_free(&c);
    ck_assert_int_eq(load_environment((char *[]){ "TENK_DATABASE_URL=", "DATABASE_URL=sqlite:b",
        "TENK_NONSENSE=", NULL }), 0);
    ck_assert_str_eq(c.database.url, "sqlite:b");            /* an empty one is as good as none */
    config_free(&c);
}
END_TEST

START_TEST(every_setting_has_a_variable)
{
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        char variable[128], line[160];
        snprintf(variable, sizeof variable, "TENK_%s_%s", s->section, s->key);
        for (char *p = variable; *p; p++)
            *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
        snprintf(line, sizeof line, "; %s\n", variable);
        if (setting_may_be_auto(s))
            snprintf(line, sizeof line, ") %s\n", variable);
        snprintf(variable + strlen(variable), 64, "=%s", s->initial);
        ck_assert_int_eq(load_environment((char *[]){ variable, NULL }), 0);
        prints(line);
        config_free(&c);
    }
}
END_TEST

START_TEST(an_unknown_variable_is_an_error)
{
    refuses_variable("TENK_LIMITS_BODDY=1",
                     "TENK_LIMITS_BODDY: no setting has this name; did you mean TENK_LIMITS_BODY?\n");
    refuses_variable("TENK_FROBNICATE=1", "TENK_FROBNICATE: no setting has this name\n");
    refuses_variable("TENK_=1", "TENK_: no setting has this name\n");
    refuses_variable("TENK_LIMITS_BODY=12x",
                     "TENK_LIMITS_BODY: [limits] body: '12x' is not a size (try 512, 64KiB, 1MiB)\n");
}
END_TEST

START_TEST(every_error_is_reported_even_for_what_is_replaced)
{
    refuses("[nonsense]\nx = 1\n[limits]\nbody = 1x\nheaders = 0\n[log]\nlevel = loud\n",
            "1: there is no section [nonsense]\n4: [limits] body: '1x' is not a size (try 512, 64KiB, 1MiB)\n"
            "5: [limits] headers: '0' is out of range (1 to 256)\n"
            "7: [log] level: 'loud' is not one of: error, warning, info, debug");
    write_bytes("[server]\nworkers = x\n", 21);
    ck_assert_int_eq(load(&(config_sources){ file, (char *[]){ "WEB_CONCURRENCY=y", NULL },
                                             { { "--workers", "server", "workers", "2" } }, 1 }),
                     UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(said, ":2: [server] workers: 'x'"));
    ck_assert_ptr_nonnull(strstr(said, "\nWEB_CONCURRENCY: [server] workers: 'y'"));
}
END_TEST

START_TEST(a_flag_with_a_bad_value_is_named)
{
    ck_assert_int_eq(load(&(config_sources){ .flags = { { "--workers", "server", "workers", "" } },
                                             .flag_count = 1 }), UV_EINVAL);
    ck_assert_str_eq(said, "--workers: [server] workers: is empty; leave it out for the default\n");
}
END_TEST

START_TEST(an_error_leaves_the_config_alone)
{
    c = (config){ .limits.headers = 77 };
    ck_assert_int_eq(load_text("[limits]\nheaders = x"), UV_EINVAL);
    ck_assert_int_eq(c.limits.headers, 77);
    ck_assert_ptr_null(c.origins);
}
END_TEST

START_TEST(no_error_shows_a_secret)
{
    refuses_variable("DATABASE_URL=postgresql://u:secret@h/db ;x",
                     "DATABASE_URL: [database] url: has a ' ;', which begins a comment\n");
    refuses_variable("DATABASE_URL=postgresql://u:secret\n@h/db",
                     "DATABASE_URL: [database] url: is not a line of UTF-8 text\n");
}
END_TEST

START_TEST(what_is_printed_loads_as_the_same_config)
{
    ck_assert_int_eq(load_environment((char *[]){
        "PORT=90", "TENK_LIMITS_BODY=2MiB", "TENK_TIMEOUTS_IDLE=1m", "TENK_FILES_ROOT=a = b # c",
        "TENK_DATABASE_PREPARE=no",
        ("DATABASE_URL=postgresql://user@aaaaaaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,cccccccccccccccccccccccccc/"
         "db?target_session_attrs=any&connect_timeout=3"), "TENK_LOG_LEVEL=warning", NULL }), 0);
    config first = c;
    char *text = printed();
    ck_assert_int_eq(load_text(text), 0);
    free(text);
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        const char *a = (const char *)&first + s->offset, *b = (const char *)&c + s->offset;
        switch (s->type) {
        case SETTING_TEXT:
        case SETTING_ADDRESS:
        case SETTING_ENDPOINTS:
        case SETTING_NETWORKS:
        case SETTING_URL:      ck_assert_str_eq(*(char *const *)a, *(char *const *)b); break;
        case SETTING_SIZE:     ck_assert_uint_eq(*(const size_t *)a, *(const size_t *)b); break;
        case SETTING_RATIO:    ck_assert_double_eq(*(const double *)a, *(const double *)b); break;
        case SETTING_DURATION: ck_assert_uint_eq(*(const uint64_t *)a, *(const uint64_t *)b); break;
        case SETTING_SWITCH:   ck_assert_int_eq(*(const bool *)a, *(const bool *)b); break;
        default:               ck_assert_int_eq(*(const int *)a, *(const int *)b);
        }
    }
    config_free(&first);
    config_free(&c);
}
END_TEST

START_TEST(secrets_are_masked_in_print)
{
    ck_assert_int_eq(load_environment((char *[]){ "DATABASE_URL=postgresql://u:secret@h/db?sslpassword=secret", NULL }), 0);
    char *text = printed();
    ck_assert_ptr_null(strstr(text, "secret"));
    free(text);
    prints("url = postgresql://u:***@h/db?sslpassword=*** ; DATABASE_URL\n");
    ck_assert_str_eq(c.database.url, "postgresql://u:secret@h/db?sslpassword=secret");
    config_free(&c);
}
END_TEST

START_TEST(the_table_is_in_order)
{
    int section = 0;
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        while (section < SETTING_SECTION_COUNT && strcmp(SETTING_SECTIONS[section].name, s->section) != 0)
            section++;
        ck_assert_msg(section < SETTING_SECTION_COUNT, "[%s] %s: out of the order of sections", s->section,
                      s->key);
        ck_assert_ptr_eq(setting_find(s->section, s->key), s);           /* once only */
        ck_assert_uint_le(strlen(s->why), 100);
        if (s->automatic)
            ck_assert(s->type == SETTING_NUMBER || s->type == SETTING_SWITCH);
        if (s->automatic_text)
            ck_assert_int_eq(s->type, SETTING_TEXT);
    }
}
END_TEST

START_TEST(patterns_and_boards_are_on_where_only_this_machine_comes_unless_somebody_says)
{
    static const struct { char *variables[3]; bool on, boards; } CASES[] = {
        { { NULL }, true, true }, { { "HOST=0.0.0.0" }, false, false }, { { "HOST=::" }, false, false },
        { { "TENK_SERVER_LISTEN=:80" }, false, false }, { { "HOST=localhost" }, true, true }, { { "HOST=::1" }, true, true },
        { { "HOST=0.0.0.0", "TENK_PATTERNS_ENABLED=on" }, true, false }, { { "TENK_PATTERNS_ENABLED=off" }, false, true },
        { { "HOST=0.0.0.0", "TENK_PATTERNS_ENABLED=auto" }, false, false },
        { { "HOST=0.0.0.0", "TENK_BOARDS_ENABLED=on" }, false, true }, { { "TENK_BOARDS_ENABLED=off" }, true, false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ck_assert_int_eq(load_environment((char **)CASES[i].variables), 0);
        ck_assert_msg(c.patterns.enabled == CASES[i].on, "case %zu", i);
        ck_assert_msg(c.boards.enabled == CASES[i].boards, "case %zu", i);
        if (i == 1)
            prints("enabled = auto ; (off) default\n");
        config_free(&c);
    }
    refuses_variable("TENK_PATTERNS_ENABLED=maybe",
                     "TENK_PATTERNS_ENABLED: [patterns] enabled: 'maybe' is not on or off, nor auto\n");
}
END_TEST

START_TEST(few_open_files_are_shared_and_too_few_refused)
{
    char why[512] = "";
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    for (rlim_t files = 16; files <= 1024; files *= 2) {
        few = (struct rlimit){ files, before.rlim_max };
        setrlimit(RLIMIT_NOFILE, &few);
        ck_assert_int_eq(load_environment((char *[]){ "TENK_SERVER_WORKERS=1", "TENK_DATABASE_READERS=1", NULL }), 0);
        const int err = descriptor_budget_check(&c, why, sizeof why);
        if (err)
            ck_assert_msg(files <= 32 && strstr(why, "open files"), "%d: %s", (int)files, why);
        else
            ck_assert_msg(c.limits.connections >= 8 && c.limits.connections < (int)files, "%d of %d",
                          c.limits.connections, (int)files);
        ck_assert(files < 64 || !err);
        config_free(&c);
    }
    setrlimit(RLIMIT_NOFILE, &before);
}
END_TEST

START_TEST(threads_are_no_more_than_the_machine_allows)
{
    struct rlimit before;
    getrlimit(RLIMIT_AS, &before);
    if (RESERVE_NOTHING)                    /* sanitizers take terabytes */
        return;
    setrlimit(RLIMIT_AS, &(struct rlimit){ (rlim_t)1 << 30, before.rlim_max });
    ck_assert_int_eq(load_environment((char *[]){ "TENK_LIMITS_CONNECTIONS=100000", NULL }), 0);
    ck_assert_int_lt(c.threads.max, 1024);
    ck_assert_int_gt(c.threads.max, 100);
    config_free(&c);
    setrlimit(RLIMIT_AS, &before);
    ck_assert_int_eq(load_environment((char *[]){ "TENK_LIMITS_CONNECTIONS=100000", "TENK_THREADS_MAX=50000", NULL }), 0);
    ck_assert_int_eq(c.threads.max, 50000);
    config_free(&c);
}
END_TEST

Suite *config_suite(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_add_test(t, without_any_source_every_setting_has_its_default);
    tcase_add_test(t, auto_is_what_the_machine_has);
    tcase_add_test(t, patterns_and_boards_are_on_where_only_this_machine_comes_unless_somebody_says);
    tcase_add_test(t, few_open_files_are_shared_and_too_few_refused);
    tcase_add_test(t, threads_are_no_more_than_the_machine_allows);
    tcase_add_test(t, a_flag_beats_the_environment_beats_the_file_beats_the_default);
    tcase_add_test(t, port_and_host_change_their_part_of_listen);
    tcase_add_test(t, host_and_port_need_an_address_that_has_them);
    tcase_add_test(t, the_gallery_is_off_where_no_address_has_a_port_and_boards_are_not);
    tcase_add_test(t, the_proxy_protocol_needs_someone_who_is_trusted);
    tcase_add_test(t, who_trusts_a_proxy_has_strangers_for_clients);
    tcase_add_test(t, cookies_are_for_origins_that_are_listed);
    tcase_add_test(t, the_other_mode_has_an_address_of_its_own);
    tcase_add_test(t, a_tenk_variable_beats_the_four_usual_ones);
    tcase_add_test(t, every_setting_has_a_variable);
    tcase_add_test(t, an_unknown_variable_is_an_error);
    tcase_add_test(t, every_error_is_reported_even_for_what_is_replaced);
    tcase_add_test(t, a_flag_with_a_bad_value_is_named);
    tcase_add_test(t, an_error_leaves_the_config_alone);
    tcase_add_test(t, no_error_shows_a_secret);
    tcase_add_test(t, what_is_printed_loads_as_the_same_config);
    tcase_add_test(t, secrets_are_masked_in_print);
    tcase_add_test(t, the_table_is_in_order);
    suite_add_tcase(s, t);
    return s;
}
