/* network_list.c - see network_list.h. */
#include "network_list.h"

#include <stdio.h>
#include <uv.h>

static int network_list_read(text member, network *n, bool *is_unix)
{
    *is_unix = text_equal(member, TEXT("unix"));
    return *is_unix ? 0 : network_parse(n, member);
}

bool network_list_next(text *list, network *n, bool *is_unix)
{
    text member;
    return !text_equal(*list, TEXT("none")) && text_next_member(list, &member) && network_list_read(member, n, is_unix) == 0;
}

int network_list_check(const char *list, char *why, size_t size)
{
    text rest = text_of(list), member;
    network ignored;
    bool is_unix;
    if (text_equal(rest, TEXT("none")))
        return 0;
    while (text_next_member(&rest, &member))
        if (network_list_read(member, &ignored, &is_unix)) {
            snprintf(why, size, "'%.*s' is no network, nor unix (try 10.0.0.0/8, 192.0.2.1, fd00::/8)", (int)member.length,
                     member.at);
            return UV_EINVAL;
        }
    return 0;
}
