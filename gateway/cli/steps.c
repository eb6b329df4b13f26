/* SPDX-License-Identifier: Apache-2.0
 * Step lines: name, text, time at column 64; redrawing on a terminal. */
#include "gateway/cli/steps.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "gateway/cli/table.h"
#include "sys/clock.h"

#define TEXT_COLUMN   11 /* columns before the text */
#define SECOND_COLUMN 18 /* columns of the text before what stands behind a tab */
#define TIME_COLUMN   64 /* the time ends here */
#define REDRAW_MS     100
#define PIPE_MS       10000
#define BAR_COLUMNS   26

struct cli_steps {
    FILE *err;
    struct cli_steps_options o;
    bool running, drawn;
    char name[32], text[512];
    int64_t begin_us, told_ms;
    uint64_t done, total, first_done; /* progress; first_done: what was there when it began */
    int64_t progress_us;
};

void cli_time_text(int64_t us, char out[24])
{
    if (us < 99950) {
        snprintf(out, 24, "%.1f ms", (double)us / 1e3);
    } else if (us < 99950000) {
        snprintf(out, 24, "%.1f s", (double)us / 1e6);
    } else if (us < INT64_C(600000000)) {
        int64_t sec = (us + 500000) / 1000000;
        snprintf(out, 24, "%" PRId64 " min %" PRId64 " s", sec / 60, sec % 60);
    } else {
        int64_t min = (us + 30000000) / 60000000;
        if (min < 120) {
            snprintf(out, 24, "%" PRId64 " min", min);
        } else {
            snprintf(out, 24, "%" PRId64 " h %" PRId64 " min", min / 60, min % 60);
        }
    }
}

void cli_size_text(uint64_t bytes, char out[24])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double v = (double)bytes;
    size_t u = 0;
    while (v >= 999.5 && u + 1 < SL_ARRAY_LEN(units)) {
        v /= 1000;
        u++;
    }
    snprintf(out, 24, u > 1 && v < 99.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

void cli_steps_defaults(struct cli_steps_options *o, FILE *err)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    *o = (struct cli_steps_options){.terminal = isatty(fileno(err)) == 1, .width = cli_terminal_width(err)};
    if (!term || strcmp(term, "dumb") == 0) {
        o->terminal = false;
    }
    o->colour = o->terminal && !(no && *no);
}

struct cli_steps *cli_steps_new(FILE *err, const struct cli_steps_options *o)
{
    struct cli_steps *s = calloc(1, sizeof(*s));
    SL_OOM_ON(!s);
    s->err = err;
    s->o = *o;
    return s;
}

void cli_steps_hide(struct cli_steps *s)
{
    if (s->drawn) {
        fputs("\r\033[K", s->err);
        fflush(s->err);
        s->drawn = false;
    }
}

void cli_steps_free(struct cli_steps *s)
{
    if (s) {
        cli_steps_hide(s);
        free(s);
    }
}

/* " name     text", and behind it the time at the right and what follows it. */
static void put_line(const struct cli_steps *s, struct sl_buf *b, const char *name, sl_str text,
                     const char *time, const char *after)
{
    struct sl_buf line;
    sl_buf_init(&line, 0);
    sl_buf_putc(&line, ' ');
    cli_put_padded(&line, sl_str_of(name), TEXT_COLUMN - 2, false, false);
    sl_buf_putc(&line, ' ');
    ptrdiff_t tab = sl_str_find_char(text, '\t');
    if (tab >= 0) {
        struct sl_buf first;
        sl_buf_init(&first, 0);
        cli_put_visible(&first, (sl_str){text.p, (size_t)tab});
        cli_put_padded(&line, sl_buf_str(&first), SECOND_COLUMN - 1, false, false);
        sl_buf_putc(&line, ' ');
        sl_buf_release(&first);
        text = sl_str_sub(text, (size_t)tab + 1, text.n - (size_t)tab - 1);
    }
    cli_put_visible(&line, text);
    while (line.n > 0 && line.p[line.n - 1] == ' ') {
        line.n--;
    }
    if (time) {
        size_t want = TIME_COLUMN - SL_MIN(strlen(time), (size_t)TIME_COLUMN),
               have = cli_width(sl_buf_str(&line));
        for (size_t i = have; i < want || i < have + 2; i++) {
            sl_buf_putc(&line, ' ');
        }
        sl_buf_printf(&line, "%s%s%s", s->o.colour ? "\033[2m" : "", time, s->o.colour ? "\033[0m" : "");
    }
    if (after) {
        sl_buf_printf(&line, "  %s%s%s", s->o.colour ? "\033[31m" : "", after, s->o.colour ? "\033[0m" : "");
    }
    sl_buf_puts(b, sl_buf_str(&line));
    sl_buf_release(&line);
}

static void print_line(struct cli_steps *s, const char *name, const char *text, const char *time,
                       const char *after)
{
    if (s->o.quiet) {
        return;
    }
    struct sl_buf b;
    sl_buf_init(&b, 0);
    put_line(s, &b, name, sl_str_of(text), time, after);
    sl_buf_putc(&b, '\n');
    cli_steps_hide(s);
    fwrite(b.p, 1, b.n, s->err);
    fflush(s->err);
    sl_buf_release(&b);
}

/* "[####----]  182 / 312 MB   9.8 MB/s   13 s left" */
static void put_progress(const struct cli_steps *s, struct sl_buf *b)
{
    char done[24], total[24], rate_text[24], left_text[40];
    cli_size_text(s->done, done);
    if (s->total == 0) {
        sl_buf_printf(b, "  %s", done);
        return;
    }
    cli_size_text(s->total, total);
    uint64_t part = SL_MIN(s->done, s->total);
    sl_buf_putz(b, "  [");
    for (unsigned i = 0; i < BAR_COLUMNS; i++) {
        sl_buf_putc(b, i < part * BAR_COLUMNS / s->total ? '#' : '-');
    }
    const char *unit = strchr(total, ' '), *same = strchr(done, ' ');
    bool short_form = unit && same && strcmp(unit, same) == 0;
    sl_buf_printf(b, "]  %.*s / %s", short_form ? (int)(same - done) : (int)strlen(done), done, total);
    int64_t spent = sys_now_us() - s->progress_us;
    if (spent > 500000 && s->done > s->first_done) {
        double rate = (double)(s->done - s->first_done) / ((double)spent / 1e6);
        int64_t left = (int64_t)((double)(s->total - part) / rate);
        cli_size_text((uint64_t)rate, rate_text);
        if (left < 120) {
            snprintf(left_text, sizeof(left_text), "%" PRId64 " s left", left);
        } else {
            snprintf(left_text, sizeof(left_text), "%" PRId64 " min left", (left + 30) / 60);
        }
        sl_buf_printf(b, "   %s/s   %s", rate_text, left_text);
    }
}

/* The running step: in place on a terminal, now and then in a pipe when there is progress to tell. */
static void draw(struct cli_steps *s, bool now)
{
    int64_t ms = sys_now_ms();
    if (s->o.quiet || !s->running || (!now && ms - s->told_ms < (s->o.terminal ? REDRAW_MS : PIPE_MS))) {
        return;
    }
    s->told_ms = ms;
    if (!s->o.terminal) {
        if (s->done > 0 && !now) {
            char done[24], total[24], text[64];
            cli_size_text(s->done, done);
            cli_size_text(s->total, total);
            snprintf(text, sizeof(text), s->total > 0 ? "%s of %s" : "%s", done, total);
            print_line(s, s->name, text, NULL, NULL);
        }
        return;
    }
    struct sl_buf b;
    sl_buf_init(&b, 0);
    put_line(s, &b, s->name, sl_str_of(s->text), NULL, NULL);
    if (s->done > 0) {
        put_progress(s, &b);
    }
    sl_str fit = cli_fit(sl_buf_str(&b), (size_t)(s->o.width > 1 ? s->o.width - 1 : 79));
    fprintf(s->err, "\r%.*s\033[K", SL_S(fit));
    fflush(s->err);
    s->drawn = true;
    sl_buf_release(&b);
}

static void set_text(struct cli_steps *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void set_text(struct cli_steps *s, const char *fmt, va_list ap)
{
    vsnprintf(s->text, sizeof(s->text), fmt, ap);
}

void cli_steps_begin(struct cli_steps *s, const char *name, const char *fmt, ...)
{
    cli_steps_hide(s);
    snprintf(s->name, sizeof(s->name), "%s", name);
    va_list ap;
    va_start(ap, fmt);
    set_text(s, fmt, ap);
    va_end(ap);
    s->running = true;
    s->begin_us = sys_now_us();
    s->done = s->total = s->first_done = 0;
    draw(s, true);
}

void cli_steps_update(struct cli_steps *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(s, fmt, ap);
    va_end(ap);
    draw(s, s->o.terminal);
}

void cli_steps_progress(struct cli_steps *s, uint64_t done, uint64_t total)
{
    if (s->done == 0) {
        s->first_done = done;
        s->progress_us = sys_now_us();
    }
    s->done = done;
    s->total = total;
    draw(s, false);
}

static const char *time_of(const struct cli_steps *s, int64_t us, char out[24])
{
    if (us == CLI_STEPS_NO_TIME) {
        return NULL;
    }
    cli_time_text(us < 0 ? sys_now_us() - s->begin_us : us, out);
    return out;
}

void cli_steps_done(struct cli_steps *s, int64_t us, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(s, fmt, ap);
    va_end(ap);
    char time[24];
    print_line(s, s->name, s->text, time_of(s, us, time), NULL);
    s->running = false;
}

void cli_steps_failed(struct cli_steps *s, int64_t us)
{
    if (s->running) {
        char time[24];
        print_line(s, s->name, s->text, time_of(s, us, time), "failed");
        s->running = false;
    }
}

void cli_steps_note(struct cli_steps *s, const char *name, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    print_line(s, name, text, NULL, NULL);
    draw(s, s->o.terminal);
}

void cli_steps_say(struct cli_steps *s, const char *fmt, ...)
{
    if (s->o.quiet) {
        return;
    }
    cli_steps_hide(s);
    va_list ap;
    va_start(ap, fmt);
    vfprintf(s->err, fmt, ap);
    va_end(ap);
    fputc('\n', s->err);
    fflush(s->err);
    draw(s, s->o.terminal);
}
