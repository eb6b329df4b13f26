/* SPDX-License-Identifier: Apache-2.0
 * The real results port in a process of its own, driven by lines on standard input and answering with one
 * line of JSON each, so that tests in Python can be its peers and its readers.
 *
 *   result STATEMENT                     {"id":0,"token":"..."}
 *   dial HOST:PORT                       {"dial":".."}: as Flink is told it
 *   task DOCUMENT                        {"id":0,"token":"..."}
 *   read ID FORM ZONE MAX MS             columns, rows from the last read on, state; FORM text|flink|api,
 * ZONE - or an id drain ID MS                          reads to the end, dropping behind:
 * {"rows":n,"bytes":n,"ms":n,"state":..} state ID {"state":..,"rows":n,"error":{..}} close ID | unref ID {}
 *   wait ID MS                           {"state":..} of a task
 *   report ID STATEMENT                  what the runner said of a statement; its answer becomes a result:
 * "result":ID quit */
#include "gateway/results/results.h"

#include "base/limits.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_THINGS 4096

static struct res_port *port;
static struct thing {
    struct res_result *result;
    struct res_reader *reader;
    struct res_task *task;
} things[MAX_THINGS];
static size_t n_things;

static const char *const state_names[] = {"waiting", "open", "complete", "partial", "failed", "closed"};
static const char *const task_names[] = {"unclaimed", "claimed", "ended", "lost"};

static struct sl_buf out;
static struct sl_jw w;

static void begin(void)
{
    sl_buf_clear(&out);
    sl_jw_init(&w, &out);
    sl_jw_object(&w);
}

static void end(void)
{
    sl_jw_end_object(&w);
    if (out.full) {
        sl_buf_clear(&out);
        sl_buf_putz(&out, "{\"fault\":\"the answer is too long\"}");
    }
    (void)fwrite(out.p, 1, out.n, stdout);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
}

static void put_err(const struct sl_err *err)
{
    sl_jw_key(&w, "error");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "code", sl_code_slug(err->code));
    sl_jw_kstrz(&w, "message", err->msg);
    sl_jw_kstrz(&w, "hint", err->hint);
    sl_jw_end_object(&w);
}

static void put_state(struct res_result *r, enum res_state s)
{
    struct sl_err err = SL_ERR_INIT;
    sl_jw_kstrz(&w, "state", state_names[s]);
    sl_jw_ki64(&w, "count", (int64_t)res_result_rows(r));
    if (res_result_error(r, &err)) {
        put_err(&err);
    }
}

static void put_row(enum res_form form, const char *zone, struct res_column *cols, size_t n,
                    struct res_row *row)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, SL_LIMIT_FRAME_BYTES);
    sl_jw_array(&w);
    sl_jw_strz(&w, res_kind_names[row->kind]);
    sl_jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        struct sl_err err = SL_ERR_INIT;
        bool is_null;
        sl_buf_clear(&b);
        if (!res_cell(&b, form, &cols[i], row, i, zone, &is_null, &err)) {
            sl_jw_object(&w);
            put_err(&err);
            sl_jw_end_object(&w);
        } else if (form == RES_FORM_TEXT) {
            if (is_null) {
                sl_jw_null(&w);
            } else {
                sl_jw_str(&w, sl_buf_str(&b));
            }
        } else { /* as text too: the test compares bytes */
            sl_jw_str(&w, sl_buf_str(&b));
        }
    }
    sl_jw_end_array(&w);
    sl_jw_end_array(&w);
}

static void do_read(struct thing *t, const char *form_name, const char *zone, long long max, long long ms)
{
    enum res_form form = strcmp(form_name, "text") == 0    ? RES_FORM_TEXT
                         : strcmp(form_name, "flink") == 0 ? RES_FORM_FLINK_JSON
                                                           : RES_FORM_API;
    SL_ARENA_AUTO a = {0};
    struct res_column *cols = NULL;
    size_t n = 0;
    int64_t until = sys_now_ms() + ms;
    struct res_rows rows = {0};
    long long shown = 0;
    if (!t->reader) {
        t->reader = res_reader_new(t->result, 0, false);
    }
    begin();
    sl_jw_key(&w, "rows");
    sl_jw_array(&w);
    while (shown < max) {
        bool some = res_reader_wait(t->reader, SL_MAX(until - sys_now_ms(), 0), &rows);
        if (some) {
            struct res_row row;
            n = n ? n : res_result_columns(t->result, &a, &cols, NULL);
            while (res_rows_next(&rows, cols, n, &row)) {
                put_row(form, strcmp(zone, "-") == 0 ? NULL : zone, cols, n, &row);
                shown++;
            }
        } else if (rows.state > RES_OPEN || sys_now_ms() >= until) {
            break;
        }
    }
    sl_jw_end_array(&w);
    bool insert_only = false;
    n = res_result_columns(t->result, &a, &cols, &insert_only);
    sl_jw_key(&w, "columns");
    sl_jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        sl_jw_array(&w);
        sl_jw_str(&w, cols[i].name);
        sl_jw_str(&w, cols[i].type);
        sl_jw_end_array(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_kbool(&w, "insertOnly", insert_only);
    put_state(t->result, rows.state);
    end();
}

static void do_drain(struct thing *t, long long ms)
{
    int64_t from = sys_now_ms();
    uint64_t next = 0, bytes = 0;
    bool gap = false;
    struct res_rows rows = {0};
    struct res_reader *rd = res_reader_new(t->result, 0, true);
    while (sys_now_ms() - from < ms) {
        if (res_reader_wait(rd, 1000, &rows)) {
            gap = gap || rows.first != next;
            next = rows.first + rows.count;
            bytes += rows.n;
        } else if (rows.state > RES_OPEN) {
            break;
        }
    }
    res_reader_free(rd);
    begin();
    sl_jw_ki64(&w, "rows", (int64_t)next);
    sl_jw_ki64(&w, "bytes", (int64_t)bytes);
    sl_jw_kbool(&w, "gap", gap);
    sl_jw_ki64(&w, "ms", sys_now_ms() - from);
    put_state(t->result, rows.state);
    end();
}

static void do_report(struct thing *t, unsigned statement)
{
    SL_ARENA_AUTO a = {0};
    struct res_statement_report r;
    begin();
    if (res_task_report(t->task, statement, &a, &r)) {
        sl_jw_kbool(&w, "begun", r.begun);
        sl_jw_kbool(&w, "done", r.done);
        sl_jw_kbool(&w, "failed", r.failed);
        sl_jw_kstrz(&w, "job", r.job_id);
        sl_jw_kstr(&w, "chain", r.chain_json);
        if (r.answer && n_things < MAX_THINGS) {
            things[n_things].result = r.answer;
            things[n_things].reader = res_reader_new(r.answer, 0, false);
            sl_jw_ki64(&w, "result", (int64_t)n_things++);
        }
    }
    end();
}

static void made(const char *token)
{
    begin();
    sl_jw_ki64(&w, "id", (int64_t)n_things++);
    sl_jw_kstrz(&w, "token", token);
    end();
}

static void nothing(void)
{
    begin();
    end();
}

/* One line; false: quit. */
static bool command(char *line)
{
    char word[16] = "", form[16] = "", zone[64] = "";
    long long a = 0, b = 0, c = 0;
    int at = 0;
    struct sl_err err = SL_ERR_INIT;
    (void)sscanf(line, "%15s %n", word, &at);
    const char *rest = line + at;
    if (strcmp(word, "quit") == 0) {
        return false;
    }
    if (strcmp(word, "task") == 0 && n_things < MAX_THINGS) {
        things[n_things].task = res_task_new(port, sl_str_of(rest), &err);
        made(things[n_things].task ? res_task_token(things[n_things].task) : "");
        return true;
    }
    if (strcmp(word, "dial") == 0) {
        SL_ARENA_AUTO arena = {0};
        const char *dial = res_port_dial(port, rest, &arena, &err);
        begin();
        sl_jw_kstrz(&w, "dial", dial ? dial : err.msg);
        end();
        return true;
    }
    bool read = strcmp(word, "read") == 0;
    int got = read ? sscanf(rest, "%lld %15s %63s %lld %lld", &a, form, zone, &b, &c)
                   : sscanf(rest, "%lld %lld", &a, &b);
    if (strcmp(word, "result") == 0 && n_things < MAX_THINGS) {
        things[n_things].result = res_result_new(port, (uint32_t)a, &err);
        made(things[n_things].result ? res_result_token(things[n_things].result) : "");
        return true;
    }
    struct thing *t = got > 0 && a >= 0 && (size_t)a < n_things ? &things[a] : NULL;
    if (!t || (!t->result && !t->task)) {
        begin();
        sl_jw_kstrz(&w, "fault", "no such thing");
        end();
    } else if (read && t->result) {
        do_read(t, form, zone, b, c);
    } else if (strcmp(word, "drain") == 0 && t->result) {
        do_drain(t, b);
    } else if (strcmp(word, "state") == 0 && t->result) {
        begin();
        put_state(t->result, res_result_state(t->result));
        end();
    } else if (strcmp(word, "close") == 0 && t->result) {
        res_result_close(t->result);
        nothing();
    } else if (strcmp(word, "unref") == 0 && t->result) {
        res_reader_free(t->reader);
        res_result_unref(t->result);
        *t = (struct thing){0};
        nothing();
    } else if (strcmp(word, "wait") == 0 && t->task) {
        begin();
        sl_jw_kstrz(&w, "state", task_names[res_task_wait(t->task, b)]);
        end();
    } else if (strcmp(word, "report") == 0 && t->task) {
        do_report(t, (unsigned)b);
    } else {
        begin();
        sl_jw_kstrz(&w, "fault", "no such command");
        end();
    }
    return true;
}

/* KEY=VALUE arguments: the fields of struct res_config that tests change. */
static bool setting(struct res_config *c, const char *arg)
{
    const char *eq = strchr(arg, '=');
    size_t n = eq ? (size_t)(eq - arg) : 0;
    unsigned long long v = eq ? strtoull(eq + 1, NULL, 10) : 0;
#define IS(name) (n == sizeof(name) - 1 && strncmp(arg, name, n) == 0)
    if (IS("dir")) {
        c->spool_dir = eq + 1;
    } else if (IS("heartbeat")) {
        c->heartbeat_ms = (uint32_t)v;
    } else if (IS("lost")) {
        c->lost_ms = (uint32_t)v;
    } else if (IS("hello")) {
        c->hello_ms = (uint32_t)v;
    } else if (IS("memory")) {
        c->memory_bytes = v;
    } else if (IS("spool")) {
        c->spool_bytes = v;
    } else if (IS("row")) {
        c->row_bytes = v;
    } else if (IS("bind")) {
        c->bind_host = eq + 1;
    } else if (IS("tls")) {
        c->no_tls = v == 0;
    } else if (IS("connections")) {
        c->connections = (unsigned)v;
    } else {
        return false;
    }
#undef IS
    return true;
}

int main(int argc, char **argv)
{
    struct res_config c = {.bind_host = "127.0.0.1"};
    struct sl_err err = SL_ERR_INIT;
    for (int i = 1; i < argc; i++) {
        if (!setting(&c, argv[i])) {
            (void)fprintf(stderr, "unknown setting: %s\n", argv[i]);
            return 2;
        }
    }
    port = c.spool_dir ? res_port_start(&c, &err) : NULL;
    if (!port) {
        (void)fprintf(stderr, "%s\n", c.spool_dir ? err.msg : "dir=FOLDER is missing");
        return 1;
    }
    sl_buf_init(&out, (size_t)1 << 30);
    begin();
    sl_jw_ki64(&w, "port", res_port_number(port));
    end();
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        line[n - 1] = line[n - 1] == '\n' ? '\0' : line[n - 1];
        if (!command(line)) {
            break;
        }
    }
    free(line);
    /* answers belong to their task: only their reader is ours */
    for (size_t i = 0; i < n_things; i++) {
        res_reader_free(things[i].reader);
        if (things[i].result && res_result_token(things[i].result)[0] != '\0') {
            res_result_unref(things[i].result);
        }
    }
    for (size_t i = 0; i < n_things; i++) {
        res_task_free(things[i].task);
    }
    res_port_stop(port);
    sl_buf_release(&out);
    return 0;
}
