/* config_file.c - reads config.ini with inih.
 *
 * inih calls back for keys alone, silently cuts what is too long, and goes on. So it gets its lines
 * from ini_next_line, which knows where it is, and hands on only lines that are in order. */
#include "config_reading.h"

#include "server/base/memory.h"
#include "suggestion.h"
#include "server/base/units.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct ini {
    reading    *reading;
    const char *path;
    FILE       *file;
    char       *text;                        /* the line as it is in the file */
    size_t      room;                        /* of text; both are getline's */
    int         line;                        /* its number */
    int        *seen;                        /* for each setting the line it stands in, or 0 */
} ini;

static const char *ini_where(const ini *in, int line)
{
    static char place[PATH_MAX + 16];
    snprintf(place, sizeof place, line ? "%s:%d" : "%s", in->path, line);
    return place;
}

/* In a section that is not there every key would be an error of its own: one line says enough. */
static void ini_check_section(ini *in, const char *line)
{
    char name[64];
    const int length = (int)strcspn(line + 1, "]");
    snprintf(name, sizeof name, "%.*s", length, line + 1);
    if (setting_section_known(name))
        return;

    suggestion near = { .word = name };
    for (int i = 0; i < SETTING_SECTION_COUNT; i++)
        suggestion_try(&near, SETTING_SECTIONS[i].name);
    reading_error(in->reading, ini_where(in, in->line), "there is no section [%s]%s%s%s", name,
                  near.best ? "; did you mean [" : "", near.best ? near.best : "", near.best ? "]?" : "");
}

/* The line to hand on: without a byte order mark, the white space around it, and so without what
 * inih would take for a continued value. NULL: it is wrong, and reported. */
static const char *ini_tidy(ini *in, size_t length, size_t most)
{
    char *line = in->text;
    const char *wrong = NULL;
    if (strlen(line) != length)
        wrong = "the line has a NUL in it";
    else if (in->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3;

    line += strspn(line, " \t");
    for (char *end = line + strlen(line); end > line && strchr(" \t\r\n", end[-1]);)
        *--end = '\0';
    if (!wrong && !units_is_line(line))
        wrong = "the line is not UTF-8 text, or has control characters";
    if (!wrong && strlen(line) > most && !strchr(";#", *line))
        wrong = "the line is too long; a long URL may be in DATABASE_URL";
    if (!wrong)
        return line;
    reading_error(in->reading, ini_where(in, in->line), "%s", wrong);
    return NULL;
}

/* Like fgets, for inih. */
static char *ini_next_line(char *out, int size, void *arg)
{
    ini *in = arg;
    const ssize_t length = getline(&in->text, &in->room, in->file);
    if (length < 0)
        return NULL;
    in->line++;
    const char *line = ini_tidy(in, (size_t)length, (size_t)size - 3);
    *out = '\0';
    if (!line || strchr(";#", *line))
        return out;
    if (*line == '[')
        ini_check_section(in, line);
    return strcpy(out, line);
}

static void ini_report_key(ini *in, const char *section, const char *key)
{
    suggestion near = { .word = key };
    const char *home = section;
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        if (strcmp(s->section, section) == 0)
            suggestion_try(&near, s->key);
        else if (!near.best && strcmp(s->key, key) == 0)
            home = s->section;
    }
    if (near.best)
        reading_error(in->reading, ini_where(in, in->line), "[%s] has no key '%s'; did you mean '%s'?",
                      section, key, near.best);
    else if (home != section)
        reading_error(in->reading, ini_where(in, in->line), "[%s] has no key '%s'; it belongs to [%s]",
                      section, key, home);
    else
        reading_error(in->reading, ini_where(in, in->line), "[%s] has no key '%s'", section, key);
}

static int ini_on_key(void *arg, const char *section, const char *key, const char *value)
{
    enum { GO_ON = 1 };
    ini *in = arg;
    const setting *s = setting_find(section, key);

    if (!*section)
        reading_error(in->reading, ini_where(in, in->line), "'%s' stands before any [section]", key);
    else if (s && in->seen[s - SETTINGS])
        reading_error(in->reading, ini_where(in, in->line), "[%s] %s: is already set in line %d", section,
                      key, in->seen[s - SETTINGS]);
    else if (s) {
        in->seen[s - SETTINGS] = in->line;
        reading_set(in->reading, s, value, ini_where(in, in->line));
    } else if (setting_section_known(section))
        ini_report_key(in, section, key);
    return GO_ON;
}

void config_read_file(reading *r, const char *path, bool must_exist)
{
    ini in = { .reading = r, .path = path, .file = fopen(path, "re") };
    if (!in.file) {
        if (must_exist || errno != ENOENT)
            reading_error(r, path, "%s", strerror(errno));
        return;
    }
    in.seen = mem_alloc((size_t)SETTING_COUNT * sizeof *in.seen);
    const int bad = ini_parse_stream(ini_next_line, &in, ini_on_key, &in);
    if (bad > 0)
        reading_error(r, ini_where(&in, bad), "the line is neither [section] nor key = value");
    if (ferror(in.file))
        reading_error(r, path, "%s", strerror(errno));
    free(in.text);
    mem_free(in.seen);
    fclose(in.file);
}
