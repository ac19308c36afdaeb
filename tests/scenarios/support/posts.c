/* posts.c - see posts.h. */
#include "posts.h"

#include "client.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

void post_long_texts(int user, int count)
{
    enum { LENGTH = 60000 };
    static char body[LENGTH + 64];
    char path[64];
    char *at = stpcpy(body, "title=Long&body=");
    while (at < body + LENGTH)
        at = stpcpy(at, "**a**+_b_+%60c%60+");
    snprintf(path, sizeof path, "/users/%d/posts", user);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(post(path, "application/x-www-form-urlencoded", body).status, 303);
}
