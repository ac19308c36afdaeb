/* import.h - asking POST /import, and reading its reports. */
#ifndef TESTS_IMPORT_H
#define TESTS_IMPORT_H

#include "client.h"
#include "json.h"

#define NDJSON "application/x-ndjson"
#define LINE(user, title) "{\"user_id\": " #user ", \"title\": \"" title "\", \"body\": \"b\"}"
#define STREAM "POST /import HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"

typedef struct report { int lines, blank, stored, refused; json_t *whole; } report;

report import(const char *body, int lines, int blank, int stored, int refused);   /* succeeds, with those counts */
report report_in(answer a, int status);      /* what it points to lives until the next one */
void   expect_counts(const report *r, int lines, int blank, int stored, int refused);
void   expect_refusal(const report *r, int line, const char *why);       /* the refusal of that line says so */

/* So many lines for that user, each with bytes of body and a title that begins so, one behind the other. */
char *many_lines(int count, int user, const char *title, int bytes);

client *import_begin(void);                  /* one that has sent STREAM: chunks may follow */
void    say_chunk(client *c, const char *bytes);

#endif
