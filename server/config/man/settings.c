/* settings.c - writes the manual of the settings: copies standard input, and puts the table of
 * server/config/settings.c, as mdoc, where a line says @SETTINGS@. So the manual cannot differ from it. */
#include "server/config/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const KINDS[] = {
    [SETTING_TEXT] = "text",      [SETTING_ADDRESS] = "address",   [SETTING_ENDPOINTS] = "addresses",
    [SETTING_URL] = "URL",        [SETTING_NUMBER] = "number",     [SETTING_SIZE] = "size",
    [SETTING_SWITCH] = "switch",  [SETTING_DURATION] = "duration", [SETTING_CHOICE] = "one of",
    [SETTING_NETWORKS] = "networks",
};

/* As short lines: a sentence begins on one of its own, and no word at a line's start looks like a macro. */
static void put_text(const char *text)
{
    enum { WIDTH = 72 };
    for (int column = 0; *text;) {
        const int length = (int)strcspn(text, " ");
        if (*text == '.' || *text == '\'')
            fputs("\\&", stdout);
        for (int i = 0; i < length; i++)
            if (text[i] == '\\')
                fputs("\\e", stdout);
            else
                putchar(text[i]);
        const char *next = text + length + (text[length] == ' ');
        const bool ended = length && text[length - 1] == '.' && isupper((unsigned char)*next);
        column += length + 1;
        if (!*next || ended || column + (int)strcspn(next, " ") > WIDTH) {
            putchar('\n');
            column = 0;
        } else
            putchar(' ');
        text = next;
    }
}

static void put_setting(const setting *s)
{
    printf(".It Ic %s No = Li \"\\&%s\"\n", s->key, s->initial);       /* \&: a full stop alone would be punctuation */
    printf("(%s", KINDS[s->type]);
    for (int i = 0; s->choices && s->choices[i]; i++)
        printf("%s %s", i ? "," : "", s->choices[i]);
    if (s->low)
        printf(", %s to %s", s->low, s->high);
    printf("%s)\n", setting_may_be_auto(s) && strcmp(s->initial, "auto") != 0 ? ", or auto" : "");
    puts(".br");
    put_text(s->why);
    if (s->live)
        puts("SIGHUP changes it.");
}

static void put_table(void)
{
    for (int i = 0; i < SETTING_SECTION_COUNT; i++) {
        printf(".Ss %s\n", SETTING_SECTIONS[i].name);
        put_text(SETTING_SECTIONS[i].about);
        puts(".Bl -tag -width Ds");
        for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++)
            if (strcmp(s->section, SETTING_SECTIONS[i].name) == 0)
                put_setting(s);
        puts(".El");
    }
}

int main(void)
{
    char line[512];
    while (fgets(line, sizeof line, stdin))
        if (strcmp(line, "@SETTINGS@\n") == 0)
            put_table();
        else
            fputs(line, stdout);
    return fflush(stdout) || ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
