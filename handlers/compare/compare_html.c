/* compare_html.c - see compare_html.h. Without scripts it is a form, a sentence and a table; static/compare.js draws the rest. */
#include "compare_html.h"
#include "account.h"

static const int SIZES[] = { 10, 100, 1000, 10000 };

const char *compare_html_head(const comparison *c)
{
    static const char ALWAYS[] = "<link rel=\"stylesheet\" href=\"/static/compare.css\">\n"
                                 "<script src=\"/static/compare.js\" defer></script>\n";
    static const char RUNNING[] = "<link rel=\"stylesheet\" href=\"/static/compare.css\">\n"
                                  "<script src=\"/static/compare.js\" defer></script>\n"
                                  "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n";
    return c->state == COMPARISON_RUNNING ? RUNNING : ALWAYS;
}

static void compare_html_form(buffer *b, const comparison *c)
{
    const int kind = c->number ? (int)c->kind : LOAD_WAITING, asked = c->number ? c->asked : COMPARISON_USUAL;
    buffer_text(b, TEXT("<form class=\"compare-form\" method=\"post\" action=\"/compare\">\n<fieldset>\n"
                        "<legend>What every request does</legend>\n"));
    for (int i = 0; i < LOADS; i++)
        buffer_printf(b, "<label><input type=\"radio\" name=\"load\" value=\"%s\"%s> <span><b>%s</b>: %s</span></label>\n",
                      LOADS_ABOUT[i].name, i == kind ? " checked" : "", LOADS_ABOUT[i].title, LOADS_ABOUT[i].what);
    buffer_text(b, TEXT("</fieldset>\n<label class=\"compare-size\">Requests at once <select name=\"requests\">\n"));
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
        buffer_printf(b, "<option value=\"%d\"%s>%d</option>\n", SIZES[i], SIZES[i] == asked ? " selected" : "", SIZES[i]);
    buffer_text(b, TEXT("</select></label>\n<button>Compare</button>\n</form>\n"));
}

static void compare_html_status(buffer *b, const comparison *c)
{
    char sentence[VERDICT_SENTENCE] = "";
    buffer_text(b, TEXT("<p class=\"compare-status\" role=\"status\">"));
    if (c->state == COMPARISON_RUNNING)
        buffer_text(b, TEXT("It runs: four turns of some three seconds."));
    else if (c->state == COMPARISON_FAILED)
        buffer_html(b, text_of(c->why));
    buffer_text(b, TEXT("</p>\n"));
    if (c->state == COMPARISON_DONE)
        verdict(c->of, sentence);
    buffer_printf(b, "<p class=\"compare-sentence\"%s>", sentence[0] ? "" : " hidden");
    buffer_html(b, text_of(sentence));
    buffer_text(b, TEXT("</p>\n"));
    if (c->state == COMPARISON_DONE && c->why[0]) {
        buffer_text(b, TEXT("<p class=\"meta compare-room\">"));
        buffer_html(b, text_of(c->why));
        buffer_text(b, TEXT("</p>\n"));
    }
}

static double mb(size_t bytes) { return (double)bytes / (1024 * 1024); }

/* A row of both modes; decimals of what is shown. */
static void compare_html_row(buffer *b, const char *what, int decimals, double async, double threads)
{
    buffer_printf(b, "<tr><th scope=\"row\">%s</th><td>%.*f</td><td>%.*f</td></tr>\n", what, decimals, async, decimals, threads);
}

static void compare_html_table(buffer *b, const comparison *c)
{
    const figures *a = &c->of[MODE_ASYNC], *t = &c->of[MODE_THREADS];
    buffer_printf(b, "<table class=\"compare-figures\">\n<caption>%s, %d requests at once, run %u</caption>\n<thead><tr>"
                     "<th scope=\"col\">of all turns</th><th scope=\"col\">async</th><th scope=\"col\">threads</th></tr>"
                     "</thead>\n<tbody>\n",
                  LOADS_ABOUT[c->kind].title, c->connections, c->number);
    compare_html_row(b, "answers a second", 0, figures_per_second(a), figures_per_second(t));
    compare_html_row(b, "half took no longer than (p50), ms", 1, a->p50_ms, t->p50_ms);
    compare_html_row(b, "99 of 100 took no longer than (p99), ms", 1, a->p99_ms, t->p99_ms);
    compare_html_row(b, "requests held at once", 0, a->held, t->held);
    compare_html_row(b, "threads", 0, a->threads, t->threads);
    compare_html_row(b, "stacks, MB", 1, mb(a->stacks), mb(t->stacks));
    compare_html_row(b, "the kernel's stacks of threads, MB", 1, mb(a->kernel_stacks), mb(t->kernel_stacks));
    compare_html_row(b, "requests, buffers and heap, MB", 1, mb(a->rest), mb(t->rest));
    compare_html_row(b, "processor time of an answer, us", 0, figures_cpu_us(a), figures_cpu_us(t));
    compare_html_row(b, "processor, % of one", 0, figures_cpu_percent(a), figures_cpu_percent(t));
    compare_html_row(b, "other programs had, % of one", 0, figures_others_percent(a), figures_others_percent(t));
    compare_html_row(b, "refused (503)", 0, (double)a->refused, (double)t->refused);
    compare_html_row(b, "failed", 0, (double)a->failed, (double)t->failed);
    compare_html_row(b, "until all connections stood, ms", 0, (double)a->opening_ms, (double)t->opening_ms);
    buffer_text(b, TEXT("</tbody>\n</table>\n"));
}

static void compare_html_counted(buffer *b)
{
    buffer_printf(b,
        "<details class=\"compare-counted\"><summary>What is measured, and how</summary>\n<ul>\n"
        "<li>Both modes serve in this one process, the same routes from the same database. A thread of its own makes the load, by"
        " connections on loopback that each ask, wait for the answer, and ask again.</li>\n"
        "<li>They take turns: async, threads, threads, async, each usually for %d ms once all connections stand. Both at once"
        " would take the processors from each other.</li>\n"
        "<li>Latencies are those of answers with 200, without the time that a request asks to wait.</li>\n"
        "<li>Processor time is the whole process's in its turn, without the threads that make the load and measure it; of threads"
        " also without the loops.</li>\n"
        "<li>Stacks are the pages that are in memory, by mincore(2): of tasks all, free ones too; of threads some hundreds, taken"
        " for all. The kernel has %d KB more for each thread. The rest is what the process has grown by in the turn.</li>\n"
        "<li>async: the loops, and the thread pool for what computes. The readers of SQLite serve both.</li>\n"
        "</ul>\n<p>As JSON: <code>curl -H 'Accept: application/json' .../compare</code>. <code>tenk --compare</code> has both"
        " modes from the start, to be asked by anything else.</p>\n</details>\n",
        COMPARISON_MEASURES, ACCOUNT_KERNEL_STACK / 1024);
}

void compare_html_section(buffer *b, const comparison *c)
{
    buffer_printf(b, "<section class=\"compare\" id=\"compare\" data-run=\"%u\" data-running=\"%s\" aria-label=\"Comparison\">\n",
                  c->number, c->state == COMPARISON_RUNNING ? "true" : "false");
    compare_html_form(b, c);
    compare_html_status(b, c);
    buffer_text(b, TEXT("<div class=\"compare-live\"></div>\n"));
    if (c->state == COMPARISON_DONE)
        compare_html_table(b, c);
    compare_html_counted(b);
    buffer_text(b, TEXT("</section>\n"));
}
