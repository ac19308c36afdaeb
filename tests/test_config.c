/* test_config.c - every source of a setting, who wins, what is refused, and that config.ini, the table
 * and --print-config say the same. */
#include "server/config.h"
#include "server/machine.h"
#include "server/settings.h"

#include "suites.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static char  folder[] = "/tmp/tenk-config-XXXXXX";
static char  file[64];
static config c;
static char *said;                           /* what config_load wrote */

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a.ini", folder);
}

static void remove_folder(void)
{
    unlink(file);
    rmdir(folder);
    free(said);
}

static void write_bytes(const char *bytes, size_t length)
{
    FILE *f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    fwrite(bytes, 1, length, f);
    fclose(f);
}

static int load(const config_sources *sources)
{
    size_t size;
    free(said);
    FILE *errors = open_memstream(&said, &size);
    const int err = config_load(&c, sources, errors);
    fclose(errors);
    return err;
}

static int load_text(const char *text)
{
    write_bytes(text, strlen(text));
    return load(&(config_sources){ .file = file });
}

static int load_environment(char *const environment[])
{
    return load(&(config_sources){ .environment = environment });
}

static char *printed(void)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_print(&c, out);
    fclose(out);
    return text;
}

static void prints(const char *line)         /* white space before the comment does not count */
{
    char *text = printed(), *to = text;
    for (const char *from = text; *from; from++)
        if (*from != ' ' || from[1] != ' ')
            *to++ = *from;
    *to = '\0';
    ck_assert_msg(strstr(text, line) != NULL, "no line '%s' in:\n%s", line, text);
    free(text);
}

/* The text is refused with these lines, each of which begins with the file's name. */
static void refuses_bytes(const char *text, size_t length, const char *lines)
{
    char expected[4096] = "";
    write_bytes(text, length);
    ck_assert_int_eq(load(&(config_sources){ .file = file }), UV_EINVAL);
    for (const char *line = lines; *line;) {
        const int end = (int)strcspn(line, "\n");
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s:%.*s\n", file, end, line);
        line += end + (line[end] == '\n');
    }
    ck_assert_str_eq(said, expected);
}

static void refuses(const char *text, const char *lines) { refuses_bytes(text, strlen(text), lines); }

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
    ck_assert_uint_eq(c.timeouts.drain, 10000);
    ck_assert_str_eq(c.database.url, "sqlite:tenk.db");
    ck_assert_int_eq(c.database.connections, 4);
    ck_assert_int_eq(c.database.pipeline_depth, 64);
    ck_assert_int_eq(c.database.line, 1024);
    ck_assert_uint_eq(c.database.timeout, 5000);
    ck_assert_uint_eq(c.database.line_timeout, 2000);
    ck_assert_uint_eq(c.database.connect_timeout, 5000);
    ck_assert(c.database.prepare);
    ck_assert_int_eq(c.threads.waiting, 1024);
    ck_assert_uint_eq(c.async.stack, 65536);
    ck_assert_str_eq(c.files.root, "static");
    ck_assert_int_eq(c.log.level, 2);
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
    ck_assert_int_eq(load_environment((char *[]){ "WEB_CONCURRENCY=auto", "TENK_THREADS_POOL=1", NULL }), 0);
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
    };
    char line[128];
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        char *const environment[] = { (char *)(ALL[i].host ? ALL[i].host : "A=b"), (char *)ALL[i].port, NULL };
        snprintf(line, sizeof line, "[server]\n%s%s\n", ALL[i].listen ? "listen = " : "", ALL[i].listen ? ALL[i].listen : "");
        write_bytes(line, strlen(line));
        ck_assert_int_eq(load(&(config_sources){ .file = file, .environment = environment }), 0);
        ck_assert_str_eq(c.server.listen, ALL[i].is);
        config_free(&c);
    }
    write_bytes("[server]\nlisten = :70", 21);
    ck_assert_int_eq(load(&(config_sources){ .file = file, .environment = (char *[]){ "PORT=90", "HOST=::", NULL } }), 0);
    snprintf(line, sizeof line, "listen = [::]:90 ; %s:2, HOST, PORT\n", file);
    prints(line);
    config_free(&c);
    refuses_variable("PORT=http", "PORT: [server] listen: '127.0.0.1:http' is not HOST:PORT "
                                  "(try 127.0.0.1:8080, [::1]:8080, :8080)\n");
    refuses_variable("PORT=65536", "PORT: [server] listen: '127.0.0.1:65536' is not HOST:PORT "
                                   "(try 127.0.0.1:8080, [::1]:8080, :8080)\n");
    refuses_variable("PORT=9:9", "PORT: [server] listen: '127.0.0.1:9:9' is not HOST:PORT "
                                 "(try 127.0.0.1:8080, [::1]:8080, :8080)\n");
}
END_TEST

START_TEST(a_tenk_variable_beats_the_four_usual_ones)
{
    ck_assert_int_eq(load_environment((char *[]){
        "TENK_DATABASE_URL=sqlite:a", "DATABASE_URL=sqlite:b", "TENK_SERVER_LISTEN=:1", "PORT=2", "HOST=::1",
        "TENK_SERVER_WORKERS=3", "WEB_CONCURRENCY=4", NULL }), 0);
    ck_assert_str_eq(c.database.url, "sqlite:a");
    ck_assert_str_eq(c.server.listen, ":1");
    ck_assert_int_eq(c.server.workers, 3);
    config_free(&c);
    ck_assert_int_eq(load_environment((char *[]){ "TENK_DATABASE_URL=", "DATABASE_URL=sqlite:b", "TENK_NONSENSE=", NULL }), 0);
    ck_assert_str_eq(c.database.url, "sqlite:b");            /* an empty variable is as good as none */
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
        if (s->automatic)
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
    refuses_variable("TENK_LIMITS_BODDY=1", "TENK_LIMITS_BODDY: no setting has this name; did you mean TENK_LIMITS_BODY?\n");
    refuses_variable("TENK_FROBNICATE=1", "TENK_FROBNICATE: no setting has this name\n");
    refuses_variable("TENK_=1", "TENK_: no setting has this name\n");
    refuses_variable("TENK_LIMITS_BODY=12x", "TENK_LIMITS_BODY: [limits] body: '12x' is not a size (try 512, 64KiB, 1MiB)\n");
}
END_TEST

START_TEST(a_bad_value_says_where_and_what_would_do)
{
    refuses("[limits]\n\nbody = 12x", "3: [limits] body: '12x' is not a size (try 512, 64KiB, 1MiB)");
    refuses("[limits]\nbody = 64KB", "2: [limits] body: '64KB' is not a size (try 512, 64KiB, 1MiB)");
    refuses("[limits]\nbody = 2GiB", "2: [limits] body: '2GiB' is out of range (0 to 1GiB)");
    refuses("[timeouts]\nidle = 30", "2: [timeouts] idle: '30' is not a duration (try 250ms, 30s, 5m, 1h)");
    refuses("[timeouts]\nidle = 0", "2: [timeouts] idle: '0' is out of range (1ms to 24h)");
    refuses("[limits]\nheaders = many", "2: [limits] headers: 'many' is not a whole number");
    refuses("[limits]\nheaders = auto", "2: [limits] headers: 'auto' is not a whole number");
    refuses("[limits]\nheaders = 99999999999999999999", "2: [limits] headers: '99999999999999999999' is out of range (1 to 10000)");
    refuses("[server]\nworkers = all", "2: [server] workers: 'all' is not a whole number, nor auto");
    refuses("[server]\nworkers = 0", "2: [server] workers: '0' is out of range (1 to 1024)");
    refuses("[server]\nmode = threaded", "2: [server] mode: 'threaded' is not one of: async");
    refuses("[log]\nlevel = loud", "2: [log] level: 'loud' is not one of: error, warning, info, debug");
    refuses("[database]\nprepare = 1", "2: [database] prepare: '1' is not on or off");
    refuses("[files]\nroot =", "2: [files] root: is empty; leave it out for the default");
    refuses("[server]\nlisten = localhost",
            "2: [server] listen: 'localhost' is not HOST:PORT (try 127.0.0.1:8080, [::1]:8080, :8080)");
}
END_TEST

START_TEST(unknown_names_are_errors_with_the_nearest_one)
{
    refuses("[limit]\nbody = 12x", "1: there is no section [limit]; did you mean [limits]?");
    refuses("[frobnicate]", "1: there is no section [frobnicate]");
    refuses("[limits]\nboddy = 1", "2: [limits] has no key 'boddy'; did you mean 'body'?");
    refuses("[limits]\nstack = 64KiB", "2: [limits] has no key 'stack'; it belongs to [async]");
    refuses("[limits]\nfrobnicate = 1", "2: [limits] has no key 'frobnicate'");
    refuses("body = 1", "1: 'body' stands before any [section]");
}
END_TEST

START_TEST(a_key_stands_once)
{
    refuses("[limits]\nbody = 1\n[log]\n[limits]\nbody = 1", "5: [limits] body: is already set in line 2");
}
END_TEST

START_TEST(lines_out_of_order_are_refused)
{
    char longest[600] = "[database]\nurl = sqlite:";
    refuses("[limits]\nbody\n", "2: the line is neither [section] nor key = value");
    refuses("[limits\n", "1: the line is neither [section] nor key = value");
    refuses("[files]\nroot = \xff", "2: the line is not UTF-8 text, or has control characters");
    refuses("[files]\nroot = a\x1b[0m", "2: the line is not UTF-8 text, or has control characters");
    refuses_bytes("[files]\nroot = a\0b\n", 19, "2: the line has a NUL in it");
    memset(longest + strlen(longest), 'x', 400);
    refuses(longest, "2: the line is too long; a long URL may be in DATABASE_URL");
}
END_TEST

START_TEST(every_error_is_reported_even_for_what_is_replaced)
{
    refuses("[nonsense]\nx = 1\n[limits]\nbody = 1x\nheaders = 0\n[log]\nlevel = loud\n",
            "1: there is no section [nonsense]\n4: [limits] body: '1x' is not a size (try 512, 64KiB, 1MiB)\n"
            "5: [limits] headers: '0' is out of range (1 to 10000)\n"
            "7: [log] level: 'loud' is not one of: error, warning, info, debug");
    write_bytes("[server]\nworkers = x\n", 21);
    ck_assert_int_eq(load(&(config_sources){ file, (char *[]){ "WEB_CONCURRENCY=y", NULL },
                                             { { "--workers", "server", "workers", "2" } }, 1 }), UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(said, ":2: [server] workers: 'x'"));
    ck_assert_ptr_nonnull(strstr(said, "\nWEB_CONCURRENCY: [server] workers: 'y'"));
}
END_TEST

START_TEST(a_flag_with_a_bad_value_is_named)
{
    ck_assert_int_eq(load(&(config_sources){ .flags = { { "--workers", "server", "workers", "" } }, .flag_count = 1 }), UV_EINVAL);
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

START_TEST(settings_must_fit_each_other)
{
    refuses("[limits]\nuri = 32KiB", "2: [limits] uri = 32KiB is more than [limits] head = 16KiB");
    refuses("[limits]\nhead = 4KiB", "2: [limits] uri = 8KiB is more than [limits] head = 4KiB");
    refuses("[threads]\npool = 2\nrunning = 3", "2: [threads] running = 3 is more than [threads] pool = 2");
    refuses("[async]\nstack = 8KiB", "2: [async] stack: '8KiB' is out of range (16KiB to 8MiB)");
    ck_assert_int_eq(load_text("[async]\nstack = 65537"), UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(said, ":2: [async] stack: '65537' is no multiple of the machine's page ("));
}
END_TEST

START_TEST(no_error_shows_a_secret)
{
    refuses_variable("DATABASE_URL=postgresql://u:secret@h/db ;x", "DATABASE_URL: [database] url: has a ' ;', which begins a comment\n");
    refuses_variable("DATABASE_URL=postgresql://u:secret\n@h/db", "DATABASE_URL: [database] url: is not a line of UTF-8 text\n");
}
END_TEST

START_TEST(a_named_file_must_exist_and_the_usual_one_need_not)
{
    char expected[128];
    unlink(file);
    ck_assert_int_eq(load(&(config_sources){ .file = file }), UV_EINVAL);
    snprintf(expected, sizeof expected, "%s: No such file or directory\n", file);
    ck_assert_str_eq(said, expected);
    ck_assert_int_eq(load(&(config_sources){ .file = folder }), UV_EINVAL);
    snprintf(expected, sizeof expected, "%s: Is a directory\n", folder);
    ck_assert_str_eq(said, expected);

    char before[4096];
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(load(&(config_sources){ 0 }), 0);
    config_free(&c);
    FILE *f = fopen("config.ini", "w");
    fputs("[log]\nlevel = debug", f);
    fclose(f);
    const int err = load(&(config_sources){ 0 });
    unlink("config.ini");
    ck_assert_int_eq(chdir(before), 0);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(c.log.level, 3);
    prints("level = debug ; config.ini:2\n");
    config_free(&c);
}
END_TEST

START_TEST(a_file_may_come_from_any_editor)
{
    char long_comment[1000] = "[files]\n; ";
    ck_assert_int_eq(load_text("\xef\xbb\xbf[limits]\r\n  headers = 5  ; few\r\n\tbody=2KiB\r\n# note\r\n\r\n"
                               "[files]\r\nroot = my \"files\" ü;v2\r\n[server]\r\nlisten: [::1]:80\r\n"), 0);
    ck_assert_int_eq(c.limits.headers, 5);
    ck_assert_uint_eq(c.limits.body, 2048);
    ck_assert_str_eq(c.files.root, "my \"files\" ü;v2");
    ck_assert_str_eq(c.server.listen, "[::1]:80");
    config_free(&c);
    memset(long_comment + strlen(long_comment), 'x', 900);
    ck_assert_int_eq(load_text(long_comment), 0);            /* only what counts is too long */
    config_free(&c);
    ck_assert_int_eq(load_text(""), 0);
    config_free(&c);
}
END_TEST

START_TEST(what_is_printed_loads_as_the_same_config)
{
    ck_assert_int_eq(load_environment((char *[]){
        "PORT=90", "TENK_LIMITS_BODY=2MiB", "TENK_TIMEOUTS_IDLE=1m", "TENK_FILES_ROOT=a = b # c", "TENK_DATABASE_PREPARE=no",
        "DATABASE_URL=postgresql://user@aaaaaaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,cccccccccccccccccccccccccc/"
        "db?target_session_attrs=any&connect_timeout=3", "TENK_LOG_LEVEL=warning", NULL }), 0);
    config first = c;
    char *text = printed();
    ck_assert_int_eq(load_text(text), 0);
    free(text);
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        const char *a = (const char *)&first + s->offset, *b = (const char *)&c + s->offset;
        switch (s->type) {
        case SETTING_TEXT:
        case SETTING_ADDRESS:
        case SETTING_URL:      ck_assert_str_eq(*(char *const *)a, *(char *const *)b); break;
        case SETTING_SIZE:     ck_assert_uint_eq(*(const size_t *)a, *(const size_t *)b); break;
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
        while (section < SECTION_COUNT && strcmp(SECTIONS[section].name, s->section) != 0)
            section++;
        ck_assert_msg(section < SECTION_COUNT, "[%s] %s: out of the order of sections", s->section, s->key);
        ck_assert_ptr_eq(setting_find(s->section, s->key), s);           /* once only */
        ck_assert_uint_le(strlen(s->why), 100);
        if (s->automatic)
            ck_assert_int_eq(s->type, SETTING_NUMBER);
    }
}
END_TEST

/* What config.ini must be, below its introduction. */
static char *file_of_table(void)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < SECTION_COUNT; i++) {
        fprintf(out, "\n# %s\n[%s]\n", SECTIONS[i].about, SECTIONS[i].name);
        for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++)
            if (strcmp(s->section, SECTIONS[i].name) == 0)
                fprintf(out, "\n# %s\n;%s = %s\n", s->why, s->key, s->initial);
    }
    fclose(out);
    return text;
}

START_TEST(config_ini_is_the_table)
{
    char *expected = file_of_table(), actual[32768];
    FILE *f = fopen("config.ini", "r");
    ck_assert_ptr_nonnull(f);
    actual[fread(actual, 1, sizeof actual - 1, f)] = '\0';
    fclose(f);
    const char *settings = strstr(actual, "\n\n# ");
    ck_assert_ptr_nonnull(settings);
    ck_assert_str_eq(settings + 1, expected);
    free(expected);

    ck_assert_int_eq(load(&(config_sources){ .file = "config.ini" }), 0);            /* as it is */
    char *with = printed();
    config_free(&c);
    ck_assert_int_eq(load_text(""), 0);
    char *without = printed();
    config_free(&c);
    ck_assert_str_eq(with, without);
    free(with);
    free(without);
}
END_TEST

START_TEST(config_ini_with_every_line_in_use_changes_nothing_but_the_sources)
{
    char *text = file_of_table(), *to = text;
    for (const char *from = text; *from; from++)
        if (*from != ';' || from == text || from[-1] != '\n')
            *to++ = *from;
    *to = '\0';
    ck_assert_int_eq(load_text(text), 0);
    free(text);
    char *all = printed();
    ck_assert_ptr_null(strstr(all, "; default"));
    ck_assert_ptr_null(strstr(all, ") default"));
    free(all);
    config_free(&c);
}
END_TEST

Suite *config_suite(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, without_any_source_every_setting_has_its_default);
    tcase_add_test(t, auto_is_what_the_machine_has);
    tcase_add_test(t, a_flag_beats_the_environment_beats_the_file_beats_the_default);
    tcase_add_test(t, port_and_host_change_their_part_of_listen);
    tcase_add_test(t, a_tenk_variable_beats_the_four_usual_ones);
    tcase_add_test(t, every_setting_has_a_variable);
    tcase_add_test(t, an_unknown_variable_is_an_error);
    tcase_add_test(t, a_bad_value_says_where_and_what_would_do);
    tcase_add_test(t, unknown_names_are_errors_with_the_nearest_one);
    tcase_add_test(t, a_key_stands_once);
    tcase_add_test(t, lines_out_of_order_are_refused);
    tcase_add_test(t, every_error_is_reported_even_for_what_is_replaced);
    tcase_add_test(t, a_flag_with_a_bad_value_is_named);
    tcase_add_test(t, an_error_leaves_the_config_alone);
    tcase_add_test(t, settings_must_fit_each_other);
    tcase_add_test(t, no_error_shows_a_secret);
    tcase_add_test(t, a_named_file_must_exist_and_the_usual_one_need_not);
    tcase_add_test(t, a_file_may_come_from_any_editor);
    tcase_add_test(t, what_is_printed_loads_as_the_same_config);
    tcase_add_test(t, secrets_are_masked_in_print);
    tcase_add_test(t, the_table_is_in_order);
    tcase_add_test(t, config_ini_is_the_table);
    tcase_add_test(t, config_ini_with_every_line_in_use_changes_nothing_but_the_sources);
    suite_add_tcase(s, t);
    return s;
}
