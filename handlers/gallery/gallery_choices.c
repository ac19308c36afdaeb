/* gallery_choices.c - what a visitor chooses before a run: read from the address, and offered as a field of the form that
 * runs it, which works without scripts. */
#include "gallery.h"

static int choices_count(const choices *c)
{
    int n = 0;
    while (n < (int)(sizeof c->of / sizeof c->of[0]) && c->of[n].value)
        n++;
    return n;
}

int choices_read(const pattern *p, request *req, int *chosen)
{
    *chosen = 0;
    if (!p->choices || !request_has_query(req, p->choices->key))
        return 0;
    const text asked = request_query(req, p->choices->key);
    for (int i = 0; i < choices_count(p->choices); i++)
        if (text_equal(asked, text_of(p->choices->of[i].value))) {
            *chosen = i;
            return 0;
        }
    return E_BAD_REQUEST;
}

int choices_respond_unknown(const pattern *p, request *req)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    for (int i = 0; i < choices_count(p->choices); i++)
        buffer_printf(&b, "%s%s", i ? ", " : "", p->choices->of[i].value);
    return respond_problem(req, 400, "?%s= is one of: %.*s.", p->choices->key, (int)b.length, b.at);
}

void choices_write_field(buffer *b, const pattern *p, int chosen)
{
    if (!p->choices)
        return;
    buffer_text(b, TEXT("<label>"));
    buffer_html(b, text_of(p->choices->label));
    buffer_printf(b, " <select name=\"%s\">", p->choices->key);
    for (int i = 0; i < choices_count(p->choices); i++) {
        buffer_printf(b, "<option value=\"%s\"%s>", p->choices->of[i].value, i == chosen ? " selected" : "");
        buffer_html(b, text_of(p->choices->of[i].label));
        buffer_text(b, TEXT("</option>"));
    }
    buffer_text(b, TEXT("</select></label> "));
}

void choices_write_json(buffer *b, const pattern *p)
{
    if (!p->choices)
        return;
    buffer_printf(b, ",\"choices\":{\"%s\":[", p->choices->key);
    for (int i = 0; i < choices_count(p->choices); i++)
        buffer_printf(b, "%s\"%s\"", i ? "," : "", p->choices->of[i].value);
    buffer_text(b, TEXT("]}"));
}

void choices_write_chosen_json(buffer *b, const pattern *p, int chosen)
{
    if (p->choices)
        buffer_printf(b, ",\"chosen\":{\"%s\":\"%s\"}", p->choices->key, p->choices->of[chosen].value);
}
