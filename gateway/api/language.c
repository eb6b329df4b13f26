/* SPDX-License-Identifier: Apache-2.0
 * script.check, script.split, script.format, script.complete: the language room for whoever sends a text. */
#include "gateway/api/api.h"

#include "base/limits.h"
#include "catalog/check.h"
#include "catalog/complete.h"
#include "catalog/lint.h"
#include "sqlparse/fmt.h"

struct text {
    sl_str name, text;
    sql_version flink; /* 0: the default */
};

static bool read_text(struct api_call *c, struct text *ret, struct sl_err *err)
{
    sl_str flink;
    ret->flink = SQL_FLINK_DEFAULT;
    if (!api_param_str(c, "text", SL_STR_NONE, &ret->text, err) ||
        !api_param_str(c, "name", SL_STR("script"), &ret->name, err) ||
        !api_param_str(c, "flink", SL_STR(""), &flink, err)) {
        return false;
    }
    if (ret->text.n > sl_limits.script_bytes) {
        return sl_fail(err, SL_LIMIT, "a script has at most %s", SL_SIZE((uint64_t)sl_limits.script_bytes));
    }
    return flink.n == 0 || sql_version_parse(flink, &ret->flink, err);
}

static bool read_script(struct api_call *c, enum sql_level level, struct sql_script *ret, struct sl_err *err)
{
    struct text t;
    if (!read_text(c, &t, err)) {
        return false;
    }
    sql_script_init(ret, api_call_arena(c), t.flink);
    return sql_script_add(ret, t.name, t.text, &(struct sql_options){.flink = t.flink, .level = level}, err);
}

static void put_diags(struct sl_jw *w, struct sql_script *s)
{
    sql_diags_sort(s);
    sl_jw_key(w, "diagnostics");
    sl_jw_array(w);
    for (size_t i = 0; i < s->diags.list.n; i++) {
        sl_jw_object(w);
        event_put_diag(w, s, &s->diags.list.v[i]);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

bool api_script_check(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    static const char *const levels[] = {"syntax", "script", "full"};
    struct sql_script s;
    sl_str level;
    if (!api_param_str(c, "level", SL_STR("full"), &level, err) ||
        !read_script(c, SQL_LEVEL_SYNTAX, &s, err)) {
        return false;
    }
    int at = -1;
    for (int i = 0; i < 3; i++) {
        at = sl_str_eqz(level, levels[i]) ? i : at;
    }
    if (at < 0) {
        return sl_fail(err, SL_USAGE, "level is syntax, script or full, not '%.*s'", SL_S(level));
    }
    cat_check(&s, (enum cat_level)at);
    if (sl_json_bool(sl_json_get(api_call_params(c), "lint"), false)) {
        cat_lint(&s, false);
    }
    cat_fixes(&s);
    sl_jw_kbool(result, "ok", s.diags.errors == 0);
    sl_jw_kstrz(result, "flink", sql_version_name(s.flink));
    sl_jw_ki64(result, "statements", (int64_t)s.stmts.n);
    sl_jw_ki64(result, "errors", (int64_t)s.diags.errors);
    sl_jw_ki64(result, "warnings", (int64_t)s.diags.warnings);
    put_diags(result, &s);
    return true;
}

bool api_script_split(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sql_script s;
    if (!read_script(c, SQL_LEVEL_SPLIT, &s, err)) {
        return false;
    }
    sl_jw_key(result, "statements");
    sl_jw_array(result);
    for (size_t i = 0; i < s.stmts.n; i++) {
        sql_stmt_json(result, &s.stmts.v[i], true);
    }
    sl_jw_end_array(result);
    put_diags(result, &s);
    return true;
}

bool api_script_format(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct text t;
    if (!read_text(c, &t, err)) {
        return false;
    }
    int64_t width = sl_json_i64(sl_json_get(api_call_params(c), "width"), SL_LIMIT_FMT_WIDTH);
    if (width < SL_LIMIT_FMT_WIDTH_MIN || width > SL_LIMIT_FMT_WIDTH_MAX) {
        return sl_fail(err, SL_USAGE, "width is %d to %d columns", SL_LIMIT_FMT_WIDTH_MIN,
                       SL_LIMIT_FMT_WIDTH_MAX);
    }
    struct sql_fmt f;
    struct sql_fmt_options o = {.width = (unsigned)width};
    if (sl_json_get(api_call_params(c), "flink")) {
        o.flink = t.flink;
    }
    if (!sql_format(api_call_arena(c), t.name, t.text, &o, &f, err)) {
        return false;
    }
    sl_jw_kstr(result, "text", f.text);
    sl_jw_kbool(result, "changed", f.changed);
    sl_jw_ki64(result, "kept", (int64_t)f.kept);
    put_diags(result, &f.script);
    return true;
}

static sl_str text_of(struct api_call *c)
{
    return sl_json_str(sl_json_get(api_call_params(c), "text"), SL_STR(""));
}

bool api_script_complete(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sql_script s;
    const struct sl_json *p = api_call_params(c);
    int64_t off = sl_json_i64(sl_json_get(p, "offset"), -1), limit = sl_json_i64(sl_json_get(p, "limit"), 0);
    if (!read_script(c, SQL_LEVEL_SPLIT, &s, err)) {
        return false;
    }
    if (off < 0 || (uint64_t)off > text_of(c).n) {
        return sl_fail(err, SL_USAGE, "offset is 0 to %zu, the bytes of the text", text_of(c).n);
    }
    if (limit < 0) {
        return sl_fail(err, SL_USAGE, "limit is a number from 1 on");
    }
    struct cat_completion found;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    cat_complete(api_call_arena(c), &s, 0, (uint32_t)off, NULL, (size_t)limit, &found);
    cat_completion_json(&s, 0, &found, &b);
    sl_jw_key(result, "completion");
    sl_jw_raw(result, sl_buf_str(&b));
    return true;
}
