/* config_scratch.c - see config_scratch.h. */
#include "config_scratch.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

char   folder[32];
char   file[64];
config c;
char  *said;

void scratch_make(void)
{
    strcpy(folder, "/tmp/tenk-config-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a.ini", folder);
}

void scratch_remove(void)
{
    unlink(file);
    rmdir(folder);
    free(said);
    said = NULL;
}

void write_bytes(const char *bytes, size_t length)
{
    FILE *f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    fwrite(bytes, 1, length, f);
    fclose(f);
}

int load(const config_sources *sources)
{
    size_t size;
    free(said);
    FILE *errors = open_memstream(&said, &size);
    const int err = config_load(&c, sources, errors);
    fclose(errors);
    return err;
}

int load_text(const char *text)
{
    write_bytes(text, strlen(text));
    return load(&(config_sources){ .file = file });
}

int load_environment(char *const environment[])
{
    return load(&(config_sources){ .environment = environment });
}

char *printed(void)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_print(&c, out);
    fclose(out);
    return text;
}

void prints(const char *line)
{
    char *text = printed(), *to = text;
    for (const char *from = text; *from; from++)
        if (*from != ' ' || from[1] != ' ')
            *to++ = *from;
    *to = '\0';
    ck_assert_msg(strstr(text, line) != NULL, "no line '%s' in:\n%s", line, text);
    free(text);
}

void refuses_bytes(const char *text, size_t length, const char *lines)
{
    char expected[4096] = "";
    write_bytes(text, length);
    ck_assert_int_eq(load(&(config_sources){ .file = file }), UV_EINVAL);
    for (const char *line = lines; *line;) {
        const int end = (int)strcspn(line, "\n");
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s:%.*s\n", file,
                 end, line);
        line += end + (line[end] == '\n');
    }
    ck_assert_str_eq(said, expected);
}

void refuses(const char *text, const char *lines) { refuses_bytes(text, strlen(text), lines); }
