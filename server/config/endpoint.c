/* endpoint.c - see endpoint.h. */
#include "endpoint.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

static bool text_begins(text t, const char *with)
{
    return t.length >= strlen(with) && memcmp(t.at, with, strlen(with)) == 0;
}

/* Each endpoint has a colon, and no option has. */
static bool is_option(text member)
{
    return memchr(member.at, '=', member.length) && !memchr(member.at, ':', member.length);
}

static int endpoint_complain(text member, const char *what, char *why, size_t size)
{
    snprintf(why, size, "'%.*s' %s", (int)member.length, member.at, what);
    return UV_EINVAL;
}

static int endpoint_read_path(endpoint *e, char *why, size_t size)
{
    const size_t prefix = strlen("unix:");
    const text path = { e->written.at + prefix, e->written.length - prefix };
    if (path.length == 0 || text_equal(path, TEXT("@")))
        return endpoint_complain(e->written, "names no file (try unix:/run/tenk.sock)", why, size);
    if (path.length >= sizeof e->path)
        return endpoint_complain(e->written, "is longer than a unix socket's path may be (107 bytes)", why, size);
    memcpy(e->path, path.at, path.length);
    e->path[path.length] = '\0';
    return 0;
}

static int endpoint_read_address(endpoint *e, char *why, size_t size)
{
    char copy[ADDRESS_TEXT];
    if (e->written.length < sizeof copy) {
        memcpy(copy, e->written.at, e->written.length);
        copy[e->written.length] = '\0';
        if (address_parse(&e->at, copy) == 0)
            return 0;
    }
    return endpoint_complain(e->written, "is not HOST:PORT, nor unix:PATH "
                             "(try 127.0.0.1:8080, [::1]:8080, :8080, unix:/run/tenk.sock)", why, size);
}

static int endpoint_read_mode(endpoint *e, text option, char *why, size_t size)
{
    enum { NAME = sizeof "mode=" - 1, DIGITS = 4 };
    int mode = 0;
    if (!e->path[0] || e->path[0] == '@')
        return endpoint_complain(option, "is for the file of a unix socket", why, size);
    if (option.length == NAME || option.length > NAME + DIGITS)
        return endpoint_complain(option, "is not a file's mode in octal (try mode=0660)", why, size);
    for (size_t i = NAME; i < option.length; i++) {
        if (option.at[i] < '0' || option.at[i] > '7')
            return endpoint_complain(option, "is not a file's mode in octal (try mode=0660)", why, size);
        mode = mode * 8 + option.at[i] - '0';
    }
    if (mode > 0777)
        return endpoint_complain(option, "is more than a socket's file has (0777)", why, size);
    e->mode = mode;
    return 0;
}

static int endpoint_read_option(endpoint *e, text option, char *why, size_t size)
{
    if (text_begins(option, "mode="))
        return endpoint_read_mode(e, option, why, size);
    e->proxy_protocol = text_equal(option, TEXT("proxy_protocol=on"));
    if (e->proxy_protocol || text_equal(option, TEXT("proxy_protocol=off")))
        return 0;
    return endpoint_complain(option, "is no option of an address (there are mode=0660 and proxy_protocol=on)", why, size);
}

int endpoint_next(text *list, endpoint *e, char *why, size_t size)
{
    endpoint found = { .mode = -1 };
    text rest = *list, option;
    if (!text_next_member(&rest, &found.written))
        return UV_EOF;
    int err = text_begins(found.written, "unix:") ? endpoint_read_path(&found, why, size)
                                                  : endpoint_read_address(&found, why, size);
    for (text behind = rest; !err && text_next_member(&behind, &option) && is_option(option); rest = behind)
        err = endpoint_read_option(&found, option, why, size);
    if (err)
        return err;
    *e = found;
    *list = rest;
    return 0;
}

static bool endpoint_take(text *list, endpoint *e)
{
    char ignored[1];
    return endpoint_next(list, e, ignored, sizeof ignored) == 0;
}

/* Of port 0 there may be many. */
static bool is_repeated(text list, int count, const endpoint *e)
{
    endpoint before;
    for (int i = 0; i < count && endpoint_take(&list, &before); i++)
        if (text_equal(before.written, e->written) && (e->path[0] || e->at.port != 0))
            return true;
    return false;
}

int endpoints_check(const char *list, char *why, size_t size)
{
    text rest = text_of(list);
    int count = 0, err;
    endpoint e;
    for (; !(err = endpoint_next(&rest, &e, why, size)); count++) {
        if (is_repeated(text_of(list), count, &e))
            return endpoint_complain(e.written, "is there twice", why, size);
        if (count == ENDPOINTS_MOST) {
            snprintf(why, size, "there are more than %d addresses", ENDPOINTS_MOST);
            return UV_EINVAL;
        }
    }
    return err == UV_EOF ? 0 : err;
}

bool endpoints_are_local(const char *list)
{
    text rest = text_of(list);
    endpoint e;
    while (endpoint_take(&rest, &e))
        if (!e.path[0] && !address_is_loopback(&e.at))
            return false;
    return true;
}

bool endpoints_have_port(const char *list, endpoint *e)
{
    text rest = text_of(list);
    endpoint found;
    while (endpoint_take(&rest, &found))
        if (!found.path[0]) {
            if (e)
                *e = found;
            return true;
        }
    return false;
}

bool endpoints_have_proxy_protocol(const char *list)
{
    text rest = text_of(list);
    endpoint e;
    while (endpoint_take(&rest, &e))
        if (e.proxy_protocol)
            return true;
    return false;
}

int endpoints_count(const char *list)
{
    text rest = text_of(list);
    endpoint e;
    int count = 0;
    while (endpoint_take(&rest, &e))
        count++;
    return count;
}
