/* markdown.c - see markdown.h. md4c turns Markdown into HTML but lets every link through,
 * javascript: ones too: so the address of each is held until it is whole, and looked at. */
#include "markdown.h"

#include <md4c-html.h>
#include <stdbool.h>
#include <strings.h>

struct renderer {
    buffer *out;
    bool    in_address;                      /* between href=" or src=" and its closing quote */
    size_t  address;                         /* where in out it begins */
};

/* A scheme is what comes before the first ':', if no '/', '?' or '#' comes earlier (RFC 3986, 3.1). */
static bool address_is_harmless(text address)
{
    static const char *const GOOD[] = { "http", "https", "mailto" };
    size_t length = 0;
    while (length < address.length && !memchr(":/?#", address.at[length], 4))
        length++;
    if (length == address.length || address.at[length] != ':')
        return true;
    for (int i = 0; i < 3; i++)
        if (strlen(GOOD[i]) == length && strncasecmp(address.at, GOOD[i], length) == 0)
            return true;
    return false;
}

static bool text_ends_with(text t, const char *ending)
{
    const size_t length = strlen(ending);
    return t.length >= length && memcmp(t.at + t.length - length, ending, length) == 0;
}

/* md4c gives the tag up to the opening quote, the address in pieces, and what begins with the
 * closing quote as outputs of their own. Within the address a quote is escaped. */
static void markdown_on_output(const MD_CHAR *at, MD_SIZE length, void *arg)
{
    struct renderer *r = arg;
    const text t = { at, length };

    if (r->in_address && length > 0 && at[0] == '"') {
        r->in_address = false;
        if (!address_is_harmless((text){ r->out->at + r->address, r->out->length - r->address })) {
            r->out->length = r->address;
            buffer_text(r->out, TEXT("#"));
        }
    }
    buffer_text(r->out, t);
    if (!r->in_address && (text_ends_with(t, "<a href=\"") || text_ends_with(t, "<img src=\""))) {
        r->in_address = true;
        r->address = r->out->length;
    }
}

void markdown_html(buffer *b, text markdown)
{
    struct renderer r = { .out = b };
    /* md4c (0.4.8) reads beyond a text that ends inside a link: this one ends with its line. */
    char *copy = arena_room(b->arena, markdown.length + 1);
    memcpy(copy, markdown.at, markdown.length);
    copy[markdown.length] = '\n';
    md_html(copy, (MD_SIZE)markdown.length + 1, markdown_on_output, &r,
            MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEAUTOLINKS, 0);
}
