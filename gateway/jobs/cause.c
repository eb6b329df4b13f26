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

static const char *place_of(const struct sql_script *s, uint16_t file, struct sl_pos pos, struct sl_arena *a)
{
    return sl_arena_printf(a, "%.*s:%u:%u", SL_S(s->files.v[file].name), pos.line, pos.col).p;
}

/* "CREATE TABLE clicks" */
static const char *name_of(const struct sql_stmt *st, struct sl_arena *a)
{
    const char *kind = st->kind == SQL_KIND_INSERT ? "INSERT INTO" : sql_kind_name(st->kind);
    return sl_arena_printf(a, "%s%s%.*s", kind, st->object.n ? " " : "", SL_S(st->object)).p;
}

/* The statement the place is in, and the one that runs where it is another. */
static const char *what_of(const struct sql_script *s, const struct sql_diag *d, const struct sql_stmt *st,
                           struct sl_arena *a)
{
    for (size_t i = 0; i < s->stmts.n; i++) {
        const struct sql_stmt *at = &s->stmts.v[i];
        if (at->number == d->statement && at != st && st->file < s->files.n) {
            return sl_arena_printf(a, "%s, read by %s %s", name_of(at, a), place_of(s, st->file, st->pos, a),
                                   name_of(st, a))
                .p;
        }
    }
    return name_of(st, a);
}

/* The hint's line that shows the record becomes a fact of its own. */
static void take_record(struct cause *c, struct sl_arena *a)
{
    static const char *const leads[] = {";\nthe record: ", ";\nthe line: "};
    for (size_t i = 0; i < SL_ARRAY_LEN(leads); i++) {
        const char *at = strstr(c->hint, leads[i]);
        if (!at) {
            continue;
        }
        const char *record = at + strlen(leads[i]), *topic = strstr(c->message, "of topic '");
        topic = topic ? topic + strlen("of topic '") : NULL;
        c->record =
            topic ? sl_arena_printf(a, "topic %.*s, value %s", (int)strcspn(topic, "'"), topic, record).p
                  : sl_arena_printf(a, "%s", record).p;
        c->hint = sl_arena_printf(a, "%.*s", (int)(at - c->hint), c->hint).p;
        return;
    }
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
                          .what = "",
                          .record = "",
                          .stack = flink_error_stack(&f, a),
                          .at_ms = r->vitals.failed_ms ? r->vitals.failed_ms : f.at_ms};
    struct sl_pos pos = d.pos.off != SL_NO_POS || !st ? d.pos : st->pos;
    uint16_t file = d.pos.off != SL_NO_POS || !st ? d.file : st->file;
    if (st && pos.off != SL_NO_POS && file < script.files.n) {
        ret->place = place_of(&script, file, pos, a);
        ret->what = what_of(&script, &d, st, a);
    }
    take_record(ret, a);
    ret->flink = root_of(&f, a, &ret->causes);
    return true;
}
