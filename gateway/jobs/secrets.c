/* SPDX-License-Identifier: Apache-2.0
 * A walk over the members of the request; only "vars" is written anew. */
#include "gateway/jobs/secrets.h"

#include "gateway/jobs/request.h"

static const struct sql_var *find(const struct sql_vars *given, sl_str name)
{
    for (size_t i = given ? given->list.n : 0; i-- > 0;) {
        if (sl_str_eq(given->list.v[i].name, name)) {
            return &given->list.v[i];
        }
    }
    return NULL;
}

/* ${name} or ${name:-default} in one of the files. */
static bool is_asked_for(const struct sl_json *params, sl_str name)
{
    SL_JSON_EACH(f, sl_json_get(params, "files"))
    {
        sl_str text = sl_json_str(sl_json_get(f, "text"), SL_STR(""));
        for (ptrdiff_t at; (at = sl_str_find(text, SL_STR("${"))) >= 0;) {
            text = sl_str_sub(text, (size_t)at + 2, text.n - (size_t)at - 2);
            if (sl_str_starts(text, name) && text.n > name.n &&
                (text.p[name.n] == '}' || text.p[name.n] == ':')) {
                return true;
            }
        }
    }
    return false;
}

static bool has_name(const struct sl_json *vars, sl_str name)
{
    SL_JSON_EACH(v, vars)
    {
        if (sl_str_eq(sl_json_str(sl_json_get(v, "name"), SL_STR("")), name)) {
            return true;
        }
    }
    return false;
}

static void put_vars(struct sl_jw *w, const struct sl_json *params, const struct sql_vars *given,
                     struct sl_buf *missing)
{
    const struct sl_json *vars = sl_json_get(params, "vars");
    sl_jw_key(w, "vars");
    sl_jw_array(w);
    SL_JSON_EACH(v, vars)
    {
        sl_str name = sl_json_str(sl_json_get(v, "name"), SL_STR(""));
        sl_str source = sl_json_str(sl_json_get(v, "source"), SL_STR(""));
        const struct sql_var *now = find(given, name);
        if (!sl_json_bool(sl_json_get(v, "secret"), false)) {
            sub_request_put_var(w, name, sl_json_str(sl_json_get(v, "value"), SL_STR("")), source, false);
        } else if (now) {
            sub_request_put_var(w, name, now->value, now->source, true);
        } else if (is_asked_for(params, name)) {
            sl_buf_printf(missing, "%s%.*s", missing->n ? ", " : "", SL_S(name));
        }
    }
    for (size_t i = 0; given && i < given->list.n; i++) {
        const struct sql_var *v = &given->list.v[i];
        if (v->secret && !has_name(vars, v->name) && find(given, v->name) == v) {
            sub_request_put_var(w, v->name, v->value, v->source, true);
        }
    }
    sl_jw_end_array(w);
}

const struct sl_json *secrets_fill(const struct sl_json *params, const struct sql_vars *given,
                                   const char *job, int64_t version, struct sl_arena *a, struct sl_err *err)
{
    SL_BUF_AUTO b;
    SL_BUF_AUTO missing;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_buf_init(&missing, sizeof(err->msg) / 2);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    SL_JSON_EACH(m, params)
    {
        if (!sl_str_eqz(m->key, "vars")) {
            sl_jw_keys(&w, m->key);
            sl_jw_value(&w, m);
        }
    }
    put_vars(&w, params, given, &missing);
    sl_jw_end_object(&w);
    if (missing.n) {
        sl_str names = sl_buf_str(&missing);
        ptrdiff_t comma = sl_str_find_char(names, ',');
        sl_fail(err, SL_VARIABLE_UNDEFINED,
                "values of secrets are not kept, and %s v%lld cannot be started without: %.*s", job,
                (long long)version, SL_S(names));
        sl_hint(err,
                "sluice job rollback %s v%lld --var %.*s=VALUE      or --var-file FILE, with lines "
                "NAME=VALUE",
                job, (long long)version, (int)(comma < 0 ? names.n : (size_t)comma), names.p);
        return NULL;
    }
    return sl_json_parse(a, sl_str_dup(a, sl_buf_str(&b)), err);
}
