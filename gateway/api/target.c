/* SPDX-License-Identifier: Apache-2.0
 * target.*: the clusters of others, by name. Secrets come in and never go out. */
#include "gateway/api/api.h"

#include "gateway/target/targets.h"
#include "sys/clock.h"

#include <stdio.h>

/* A string parameter as text of its own; "" when it is not there. */
static bool param(struct api_call *c, const char *key, const char **ret, struct sl_err *err)
{
    sl_str s;
    if (!api_param_str(c, key, SL_STR(""), &s, err)) {
        return false;
    }
    *ret = sl_arena_strdupz(api_call_arena(c), s);
    return true;
}

bool api_target_add(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct target_record r = {0};
    if (!param(c, "name", &r.name, err) || !param(c, "url", &r.url, err) || !param(c, "ca", &r.ca, err) ||
        !param(c, "cert", &r.cert, err) || !param(c, "key", &r.key, err) ||
        !param(c, "headers", &r.headers, err) || !param(c, "user", &r.user, err) ||
        !param(c, "proxy", &r.proxy, err) || !param(c, "resultsAddress", &r.results_address, err) ||
        !targets_check(&r, err) || !targets_add(api_call_env(c)->store, &r, err)) {
        return false;
    }
    sl_jw_kstrz(result, "name", r.name);
    return true;
}

/* "Authorization, X-Team": names only. */
static sl_str header_names(struct sl_arena *a, const char *headers)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (sl_str rest = sl_str_of(headers); rest.n;) {
        ptrdiff_t end = sl_str_find_char(rest, '\n'), colon = sl_str_find_char(rest, ':');
        sl_buf_printf(&b, "%s%.*s", b.n ? ", " : "", (int)SL_MAX(colon, 0), rest.p);
        rest = end < 0 ? SL_STR_NONE : sl_str_sub(rest, (size_t)end + 1, rest.n - (size_t)end - 1);
    }
    return sl_str_dup(a, sl_buf_str(&b));
}

static void put_record(struct sl_jw *w, struct sl_arena *a, const struct target_record *r, bool is_default)
{
    sl_jw_object(w);
    sl_jw_kstrz(w, "name", r->name);
    sl_jw_kstrz(w, "kind", "session");
    sl_jw_kstrz(w, "url", r->url);
    sl_jw_kstrz(w, "ca", r->ca);
    sl_jw_kstrz(w, "cert", r->cert);
    sl_jw_kstrz(w, "key", r->key);
    sl_jw_kstr(w, "headers", header_names(a, r->headers));
    const char *colon = strchr(r->user, ':');
    sl_jw_kstr(w, "user", (sl_str){r->user, colon ? (size_t)(colon - r->user) : 0});
    sl_jw_kstrz(w, "proxy", targets_masked(a, r->proxy));
    sl_jw_kstrz(w, "resultsAddress", r->results_address);
    sl_jw_kbool(w, "default", is_default);
    sl_jw_end_object(w);
}

bool api_target_list(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sl_arena *a = api_call_arena(c);
    struct target_record *v, one;
    size_t n;
    const char *name;
    char chosen[64];
    if (!param(c, "name", &name, err) || !targets_default(api_call_env(c)->store, chosen, err)) {
        return false;
    }
    if (strcmp(name, "local") == 0) {
        n = 0;
        v = NULL;
    } else if (name[0]) {
        if (!targets_get(api_call_env(c)->store, name, a, &one, err)) {
            return false;
        }
        v = &one;
        n = 1;
    } else if (!targets_list(api_call_env(c)->store, a, &v, &n, err)) {
        return false;
    }
    sl_jw_key(result, "targets");
    sl_jw_array(result);
    if (!name[0] || strcmp(name, "local") == 0) {
        sl_jw_object(result);
        sl_jw_kstrz(result, "name", "local");
        sl_jw_kstrz(result, "kind", "local");
        sl_jw_kstrz(result, "url", "");
        sl_jw_kbool(result, "default", strcmp(chosen, "local") == 0);
        sl_jw_end_object(result);
    }
    for (size_t i = 0; i < n; i++) {
        put_record(result, a, &v[i], v[i].is_default);
    }
    sl_jw_end_array(result);
    return true;
}

bool api_target_use(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const char *name;
    if (!param(c, "name", &name, err) || !targets_use(api_call_env(c)->store, name, err)) {
        return false;
    }
    sl_jw_kstrz(result, "name", name);
    return true;
}

/* Runs on it would be out of sight for ever. */
bool api_target_remove(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct api_env *env = api_call_env(c);
    struct run *runs;
    size_t n, active = 0;
    const char *name;
    if (!param(c, "name", &name, err) ||
        !ledger_runs(env->ledger, NULL, true, true, 100000, api_call_arena(c), &runs, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        active += strcmp(runs[i].target, name) == 0;
    }
    if (active && strcmp(name, "local") != 0) {
        sl_fail(err, SL_TARGET_IN_USE, "%zu run%s on '%s' %s not ended", active, active == 1 ? "" : "s", name,
                active == 1 ? "has" : "have");
        return sl_hint(err, "sluice job ls      shows them");
    }
    if (strcmp(name, "local") == 0) {
        return sl_fail(err, SL_USAGE, "the target of this machine cannot be taken away");
    }
    if (!targets_remove(env->store, name, err)) {
        return false;
    }
    sl_jw_kstrz(result, "name", name);
    return true;
}

/* ---- test ---- */

static void finding(struct sl_jw *w, const char *what, bool ok, sl_str text)
{
    sl_jw_object(w);
    sl_jw_kstrz(w, "finding", what);
    sl_jw_kbool(w, "ok", ok);
    sl_jw_kstr(w, "text", text);
    sl_jw_end_object(w);
}

static void put_reach(struct sl_jw *w, struct sl_arena *a, const char *what, const struct tgt_reach *f)
{
    sl_str from = f->from[0] ? sl_arena_printf(a, " from TaskManager %s", f->from) : SL_STR("");
    sl_str ip =
        f->ip[0] && !strstr(f->address, f->ip) ? sl_arena_printf(a, ", name found (%s)", f->ip) : SL_STR("");
    sl_str address = res_dial_shown(f->address);
    const char *tls = address.n < strlen(f->address) ? " over TLS" : "";
    finding(w, what, f->reached,
            f->reached ? sl_arena_printf(a, "%.*s answers%s%.*s in %d ms%.*s", SL_S(address), tls, SL_S(from),
                                         f->ms, SL_S(ip))
                       : sl_arena_printf(a, "%.*s: no connection%.*s after %d ms%.*s: %s", SL_S(address),
                                         SL_S(from), f->ms, SL_S(ip), f->cause));
}

bool api_target_test(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct sub_env *env = &api_call_env(c)->sub;
    struct sl_arena *a = api_call_arena(c);
    struct tgt_look look;
    struct tgt_reach *found;
    const char *name, *flink, *address;
    SL_VEC(const char *) connect = {0};
    if (!param(c, "name", &name, err) || !param(c, "flink", &flink, err) ||
        !param(c, "resultsAddress", &address, err)) {
        return false;
    }
    SL_JSON_EACH(e, sl_json_get(api_call_params(c), "connect"))
    {
        sl_vec_push(a, &connect, sl_arena_strdupz(a, sl_json_str(e, SL_STR(""))));
    }
    struct target *t = env->target(env->target_ctx, sl_str_of(name), sl_str_of(flink), err);
    if (!t) {
        return false;
    }
    if (!t->ops->look) {
        return sl_fail(err, SL_USAGE, "'%s' is started by Sluice itself; sluice doctor looks at this machine",
                       t->name);
    }
    int64_t since = sys_now_ms();
    if (!t->ops->look(t, &look, err)) {
        return false;
    }
    bool version = strncmp(look.flink, flink, strlen(flink)) == 0;
    bool ok = look.can_submit && version;
    sl_jw_kstrz(result, "name", t->name);
    sl_jw_key(result, "findings");
    sl_jw_array(result);
    finding(result, "rest", true,
            sl_arena_printf(a, "answers in %lld ms", (long long)(sys_now_ms() - since)));
    finding(result, "flink", version,
            version ? sl_arena_printf(a, "Flink %s", look.flink)
                    : sl_arena_printf(a, "Flink %s; scripts are checked for %s: give --flink %.3s%s",
                                      look.flink, flink, look.flink,
                                      look.flink[3] >= '0' && look.flink[3] <= '9' ? "0" : ""));
    finding(result, "slots", look.slots > 0,
            sl_arena_printf(a, "%d of %d free on %d TaskManager%s", look.slots_free, look.slots,
                            look.taskmanagers, look.taskmanagers == 1 ? "" : "s"));
    finding(result, "submit", look.can_submit,
            sl_str_of(look.can_submit ? "takes jobs over REST"
                                      : "web.submit.enable is false: it takes no jobs over REST"));
    if (look.can_submit) {
        finding(
            result, "runner", true,
            sl_str_of(look.runner_there ? "is there" : "is not there yet: uploaded with the first script"));
        struct sl_err why = SL_ERR_INIT;
        const char *dial = sub_results_dial(env, address, t->name, a, &why);
        if (dial && t->ops->reach(t, dial, connect.v, connect.n, a, &found, &why)) {
            for (size_t i = 0; i <= connect.n; i++) {
                put_reach(result, a, i ? "connect" : "results", &found[i]);
                ok = ok && found[i].reached;
            }
        } else {
            finding(result, "results", false, sl_arena_printf(a, "could not be tried: %s", why.msg));
            ok = false;
        }
    }
    sl_jw_end_array(result);
    sl_jw_kbool(result, "ok", ok);
    return true;
}
