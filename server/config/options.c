/* options.c - see options.h. getopt_long's tables and the help are made from one table of flags. */
#include "options.h"

#include "server/base/memory.h"
#include "suggestion.h"
#include "redaction.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <uv.h>

typedef struct flag {
    const char *name, *argument;             /* argument: NULL for none */
    const char *section, *key;               /* of the setting it sets; NULL for none */
    const char *otherwise;                   /* what it sets it to without an argument; NULL: it needs one */
    action      action;                      /* if it takes no argument */
    char        letter;                      /* 0 for none */
    const char *about;
} flag;

static const flag FLAGS[] = {
    { "config", "FILE", .letter = 'c',
      .about = "read FILE instead of ./config.ini" },
    { "listen", "ADDRESS", "server", "listen", .letter = 'l',
      .about = "HOST:PORT, :PORT, unix:PATH, or a list of these" },
    { "database", "URL", "database", "url", .letter = 'D',
      .about = "sqlite:PATH or postgresql://..." },
    { "mode", "MODE", "server", "mode", .letter = 'm',
      .about = "async, or threads: one for each connection" },
    { "workers", "N", "server", "workers", .letter = 'w',
      .about = "loops, or auto: one for each processor" },
    { "compare", "HOST:PORT", "server", "compare", .otherwise = "127.0.0.1:0",
      .about = "serve the other mode as well, there or anywhere" },
    { "init-db", .action = ACTION_INIT_DB,
      .about = "create and fill the database, then exit" },
    { "test-config", .action = ACTION_TEST_CONFIG, .letter = 't',
      .about = "check the configuration, then exit" },
    { "print-config", .action = ACTION_PRINT_CONFIG,
      .about = "print every setting and where it is from" },
    { "healthcheck", .action = ACTION_HEALTHCHECK,
      .about = "ask the running server; exit 0 if it is well" },
    { "reload", .action = ACTION_RELOAD,
      .about = "have the running server read its settings again" },
    { "stop", .action = ACTION_STOP,
      .about = "have the running server end, and wait for that" },
    { "version", .action = ACTION_VERSION, .letter = 'V',
      .about = "print the versions of tenk and its libraries" },
    { "help", .action = ACTION_HELP, .letter = 'h',
      .about = "print this" },
};
enum { COUNT = sizeof FLAGS / sizeof *FLAGS };

static int options_refuse(FILE *errors, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int options_refuse(FILE *errors, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("tenk: ", errors);
    vfprintf(errors, format, args);
    fputs("\nTry 'tenk --help'.\n", errors);
    va_end(args);
    return UV_EINVAL;
}

static const flag *flag_of(int code)         /* a letter, or the row + 256; NULL: neither */
{
    if (code >= 256)
        return &FLAGS[code - 256];
    for (int i = 0; i < COUNT; i++)
        if (code && FLAGS[i].letter == code)
            return &FLAGS[i];
    return NULL;
}

static int options_refuse_unknown(FILE *errors, const char *word)
{
    const int length = (int)strcspn(word, "=");
    char name[64];
    snprintf(name, sizeof name, "%.*s", length - 2, word + 2);
    suggestion near = { .word = name };
    for (int i = 0; i < COUNT; i++) {
        if (strncmp(FLAGS[i].name, name, strlen(name)) == 0)
            return options_refuse(errors, "'%.*s' may be more than one option", length, word);
        suggestion_try(&near, FLAGS[i].name);
    }
    if (!near.best)
        return options_refuse(errors, "there is no option '%.*s'", length, word);
    return options_refuse(errors, "there is no option '%.*s'; did you mean '--%s'?", length, word, near.best);
}

/* getopt has refused word: optopt is the letter, or the code of a long option that takes no
 * argument, or 0 for an unknown long one. */
static int options_refuse_word(FILE *errors, const char *word)
{
    const flag *f = flag_of(optopt);
    if (f)
        return options_refuse(errors, "'--%s' takes no argument", f->name);
    if (optopt)
        return options_refuse(errors, "there is no option '-%c'", optopt);
    return options_refuse_unknown(errors, word);
}

static void sources_set(config_sources *sources, const char *name, const flag *f, const char *value)
{
    config_flag *at = sources->flags;        /* one that is given twice replaces itself */
    while (at < sources->flags + sources->flag_count && strcmp(at->key, f->key) != 0)
        at++;
    if (at == sources->flags + sources->flag_count)
        sources->flag_count++;
    *at = (config_flag){ name, f->section, f->key, value };
}

static const char *flag_with_dashes(const flag *f)
{
    static char names[COUNT][24];
    char *name = names[f - FLAGS];
    snprintf(name, sizeof names[0], "--%s", f->name);
    return name;
}

static void options_make_tables(char letters[3 * COUNT + 2], struct option longs[COUNT + 1])
{
    *letters++ = ':';                        /* tells a missing argument from an unknown flag */
    for (int i = 0; i < COUNT; i++) {
        const int takes = FLAGS[i].otherwise ? optional_argument : FLAGS[i].argument ? required_argument : no_argument;
        longs[i] = (struct option){ FLAGS[i].name, takes, NULL, 256 + i };
        if (!FLAGS[i].letter)
            continue;
        *letters++ = FLAGS[i].letter;
        if (FLAGS[i].argument)
            *letters++ = ':';
    }
    *letters = '\0';
}

int options_parse(options *o, int argc, char *argv[], FILE *errors)
{
    char letters[3 * COUNT + 2];
    struct option longs[COUNT + 1] = { 0 };
    options found = { .action = ACTION_SERVE };
    const flag *doing = NULL;

    options_make_tables(letters, longs);
    optind = 0;                              /* glibc's way to start over */
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        if (code == ':')
            return options_refuse(errors, "'--%s' needs an argument: %s", flag_of(optopt)->name,
                          flag_of(optopt)->argument);
        if (code == '?')
            return options_refuse_word(errors, argv[optind - 1]);

        const flag *f = flag_of(code);
        if (f->action == ACTION_HELP || f->action == ACTION_VERSION) {
            *o = (options){ .action = f->action };
            return 0;
        }
        if (f->key)
            sources_set(&found.sources, flag_with_dashes(f), f, optarg ? optarg : f->otherwise);
        else if (f->argument)
            found.sources.file = optarg;
        else if (doing && doing != f)
            return options_refuse(errors, "'--%s' and '--%s' do not go together", doing->name, f->name);
        else {
            doing = f;
            found.action = f->action;
        }
    }
    if (optind < argc) {                     /* it may be a URL whose --database was forgotten */
        char *shown = redaction_mask(argv[optind]);
        const int err = options_refuse(errors, "'%s' is not an option", shown);
        mem_free(shown);
        return err;
    }
    *o = found;
    return 0;
}

void options_help(FILE *out)
{
    fputs("Usage: tenk [options]\n"
          "\n"
          "An HTTP and database server.\n"
          "\n"
          "Options:\n", out);
    for (const flag *f = FLAGS; f < FLAGS + COUNT; f++) {
        char names[48];
        snprintf(names, sizeof names, "--%s%s%s%s", f->name, f->otherwise ? "[=" : f->argument ? " " : "",
                 f->argument ? f->argument : "", f->otherwise ? "]" : "");
        fprintf(out, "  %c%c%s %-20s  %s\n", f->letter ? '-' : ' ', f->letter ? f->letter : ' ',
                f->letter ? "," : " ", names, f->about);
    }
    fputs("\n"
          "Environment:\n"
          "  PORT, HOST             the port and the host to listen at\n"
          "  DATABASE_URL           as --database\n"
          "  WEB_CONCURRENCY        as --workers\n"
          "  TENK_SECTION_KEY       any setting of config.ini: TENK_LIMITS_BODY=2MiB is\n"
          "                         body in [limits]; beats the four above\n"
          "\n"
          "A flag beats the environment, which beats config.ini, which beats the default.\n"
          "config.ini explains every setting; --print-config shows what it is now.\n"
          "SIGTERM or SIGINT ends what is under way and exits; a second one exits at\n"
          "once. SIGHUP reads the configuration again.\n"
          "\n"
          "Exit codes:\n"
          "  0   fine\n"
          "  1   it failed while running: the port is taken, the database cannot be opened\n"
          "  2   wrong usage\n"
          "  78  wrong configuration\n", out);
}
