/* plaintext.c - the floor below /plaintext and /json: fixed bytes that change once a second.
 *
 *   plaintext PORT */
#include "floor.h"

#include <stdlib.h>

static char plaintext[FLOOR_HEAD + 64], json[FLOOR_HEAD + 64];
static size_t plaintext_length, json_length;

static void on_second(void)
{
    plaintext_length =
        floor_answer_with(plaintext, sizeof plaintext, "text/plain", "Hello, World!");
    json_length =
        floor_answer_with(json, sizeof json, "application/json", "{\"message\":\"Hello, World!\"}");
}

void floor_answer(client *c, const char *path)
{
    (void)c;
    if (path[1] == 'j')
        floor_reply(json, json_length);
    else
        floor_reply(plaintext, plaintext_length);
}

int main(int argc, char *argv[])
{
    if (argc != 2)
        floor_die("plaintext PORT");
    floor_run(atoi(argv[1]), NULL, on_second);
}
