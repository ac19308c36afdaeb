/* commands.c - see commands.h: their words, and which server is meant. */
#include "commands.h"
#include "recording.h"
#include "recording_svg.h"
#include "report.h"
#include "servers.h"
#include "snapshot.h"
#include "stalls.h"
#include "top.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { WRONG_WORDS = 2, WHY = 512 };

typedef struct words {
    long process;                            /* 0: it is not named */
    bool json, tree, once, svg, help;
} words;

typedef struct command {
    const char *name, *takes, *about;
    int       (*run)(target *t, const words *w, FILE *out, FILE *errors);
} command;

static int fail(FILE *errors, const char *why)
{
    fprintf(errors, "tenk: %s\n", why);
    return EXIT_FAILURE;
}

static int run_ps(target *t, const words *w, FILE *out, FILE *errors)
{
    snapshot s;
    char why[WHY] = "";
    int err = snapshot_take(&s, t, why, sizeof why);
    if (err)
        return fail(errors, why);
    if (w->json)
        err = report_json(&s, out);
    else
        (w->tree ? report_tree : report_text)(&s, out);
    snapshot_free(&s);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_top(target *t, const words *w, FILE *out, FILE *errors)
{
    char why[WHY] = "";
    return top_run(t, w->once, out, why, sizeof why) ? fail(errors, why) : EXIT_SUCCESS;
}

static int run_record(target *t, const words *w, FILE *out, FILE *errors)
{
    char why[WHY] = "";
    const int err = (w->svg ? recording_write_svg : recording_write)(t, out, why, sizeof why);
    return err ? fail(errors, why) : EXIT_SUCCESS;
}

static int run_stalls(target *t, const words *w, FILE *out, FILE *errors)
{
    char why[WHY] = "";
    (void)w;
    return stalls_write(t, out, why, sizeof why) ? fail(errors, why) : EXIT_SUCCESS;
}

static const command COMMANDS[] = {
    { "ps", "[PID] [--tree] [--json]", "what every task of a running tenk awaits", run_ps },
    { "top", "[PID] [--once]", "the same, the oldest first, each second anew", run_top },
    { "record", "[PID] [--svg]", "its last ten seconds, as a trace for ui.perfetto.dev, or a picture", run_record },
    { "stalls", "[PID]", "where its loops were blocked, for a flame graph", run_stalls },
};
enum { COUNT = sizeof COMMANDS / sizeof *COMMANDS };

static const command *command_find(const char *word)
{
    for (int i = 0; i < COUNT; i++)
        if (strcmp(COMMANDS[i].name, word) == 0)
            return &COMMANDS[i];
    return NULL;
}

bool command_known(const char *word) { return command_find(word); }

static void command_help(const command *c, FILE *out)
{
    char what[64];
    snprintf(what, sizeof what, "%s %s", c->name, c->takes);
    fprintf(out, "  tenk %-26s  %s\n", what, c->about);
}

void commands_help(FILE *out)
{
    for (int i = 0; i < COUNT; i++)
        command_help(&COMMANDS[i], out);
}

static bool words_set_process(words *w, const char *word)
{
    char *end;
    if (w->process || !isdigit((unsigned char)*word))
        return false;
    w->process = strtol(word, &end, 10);
    return !*end && w->process > 0 && w->process <= INT_MAX;
}

static bool words_set(words *w, const command *c, const char *word)
{
    const struct { const char *name; bool *given; } flags[] = {
        { "--json", &w->json }, { "--tree", &w->tree }, { "--once", &w->once }, { "--svg", &w->svg },
    };
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return w->help = true;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(word, flags[i].name) == 0 && strstr(c->takes, word))
            return *flags[i].given = true;
    return words_set_process(w, word);
}

/* The one that runs, if none is named; 0 if that is not clear, and it has been said. */
static pid_t choose_server(const command *c, FILE *errors)
{
    enum { MOST = 64 };
    found_server found[MOST];
    const int count = servers_find(found, MOST, command_known);
    if (count == 1)
        return found[0].process;
    if (count == 0) {
        fail(errors, "no tenk runs here that you may look at");
        return 0;
    }
    fprintf(errors, "tenk: several run here; which one is meant?\n");
    for (int i = 0; i < count; i++)
        fprintf(errors, "  tenk %s %-8d (%s)\n", c->name, (int)found[i].process, found[i].command);
    return 0;
}

int command_run(int argc, char *argv[], FILE *out, FILE *errors)
{
    const command *const c = command_find(argv[0]);
    words w = { 0 };
    for (int i = 1; i < argc; i++)
        if (!words_set(&w, c, argv[i])) {
            fprintf(errors, "tenk: '%s' is not understood; usage: tenk %s %s\n", argv[i], c->name, c->takes);
            return WRONG_WORDS;
        }
    if (w.help) {
        command_help(c, out);
        return EXIT_SUCCESS;
    }
    const pid_t process = w.process ? (pid_t)w.process : choose_server(c, errors);
    char why[WHY] = "";
    target *t;
    if (!process)
        return EXIT_FAILURE;
    if (target_open(&t, process, why, sizeof why))
        return fail(errors, why);
    const int code = c->run(t, &w, out, errors);
    target_close(t);
    return code;
}
