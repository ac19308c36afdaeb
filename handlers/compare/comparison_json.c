/* comparison_json.c - a comparison as JSON:
 *
 *   {"run": 1, "state": "done", "why": "", "load": "waiting", "asked": 1000, "requests": 1000, "winner": "async",
 *    "sentence": "The loop wins by memory: ...", "measured_ms": 2500,
 *    "modes": {"async": {"address": "http://127.0.0.1:8080", "turns": 2, "connections": 1000, "held": 1000, "threads": 6,
 *                        "answers": 5000, "refused": 0, "failed": 0, "per_second": 1000.0, "p50_ms": 0.7, "p99_ms": 1.9,
 *                        "cpu_percent": 3.1, "cpu_us": 31.0, "others_percent": 1.5, "opening_ms": 80,
 *                        "memory": {"stacks": 4194304, "kernel_stacks": 98304, "rest": 1310720}},
 *              "threads": {...}},
 *    "samples": [{"at_ms": 250, "turn": 0, "mode": "async", "measures": true, "open": 1000, "held": 1000, "threads": 6,
 *                 "per_second": 998.0, "refused": 0, "failed": 0, "p50_ms": 0.7, "p99_ms": 1.9, "cpu_percent": 3.0,
 *                 "stacks": 4194304, "kernel_stacks": 98304, "rest": 1310720}]}
 *
 * state: none, running, done or failed; winner: async, threads or none. Latencies are beyond what a request asks the server to
 * wait. cpu_percent is of one processor, cpu_us of one answer,
 * others_percent what other processes of the machine had meanwhile. Bytes: comparison.h says of what. */
#include "comparison.h"
#include "server/base/buffer.h"

static const char *const STATES[] = {
    [COMPARISON_NONE] = "none", [COMPARISON_RUNNING] = "running", [COMPARISON_DONE] = "done", [COMPARISON_FAILED] = "failed",
};

void comparison_write_sample(buffer *b, const sample *s)
{
    buffer_printf(b, "{\"at_ms\":%u,\"turn\":%d,\"mode\":\"%s\",\"measures\":%s,\"open\":%d,\"held\":%d,\"threads\":%d,"
                     "\"per_second\":%.1f,\"refused\":%llu,\"failed\":%llu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cpu_percent\":%.1f,"
                     "\"stacks\":%zu,\"kernel_stacks\":%zu,\"rest\":%zu}", s->at_ms, s->turn, MODE_NAMES[s->mode],
                  s->measures ? "true" : "false", s->open, s->held, s->threads, s->per_second, (unsigned long long)s->refused,
                  (unsigned long long)s->failed, s->p50_ms, s->p99_ms, s->cpu_percent, s->stacks, s->kernel_stacks, s->rest);
}

static void comparison_write_figures(buffer *b, const char *address, const figures *f)
{
    buffer_text(b, TEXT("{\"address\":"));
    buffer_json(b, text_of(address));
    buffer_printf(b, ",\"turns\":%d,\"connections\":%d,\"held\":%d,\"threads\":%d,\"answers\":%llu,\"refused\":%llu,"
                     "\"failed\":%llu,\"per_second\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cpu_percent\":%.1f,\"cpu_us\":%.1f,"
                     "\"others_percent\":%.1f,\"opening_ms\":%llu,\"memory\":{\"stacks\":%zu,\"kernel_stacks\":%zu,"
                     "\"rest\":%zu}}",
                  f->turns, f->connections, f->held, f->threads, (unsigned long long)f->answers, (unsigned long long)f->refused,
                  (unsigned long long)f->failed, figures_per_second(f), f->p50_ms, f->p99_ms, figures_cpu_percent(f),
                  figures_cpu_us(f), figures_others_percent(f),
                  (unsigned long long)f->opening_ms, f->stacks, f->kernel_stacks, f->rest);
}

void comparison_write_json(buffer *b, const comparison *c)
{
    char sentence[VERDICT_SENTENCE] = "";
    const int winner = c->state == COMPARISON_DONE ? verdict(c->of, sentence) : VERDICT_NONE;
    buffer_printf(b, "{\"run\":%u,\"state\":\"%s\",\"why\":", c->number, STATES[c->state]);
    buffer_json(b, text_of(c->why));
    buffer_printf(b, ",\"load\":\"%s\",\"asked\":%d,\"requests\":%d,\"winner\":\"%s\",\"sentence\":", LOADS_ABOUT[c->kind].name,
                  c->asked, c->connections, winner == VERDICT_NONE ? "none" : MODE_NAMES[winner]);
    buffer_json(b, text_of(sentence));
    buffer_printf(b, ",\"measured_ms\":%d,\"modes\":{", c->measures_ms);
    for (int i = 0; i < MODES; i++) {
        buffer_printf(b, "%s\"%s\":", i ? "," : "", MODE_NAMES[i]);
        comparison_write_figures(b, c->address[i], &c->of[i]);
    }
    buffer_text(b, TEXT("},\"samples\":["));
    for (int i = 0; i < c->samples; i++) {
        buffer_text(b, i ? TEXT(",\n") : TEXT("\n"));
        comparison_write_sample(b, &c->sample[i]);
    }
    buffer_text(b, TEXT("]}\n"));
}
