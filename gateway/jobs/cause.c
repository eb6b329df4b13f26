/* SPDX-License-Identifier: Apache-2.0
 * The failure is the tracker's while it remembers it, then the ledger's last event of that kind. The script is
 * parsed again without its variables: positions are those of the file. */
#include "gateway/jobs/cause.h"

#include "gateway/target/flink_error.h"

#include <stdio.h>

static bool failure_of(struct ledger *l, struct tracker *t, const struct run *r, struct sl_arena *a,
                       struct tgt_failure *ret)
{
    sl_str text;
    int64_t at_ms;
    struct sl_err err = SL_ERR_INIT;
    *ret = (struct tgt_failure){0};
    if (!tracker_failure(t, r->id, a, ret)) {
        if (!ledger_last_event(l, r->id, "failure", a, &text, &at_ms, &err)) {
            return false;
        }
        const struct sl_json *e = sl_json_parse(a, text, &err);
        ret->chain_json = sl_json_str(sl_json_get(e, "chain"), SL_STR_NONE);
        ret->stack = sl_json_str(sl_json_get(e, "stack"), SL_STR_NONE);
        ret->at_ms = sl_json_i64(sl_json_get(e, "atMs"), at_ms);
    }
    return ret->chain_json.n || ret->stack.n;
}

static const struct sql_stmt *parse(struct ledger *l, const struct run *r, struct sl_arena *a,
                                    struct sql_script *ret)
{
    struct sl_err err = SL_ERR_INIT;
    sl_str text;
    sql_version flink = 0;
    char minor[16];
    snprintf(minor, sizeof(minor), "%s", r->cluster.flink);
    char *second = strchr(minor, '.') ? strchr(strchr(minor, '.') + 1, '.') : NULL;
    if (second) {
        *second = 0;
    }
    if (!sql_version_parse(sl_str_of(minor), &flink, &err) ||
        !ledger_source(l, r->job, r->version, a, &text, &err)) {
        return NULL;
    }
    struct sql_vars off = {.off = true};
    struct sql_options opt = {.flink = flink, .level = SQL_LEVEL_SYNTAX, .vars = &off};
    sql_script_init(ret, a, flink);
    SL_JSON_EACH(f, sl_json_parse(a, text, &err))
    {
        if (!sql_script_add(ret, sl_json_str(sl_json_get(f, "name"), SL_STR("")),
                            sl_json_str(sl_json_get(f, "text"), SL_STR("")), &opt, &err)) {
            return NULL;
        }
    }
    for (size_t i = 0; i < ret->stmts.n; i++) {
        if (ret->stmts.v[i].number == r->statement) {
            return &ret->stmts.v[i];
        }
    }
    return NULL;
}

/* "JsonParseException: Fail to deserialize": the innermost of the chain, its class without the package. */
static const char *root_of(const struct tgt_failure *f, struct sl_arena *a, int *ret_n)
{
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *last = NULL;
    *ret_n = 0;
    SL_JSON_EACH(e, sl_json_parse(a, f->chain_json, &err))
    {
        last = e;
        (*ret_n)++;
    }
    sl_str class = sl_json_str(sl_json_get(last, "class"), SL_STR(""));
    sl_str text = sl_json_str(sl_json_get(last, "message"), SL_STR(""));
    for (size_t i = class.n; i-- > 0;) {
        if (class.p[i] == '.' || class.p[i] == '$') {
            class = sl_str_sub(class, i + 1, class.n - i - 1);
            break;
        }
    }
    ptrdiff_t line = sl_str_find_char(text, '\n');
    text = line >= 0 ? sl_str_sub(text, 0, (size_t)line) : text;
    return sl_arena_printf(a, "%.*s%s%.*s", SL_S(class), class.n && text.n ? ": " : "",
                           (int)SL_MIN(text.n, (size_t)300), text.p ? text.p : "")
        .p;
}

bool cause_of_run(struct ledger *l, struct tracker *t, const struct run *r, struct sl_arena *a,
                  struct cause *ret)
{
    struct tgt_failure f;
    struct sql_script script = {0};
    struct sql_diag d = {.pos = SL_POS_NONE, .second = SL_POS_NONE};
    if (!failure_of(l, t, r, a, &f)) {
        return false;
    }
    const struct sql_stmt *st = r->job[0] ? parse(l, r, a, &script) : NULL;
    if (!flink_error_translate(&f, st ? &script : NULL, st, a, &d)) {
        return false;
    }
    *ret = (struct cause){.code = sl_code_slug(d.code),
                          .message = sl_arena_strdupz(a, d.msg),
                          .hint = sl_arena_strdupz(a, d.hint),
                          .place = "",
                          .stack = flink_error_stack(&f, a),
                          .at_ms = r->vitals.failed_ms ? r->vitals.failed_ms : f.at_ms};
    struct sl_pos pos = d.pos.off != SL_NO_POS || !st ? d.pos : st->pos;
    uint16_t file = d.pos.off != SL_NO_POS || !st ? d.file : st->file;
    if (st && pos.off != SL_NO_POS && file < script.files.n) {
        ret->place = sl_arena_printf(a, "%.*s:%u:%u", SL_S(script.files.v[file].name), pos.line, pos.col).p;
    }
    ret->flink = root_of(&f, a, &ret->causes);
    return true;
}
