/* SPDX-License-Identifier: Apache-2.0
 * From events to what is seen. */
#include "gateway/cli/run_events.h"

#include "base/json.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/steps.h"
#include "gateway/cli/table.h"
#include "gateway/jobs/event.h"

#include <stdlib.h>
#include <unistd.h>

#define MAX_COLUMNS 4096

struct cli_events {
    struct cli_events_options o;
    const struct sql_script *script;
    struct cli_steps *steps;
    struct cli_rows *rows; /* of the result being shown */
    struct sl_arena arena; /* of one line */
    char step[32];         /* running */
    sl_str *cells;         /* MAX_COLUMNS */
    bool *nulls;
    int exit_code;
    bool gone;
    bool plain; /* the result is a text: EXPLAIN, SHOW CREATE */
};

struct cli_events *cli_events_new(const struct cli_events_options *o, const struct sql_script *script)
{
    struct cli_events *e = calloc(1, sizeof(*e));
    SL_OOM_ON(!e);
    e->o = *o;
    e->script = script;
    struct cli_steps_options so;
    cli_steps_defaults(&so, stderr);
    so.quiet = o->quiet || o->json;
    e->steps = cli_steps_new(stderr, &so);
    e->cells = calloc(MAX_COLUMNS, sizeof(*e->cells));
    e->nulls = calloc(MAX_COLUMNS, sizeof(*e->nulls));
    SL_OOM_ON(!e->cells || !e->nulls);
    sl_arena_init(&e->arena, 0);
    return e;
}

void cli_events_free(struct cli_events *e)
{
    cli_rows_free(e->rows);
    cli_steps_free(e->steps);
    sl_arena_release(&e->arena);
    free(e->cells);
    free(e->nulls);
    free(e);
}

void cli_events_interrupted(struct cli_events *e)
{
    if (!e->o.json && !e->o.quiet && !e->rows && isatty(STDERR_FILENO)) {
        cli_steps_hide(e->steps);
        fputs("\r\033[K^C\n", stderr);
        fflush(stderr);
    }
}

bool cli_events_reader_gone(const struct cli_events *e)
{
    return e->gone || (e->rows && cli_rows_gone(e->rows));
}

/* --- JSON lines --------------------------------------------------------------------------------------------
 */

static void print_json(struct cli_events *e, struct sl_buf *b)
{
    sl_buf_putc(b, '\n');
    if (fwrite(b->p, 1, b->n, stdout) != b->n) {
        e->gone = true;
    }
}

/* A block of rows becomes one "row" event each. */
static void json_rows(struct cli_events *e, const struct sl_json *event)
{
    int64_t result = sl_json_i64(sl_json_get(event, "result"), 0);
    SL_JSON_EACH(row, sl_json_get(event, "rows"))
    {
        SL_BUF_AUTO b;
        struct sl_jw w;
        sl_buf_init(&b, 0);
        sl_jw_init(&w, &b);
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "event", "row");
        sl_jw_ki64(&w, "result", result);
        sl_jw_kstr(&w, "kind", sl_json_str(row->child, SL_STR("+I")));
        sl_jw_key(&w, "values");
        sl_jw_array(&w);
        for (const struct sl_json *v = row->child ? row->child->next : NULL; v; v = v->next) {
            sl_jw_value(&w, v);
        }
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
        print_json(e, &b);
    }
}

/* A column's type as it is shown: that the column itself is never NULL is no part of it, nested ones stay. */
static sl_str shown_type(sl_str type)
{
    sl_str end = SL_STR(" NOT NULL");
    return sl_str_ends(type, end) ? sl_str_sub(type, 0, type.n - end.n) : type;
}

static void json_columns(struct cli_events *e, const struct sl_json *event)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    SL_JSON_EACH(member, event)
    {
        sl_jw_keys(&w, member->key);
        if (!sl_str_eqz(member->key, "columns")) {
            sl_jw_value(&w, member);
            continue;
        }
        sl_jw_array(&w);
        SL_JSON_EACH(c, member)
        {
            sl_jw_object(&w);
            sl_jw_kstr(&w, "name", sl_json_str(sl_json_get(c, "name"), SL_STR("")));
            sl_jw_kstr(&w, "type", shown_type(sl_json_str(sl_json_get(c, "type"), SL_STR(""))));
            sl_jw_end_object(&w);
        }
        sl_jw_end_array(&w);
    }
    sl_jw_end_object(&w);
    print_json(e, &b);
    fflush(stdout);
}

static void json_event(struct cli_events *e, const struct sl_json *event)
{
    sl_str what = sl_json_str(sl_json_get(event, "event"), SL_STR(""));
    if (sl_str_eqz(what, "rows")) {
        json_rows(e, event);
        return;
    }
    if (sl_str_eqz(what, "columns")) {
        json_columns(e, event);
        return;
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_value(&w, event);
    print_json(e, &b);
    fflush(stdout);
}

/* --- people ------------------------------------------------------------------------------------------------
 */

static const char *text_z(struct cli_events *e, const struct sl_json *event, const char *key)
{
    return sl_arena_strdupz(&e->arena, sl_json_str(sl_json_get(event, key), SL_STR("")));
}

static void show_step(struct cli_events *e, const struct sl_json *event)
{
    const char *step = text_z(e, event, "step"), *state = text_z(e, event, "state"),
               *text = text_z(e, event, "text");
    const struct sl_json *ms = sl_json_get(event, "ms");
    int64_t us = ms ? (int64_t)(sl_json_f64(ms, 0) * 1000) : CLI_STEPS_NO_TIME;
    cli_events_flush(e);
    if (strcmp(e->step, step) != 0) {
        cli_steps_begin(e->steps, step, "%s", text);
        snprintf(e->step, sizeof(e->step), "%s", step);
    } else if (text[0]) {
        cli_steps_update(e->steps, "%s", text);
    }
    if (strcmp(state, "done") == 0) {
        cli_steps_done(e->steps, us, "%s", text);
        e->step[0] = 0;
    } else if (strcmp(state, "failed") == 0 && strcmp(step, "failed") == 0) { /* says it already */
        cli_steps_done(e->steps, us, "%s", text);
        e->step[0] = 0;
    } else if (strcmp(state, "failed") == 0) {
        cli_steps_failed(e->steps, us);
        e->step[0] = 0;
    }
}

static void read_pos(const struct sl_json *o, struct sl_pos *ret)
{
    *ret = SL_POS_NONE;
    if (sl_json_get(o, "offset")) {
        *ret = (struct sl_pos){(uint32_t)sl_json_i64(sl_json_get(o, "offset"), 0),
                               (uint32_t)sl_json_i64(sl_json_get(o, "length"), 0),
                               (uint32_t)sl_json_i64(sl_json_get(o, "line"), 1),
                               (uint32_t)sl_json_i64(sl_json_get(o, "column"), 1),
                               (uint32_t)sl_json_i64(sl_json_get(o, "endLine"), 1),
                               (uint32_t)sl_json_i64(sl_json_get(o, "endColumn"), 1)};
    }
}

static void show_diag(struct cli_events *e, const struct sl_json *o)
{
    sl_str severity = sl_json_str(sl_json_get(o, "severity"), SL_STR("error"));
    sl_str file = sl_json_str(sl_json_get(o, "file"), SL_STR("")),
           stack = sl_json_str(sl_json_get(o, "stack"), SL_STR(""));
    struct sql_diag d = {.code = sl_code_of_slug(sl_json_str(sl_json_get(o, "code"), SL_STR("internal"))),
                         .severity = sl_str_eqz(severity, "warning") ? SQL_WARNING
                                     : sl_str_eqz(severity, "info")  ? SQL_INFO
                                                                     : SQL_ERROR,
                         .msg = sl_json_str(sl_json_get(o, "message"), SL_STR("")),
                         .hint = sl_json_str(sl_json_get(o, "hint"), SL_STR("")),
                         .flink = sl_json_str(sl_json_get(o, "flink"), SL_STR("")),
                         .statement = (uint32_t)sl_json_i64(sl_json_get(o, "statement"), 0)};
    const struct sl_json *second = sl_json_get(o, "second");
    read_pos(o, &d.pos);
    read_pos(second, &d.second);
    d.second_label = sl_json_str(sl_json_get(second, "label"), SL_STR(""));
    for (size_t i = 0; i < e->script->files.n; i++) {
        if (sl_str_eq(e->script->files.v[i].name, file)) {
            d.file = (uint16_t)i;
        }
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    cli_diag_print(&b, e->script, &d, cli_wants_colour(STDERR_FILENO));
    if (e->o.stack && stack.n) {
        sl_buf_puts(&b, stack);
        sl_buf_putc(&b, '\n');
    }
    cli_events_flush(e);
    cli_steps_hide(e->steps);
    fwrite(b.p, 1, b.n, stderr);
}

static void show_error(struct cli_events *e, const struct sl_json *o)
{
    struct sl_err err = SL_ERR_INIT;
    sl_str hint = sl_json_str(sl_json_get(o, "hint"), SL_STR("")),
           stack = sl_json_str(sl_json_get(o, "stack"), SL_STR(""));
    enum sl_code code = sl_code_of_slug(sl_json_str(sl_json_get(o, "code"), SL_STR("internal")));
    sl_fail(&err, code ? code : SL_INTERNAL, "%.*s",
            SL_S(sl_json_str(sl_json_get(o, "message"), SL_STR(""))));
    if (hint.n) {
        sl_hint(&err, "%.*s", SL_S(hint));
    }
    cli_events_flush(e);
    cli_steps_hide(e->steps);
    cli_print_error(&err);
    if (e->o.stack && stack.n) {
        fprintf(stderr, "%.*s\n", SL_S(stack));
    }
}

static void show_columns(struct cli_events *e, const struct sl_json *o)
{
    const struct sl_json *cols = sl_json_get(o, "columns");
    size_t n = 0;
    sl_str *types = sl_new_n(&e->arena, sl_str, cols ? cols->n + 1 : 1);
    SL_JSON_EACH(c, cols)
    {
        if (n < MAX_COLUMNS) {
            e->cells[n] = sl_json_str(sl_json_get(c, "name"), SL_STR(""));
            types[n++] = sl_json_str(sl_json_get(c, "type"), SL_STR(""));
        }
    }
    cli_steps_hide(e->steps);
    if (e->o.rows.format == CLI_TABLE && !e->o.quiet) {
        fputc('\n', stderr);
    }
    cli_rows_free(e->rows);
    e->rows = NULL;
    /* A plan or a CREATE statement has lines of its own: for people it is printed as it is, not as a cell. */
    e->plain = e->o.rows.format == CLI_TABLE && n == 1 && sl_str_eqz(e->cells[0], "result");
    if (e->plain) {
        return;
    }
    e->rows = cli_rows_new(stdout, &e->o.rows);
    cli_rows_columns(e->rows, e->cells, types, n, sl_json_bool(sl_json_get(o, "insertOnly"), false));
}

static void show_plain(struct cli_events *e, sl_str text)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    while (text.n) {
        ptrdiff_t nl = sl_str_find_char(text, '\n');
        size_t n = nl < 0 ? text.n : (size_t)nl;
        cli_put_visible(&b, sl_str_sub(text, 0, n));
        sl_buf_putc(&b, '\n');
        text = sl_str_sub(text, SL_MIN(n + 1, text.n), text.n - SL_MIN(n + 1, text.n));
    }
    e->gone |= fwrite(b.p, 1, b.n, stdout) != b.n;
}

static void show_rows(struct cli_events *e, const struct sl_json *o)
{
    SL_JSON_EACH(row, sl_json_get(o, "rows"))
    {
        size_t n = 0;
        for (const struct sl_json *v = row->child ? row->child->next : NULL; v && n < MAX_COLUMNS;
             v = v->next, n++) {
            e->nulls[n] = v->type == SL_JSON_NULL;
            e->cells[n] = v->text;
        }
        if (e->plain) {
            show_plain(e, n ? e->cells[0] : SL_STR_NONE);
            continue;
        }
        const char *kind = sl_arena_strdupz(&e->arena, sl_json_str(row->child, SL_STR("+I")));
        if (!e->rows || !cli_rows_row(e->rows, kind, e->cells, e->nulls)) {
            return;
        }
    }
}

static void show_end(struct cli_events *e, const struct sl_json *o)
{
    sl_str state = sl_json_str(sl_json_get(o, "state"), SL_STR("complete"));
    if (e->rows) {
        cli_rows_end(e->rows,
                     sl_str_eqz(state, "partial")   ? CLI_ROWS_PARTIAL
                     : sl_str_eqz(state, "stopped") ? CLI_ROWS_STOPPED
                                                    : CLI_ROWS_COMPLETE,
                     sl_str_eqz(state, "limit") ? "then stopped" : NULL);
        if (e->o.rows.format == CLI_TABLE && !e->o.quiet) {
            fflush(stdout);
            fputc('\n', stderr);
        }
        e->gone |= cli_rows_gone(e->rows);
        cli_rows_free(e->rows);
        e->rows = NULL;
    } else if (e->plain && !e->o.quiet) {
        fflush(stdout);
        fputc('\n', stderr);
    }
}

static void show_event(struct cli_events *e, const struct sl_json *event)
{
    sl_str what = sl_json_str(sl_json_get(event, "event"), SL_STR(""));
    if (sl_str_eqz(what, "result")) {
        e->exit_code = (int)sl_json_i64(sl_json_get(event, "exit"), 1);
    }
    if (e->o.json) {
        json_event(e, event);
    } else if (sl_str_eqz(what, "step")) {
        show_step(e, event);
    } else if (sl_str_eqz(what, "diagnostic")) {
        show_diag(e, event);
    } else if (sl_str_eqz(what, "error")) {
        show_error(e, event);
    } else if (sl_str_eqz(what, "columns")) {
        show_columns(e, event);
    } else if (sl_str_eqz(what, "rows")) {
        show_rows(e, event);
    } else if (sl_str_eqz(what, "end")) {
        show_end(e, event);
    } else if (sl_str_eqz(what, "note")) {
        cli_steps_say(e->steps, "%s", text_z(e, event, "text"));
    } else if (sl_str_eqz(what, "bundle")) {
        json_event(e, event);
    }
}

/* A warm Flink holds memory: who looks is told that it stays, and how to end it. */
static void show_warm(struct cli_events *e, const struct sl_json *warm)
{
    int64_t s = sl_json_i64(sl_json_get(warm, "ms"), 0) / 1000;
    if (!s || e->o.json || e->o.quiet || !isatty(STDERR_FILENO)) {
        return;
    }
    bool minutes = s >= 120;
    cli_steps_note(e->steps, "warm", "local Flink %s stays for %lld %s; sluice owner stop ends it",
                   text_z(e, warm, "flink"), (long long)(minutes ? s / 60 : s), minutes ? "min" : "s");
}

bool cli_events_line(struct cli_events *e, sl_str line, int *ret_code)
{
    struct sl_err err = SL_ERR_INIT;
    sl_arena_release(&e->arena);
    const struct sl_json *m = sl_json_parse(&e->arena, line, &err);
    if (!m) {
        *ret_code = cli_events_lost(e, &err);
        return true;
    }
    if (sl_json_get(m, "result")) {
        cli_events_flush(e);
        fflush(stdout);
        show_warm(e, sl_json_path(m, "result.warm"));
        *ret_code = (int)sl_json_i64(sl_json_path(m, "result.exit"), e->exit_code);
        return true;
    }
    const struct sl_json *error = sl_json_get(m, "error");
    if (error) {
        sl_fail(&err, SL_INTERNAL, "%.*s", SL_S(sl_json_str(sl_json_get(error, "message"), SL_STR(""))));
        enum sl_code code = sl_code_of_slug(sl_json_str(sl_json_path(error, "data.code"), SL_STR("")));
        sl_str hint = sl_json_str(sl_json_path(error, "data.hint"), SL_STR(""));
        err.code = code ? code : SL_INTERNAL;
        if (hint.n) {
            sl_hint(&err, "%.*s", SL_S(hint));
        }
        *ret_code = cli_events_lost(e, &err);
        return true;
    }
    show_event(e, sl_json_path(m, "params.event"));
    return false;
}

void cli_events_flush(struct cli_events *e)
{
    if (e->o.json) {
        e->gone |= fflush(stdout) != 0;
    } else if (e->rows) {
        cli_steps_hide(e->steps);
        cli_rows_flush(e->rows);
    }
}

/* The last event is always `result`, also when the owner never said it. */
static void json_result(struct cli_events *e, int code)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "event", "result");
    sl_jw_kbool(&w, "ok", false);
    sl_jw_ki64(&w, "exit", code);
    sl_jw_key(&w, "jobs");
    sl_jw_array(&w);
    sl_jw_end_array(&w);
    sl_jw_key(&w, "results");
    sl_jw_array(&w);
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    print_json(e, &b);
    fflush(stdout);
}

void cli_events_note(struct cli_events *e, const char *text)
{
    if (e->o.json) {
        SL_BUF_AUTO b;
        struct sl_jw w;
        sl_buf_init(&b, 0);
        sl_jw_init(&w, &b);
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "event", "note");
        sl_jw_kstrz(&w, "text", text);
        sl_jw_end_object(&w);
        print_json(e, &b);
        return;
    }
    cli_steps_say(e->steps, "%s", text);
}

int cli_events_lost(struct cli_events *e, const struct sl_err *err)
{
    int code = sl_code_exit(err->code);
    if (e->o.json) {
        cli_print_error_json(err);
        json_result(e, code);
        return code;
    }
    cli_events_flush(e);
    cli_steps_hide(e->steps);
    return cli_print_error(err);
}

int cli_events_local_errors(struct cli_events *e, struct sql_script *script)
{
    int code = sl_code_exit(SL_SYNTAX);
    sql_diags_sort(script);
    if (e->o.json) {
        for (size_t i = 0; i < script->diags.list.n; i++) {
            SL_BUF_AUTO b;
            struct sl_jw w;
            sl_buf_init(&b, 0);
            sl_jw_init(&w, &b);
            sl_jw_object(&w);
            sl_jw_kstrz(&w, "event", "diagnostic");
            event_put_diag(&w, script, &script->diags.list.v[i]);
            sl_jw_end_object(&w);
            print_json(e, &b);
        }
        json_result(e, code);
        return code;
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    cli_diags_print(&b, script, cli_wants_colour(STDERR_FILENO));
    sl_buf_printf(&b, "%zu error%s in %zu statement%s; nothing was sent.\n", script->diags.errors,
                  script->diags.errors == 1 ? "" : "s", script->stmts.n, script->stmts.n == 1 ? "" : "s");
    fwrite(b.p, 1, b.n, stderr);
    return code;
}
