/* SPDX-License-Identifier: Apache-2.0
 * What the runner says through an exception when it cannot reach the results port: "SLUICE-ANSWER " and one
 * JSON document (docs/task.md). */
#include "gateway/jobs/inline_answer.h"

#include "gateway/jobs/submission_internal.h"

#include <stdio.h>

const struct sl_json *inline_answer_of(const struct tgt_failure *f, struct sl_arena *a)
{
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *chain = f->chain_json.n ? sl_json_parse(a, f->chain_json, &err) : NULL;
    sl_str mark = SL_STR("SLUICE-ANSWER ");
    SL_JSON_EACH(cause, chain)
    {
        sl_str message = sl_json_str(sl_json_get(cause, "message"), SL_STR(""));
        ptrdiff_t at = sl_str_find(message, mark);
        if (at >= 0) {
            sl_str json =
                sl_str_trim(sl_str_sub(message, (size_t)at + mark.n, message.n - (size_t)at - mark.n));
            const struct sl_json *doc = sl_json_parse(a, json, &err);
            if (doc) {
                return doc;
            }
        }
    }
    return NULL;
}

/* ms: how long it tried, or negative. */
static void tell_unreachable(struct sub *s, sl_str address, sl_str cause, int64_t ms)
{
    struct sl_err err = SL_ERR_INIT;
    bool refused = sl_str_find(cause, SL_STR("efused")) >= 0;
    bool unknown = sl_str_find(cause, SL_STR("nknown")) >= 0 || sl_str_find(cause, SL_STR("nresolved")) >= 0;
    bool other = sl_str_find(cause, SL_STR("certificate")) >= 0 || sl_str_find(cause, SL_STR("SSL")) >= 0;
    char after[32] = "";
    if (ms >= 0 && (refused || unknown)) {
        snprintf(after, sizeof(after), " after %.1f s", (double)ms / 1000);
    }
    sl_fail(&err, SL_RESULTS_UNREACHABLE,
            "TaskManagers of '%s' cannot connect to this machine for rows (%.*s, %s%s)\n"
            "  %s; jobs can be started, SELECTs cannot send their rows here",
            s->target->name, SL_S(address),
            refused   ? "refused"
            : unknown ? "the name is not known there"
            : other   ? "another certificate answers there than this Sluice's"
                      : "no answer within 2 s",
            after,
            other ? "something else listens there, or ends TLS in between"
                  : "you are behind NAT or a firewall");
    sl_str script = s->rq->n_files ? s->rq->files[s->rq->n_files - 1].name : SL_STR_NONE;
    if (!script.n || script.n > 120) { /* the cure has to fit */
        script = SL_STR("FILE");
    }
    sl_hint(&err,
            "run the server in the cluster   helm install sluice … ; sluice --server https://sluice.example "
            "run %.*s\n"
            "or give a reachable address     --results-address HOST:PORT\n"
            "SHOW, DESCRIBE and EXPLAIN work without it",
            SL_S(script));
    sub_fail(s, &err);
}

bool sub_results_reachable(struct sub *s)
{
    struct tgt_reach *found;
    struct sl_err err = SL_ERR_INIT;
    if (s->reached || !s->target->ops->reach) {
        return true;
    }
    s->reached = true;
    /* Where it cannot be tried (no slot is free), the sink itself finds out. */
    if (!s->target->ops->reach(s->target, s->results_address, NULL, 0, s->arena, &found, &err) ||
        found->reached) {
        return true;
    }
    tell_unreachable(s, res_dial_shown(s->results_address), sl_str_of(found->cause), found->ms);
    return false;
}

bool sub_fail_unreachable(struct sub *s, const struct tgt_failure *f)
{
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *chain = f->chain_json.n ? sl_json_parse(s->arena, f->chain_json, &err) : NULL;
    sl_str mark = SL_STR("results-unreachable: "); /* "results-unreachable: HOST:PORT: cause" */
    SL_JSON_EACH(cause, chain)
    {
        sl_str said = sl_json_str(sl_json_get(cause, "message"), SL_STR(""));
        if (sl_str_ends(sl_json_str(sl_json_get(cause, "class"), SL_STR("")), SL_STR("ResultsException")) &&
            sl_str_starts(said, mark)) {
            said = sl_str_sub(said, mark.n, said.n - mark.n);
            ptrdiff_t end = sl_str_find(said, SL_STR(": "));
            size_t n = end < 0 ? said.n : (size_t)end;
            tell_unreachable(s, sl_str_sub(said, 0, n), sl_str_sub(said, n, said.n - n), -1);
            return true;
        }
    }
    return false;
}

static void show_rows(struct sub *s, const struct sl_json *statement)
{
    int number = ++s->results;
    const struct sl_json *columns = sl_json_get(statement, "columns"), *rows = sl_json_get(statement, "rows");
    struct res_column *cols = sl_new_n(s->arena, struct res_column, columns ? columns->n + 1 : 1);
    size_t n = 0;
    SL_JSON_EACH(c, columns)
    {
        cols[n].name = sl_json_str(sl_json_get(c, "name"), SL_STR(""));
        cols[n++].type = sl_json_str(sl_json_get(c, "type"), SL_STR("STRING"));
    }
    event_columns(s->sink, number, (uint32_t)sl_json_i64(sl_json_get(statement, "statement"), 0), cols, n,
                  true);
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "event", "rows");
    sl_jw_ki64(&w, "result", number);
    sl_jw_key(&w, "rows");
    sl_jw_array(&w);
    SL_JSON_EACH(row, rows)
    {
        sl_jw_array(&w);
        sl_jw_strz(&w, "+I");
        SL_JSON_EACH(cell, row)
        {
            sl_jw_value(&w, cell);
        }
        sl_jw_end_array(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    uint64_t count = rows ? rows->n : 0;
    if (count) {
        s->sink->emit(s->sink->ctx, sl_buf_str(&b));
    }
    sl_vec_push(s->arena, &s->shown_results, ((struct shown_result){number, count, "complete"}));
    event_end(s->sink, number, count, "complete");
}

struct tgt_failure inline_answer_failure(const struct sl_json *failed, struct sl_arena *a)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    const struct sl_json *chain = sl_json_get(failed, "chain");
    if (chain) {
        sl_jw_value(&w, chain);
    }
    return (struct tgt_failure){.chain_json = sl_str_dup(a, sl_buf_str(&b)),
                                .stack = sl_json_str(sl_json_get(failed, "stack"), SL_STR(""))};
}

enum inline_answer sub_inline_answer(struct sub *s, const struct tgt_failure *f,
                                     struct tgt_failure *ret_failure, uint32_t *ret_statement)
{
    const struct sl_json *doc = inline_answer_of(f, s->arena);
    if (!doc) {
        return INLINE_NONE;
    }
    const struct sl_json *failed = sl_json_get(doc, "failed");
    if (sl_json_is(failed, SL_JSON_OBJECT)) {
        *ret_failure = inline_answer_failure(failed, s->arena);
        *ret_statement = (uint32_t)sl_json_i64(sl_json_get(failed, "statement"), 0);
        return INLINE_FAILED;
    }
    if (sl_json_get(doc, "error")) {
        tell_unreachable(s, sl_json_str(sl_json_get(doc, "address"), SL_STR("")),
                         sl_json_str(sl_json_get(doc, "cause"), SL_STR("")),
                         sl_json_i64(sl_json_get(doc, "ms"), -1));
        return INLINE_UNREACHABLE;
    }
    SL_JSON_EACH(st, sl_json_get(doc, "statements"))
    {
        if (sl_json_get(st, "columns")) {
            show_rows(s, st);
        }
    }
    return INLINE_ANSWERED;
}
