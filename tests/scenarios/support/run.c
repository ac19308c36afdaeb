/* run.c - what all scenarios of a run share. Seeding takes a second, so it is done once. */
#include "run.h"

#include "server.h"

#include "tests/support/quick_folder.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char  folder[64], binary[4096];
static bool  slowed;

const char *run_folder(void) { return folder; }
const char *run_binary(void) { return binary; }
bool        run_slowed(void) { return slowed; }
int         scaled(int count) { return slowed ? count / 4 : count; }

static long open_files(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;         /* a login begins with 1024, but may have more */
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > INT_MAX ? INT_MAX : (long)limit.rlim_cur;
}

int most_connections(int wanted)
{
    const long left = open_files() - 500;
    return left < wanted ? (int)left : wanted;
}

void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *at)
{
    (void)s;
    (void)flag;
    (void)at;
    return remove(path);
}

void run_remove(const char *what) { nftw(what, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void copy(const char *from, const char *to)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC),
              out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_msg(in >= 0 && out >= 0, "%s cannot be copied to %s", from, to);
    while (copy_file_range(in, NULL, out, NULL, 1 << 30, 0) > 0)
        ;
    close(in);
    close(out);
}

/* Of all users, a thousand keep their posts: nearly all of the file is posts, and hundreds of servers get a copy. */
static void thin_out(const char *path)
{
    sqlite3 *s;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(s, "pragma journal_mode = off; pragma synchronous = off; delete from posts where user_id > 1000;"
                               "vacuum; pragma journal_mode = wal", NULL, NULL, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(s);
}

/* Made when first needed: by a fixture for all, or by a test, whose file the later ones find. */
static void make_seed(const char *path)
{
    static char output[4096];
    char url[300], making[256];
    if (access(path, R_OK) == 0)
        return;
    snprintf(making, sizeof making, "%s/making.db", folder);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", making);
    const int code = tenk_run(output, sizeof output, url, "--init-db", NULL);
    ck_assert_msg(code == 0, "--init-db ended with %d: %s", code, output);
    thin_out(making);
    ck_assert_int_eq(rename(making, path), 0);
}

void run_copy_database(const char *to)
{
    char from[256], name[256];
    snprintf(from, sizeof from, "%s/seed.db", folder);
    snprintf(name, sizeof name, "%s/tenk.db", to);
    make_seed(from);
    copy(from, name);
}

static bool names_a_sanitizer(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat s;
    if (fd < 0 || fstat(fd, &s))
        return false;
    const void *bytes = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    const bool found = memmem(bytes, (size_t)s.st_size, "__asan_init", 11)
                    || memmem(bytes, (size_t)s.st_size, "__tsan_init", 11);
    munmap((void *)bytes, (size_t)s.st_size);
    return found;
}

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

/* What /static/ serves here, and what it must not reach. */
static void make_files(void)
{
    char path[256], target[256];
    static const char *const folders[] = { "static", "static/sub", "static/sub/deep", "outside" };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        mkdir(path, 0755);
    }
    write_file("secret.txt", "top secret\n");
    write_file("outside/secret.txt", "top secret\n");
    write_file("static/hello.txt", "Hello from a file.\n");
    write_file("static/style.css", "body { color: black }\n");
    write_file("static/code.js", "console.log('hello');\n");
    write_file("static/page.html", "<!doctype html><title>page</title>\n");
    write_file("static/picture.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>\n");
    write_file("static/data.json", "{}\n");
    write_file("static/empty.txt", "");
    write_file("static/two words.txt", "two words\n");
    write_file("static/sub/deep/file.txt", "deep\n");
    snprintf(path, sizeof path, "%s/static/large.bin", folder);
    FILE *f = fopen(path, "w");
    for (unsigned i = 0; i < 4 * 1024 * 1024 / 4; i++)
        fwrite(&(unsigned){ i * 2654435761u }, 4, 1, f);
    fclose(f);
    snprintf(path, sizeof path, "%s/static/link.txt", folder);
    snprintf(target, sizeof target, "%s/secret.txt", folder);
    if (symlink(target, path))
        perror(path);
    snprintf(path, sizeof path, "%s/static/linked", folder);
    snprintf(target, sizeof target, "%s/outside", folder);
    if (symlink(target, path))
        perror(path);
}

void run_begin(void)
{
    const char *name = getenv("TENK") ? getenv("TENK") : "build/tenk";
    if (!realpath(name, binary) || access(binary, X_OK)) {
        fprintf(stderr, "%s: there is no server to test\n", name);
        exit(EXIT_FAILURE);
    }
    slowed = names_a_sanitizer(binary) ||
             (getenv("CK_TIMEOUT_MULTIPLIER") && atof(getenv("CK_TIMEOUT_MULTIPLIER")) > 1);
    open_files();
    snprintf(folder, sizeof folder, "%s/tenk-scenarios-XXXXXX", quick_folder());
    if (!mkdtemp(folder) || chmod(folder, 0755)) {
        perror(folder);
        exit(EXIT_FAILURE);
    }
    make_files();
}

void run_end(void)
{
    run_cluster_end();
    run_remove(folder);
}

/* The beginning and the end: a sanitizer's report begins with what it is about. */
static void show_log(const char *path)
{
    enum { BEGINNING = 5000, END = 1500 };
    char line[512];
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    fprintf(stderr, "-- %s\n", path);
    for (long shown = 0; fgets(line, sizeof line, f); shown += (long)strlen(line)) {
        const long at = ftell(f);
        if (shown > BEGINNING && fseek(f, -END, SEEK_END) == 0) {
            if (ftell(f) > at)
                fputs("...\n", stderr);
            else
                fseek(f, at, SEEK_SET);
            shown = LONG_MIN / 2;
        }
        fputs(line, stderr);
    }
    fclose(f);
}

void run_show_logs(const char *name)
{
    char pattern[256];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/%s-*/log", folder, name);
    if (glob(pattern, 0, NULL, &found))
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        show_log(found.gl_pathv[i]);
    globfree(&found);
}
