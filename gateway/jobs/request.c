/* SPDX-License-Identifier: Apache-2.0
 * Reads requests, and keeps them while their submissions are under way. */
#include "gateway/jobs/request.h"

#include "base/digest.h"
#include "base/limits.h"
#include "sys/file.h"

#include <stdio.h>
#include <unistd.h>

static bool text(const struct sl_json *p, const char *key, sl_str dflt, sl_str *ret, struct sl_err *err)
{
    const struct sl_json *v = sl_json_get(p, key);
    if (!v && !dflt.p) {
        return sl_fail(err, SL_USAGE, "parameter '%s' is missing", key);
    }
    if (v && !sl_json_is(v, SL_JSON_STRING)) {
        return sl_fail(err, SL_USAGE, "parameter '%s' is not a text", key);
    }
    *ret = v ? sl_json_str(v, dflt) : dflt;
    return true;
}

static bool read_files(const struct sl_json *p, struct sl_arena *a, struct sub_request *rq,
                       struct sl_err *err)
{
    const struct sl_json *files = sl_json_get(p, "files");
    if (!sl_json_is(files, SL_JSON_ARRAY) || files->n == 0) {
        return sl_fail(err, SL_USAGE, "parameter 'files' is missing: [{\"name\",\"text\"}]");
    }
    struct sub_file *v = sl_new_n(a, struct sub_file, files->n);
    SL_JSON_EACH(f, files)
    {
        v[rq->n_files].name = sl_json_str(sl_json_get(f, "name"), SL_STR("script"));
        v[rq->n_files++].text = sl_json_str(sl_json_get(f, "text"), SL_STR(""));
    }
    rq->files = v;
    return true;
}

void sub_request_put_var(struct sl_jw *w, sl_str name, sl_str value, sl_str source, bool secret)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "name", name);
    sl_jw_kstr(w, "value", value);
    sl_jw_kstr(w, "source", source);
    sl_jw_kbool(w, "secret", secret);
    sl_jw_end_object(w);
}

/* Variables come resolved: [{"name","value","source","secret"}], lowest precedence first. */
static void read_vars(const struct sl_json *p, struct sl_arena *a, struct sub_request *rq)
{
    struct sql_vars *vars = sl_new(a, struct sql_vars);
    SL_JSON_EACH(v, sl_json_get(p, "vars"))
    {
        sl_vec_push(a, &vars->list,
                    ((struct sql_var){.name = sl_json_str(sl_json_get(v, "name"), SL_STR("")),
                                      .value = sl_json_str(sl_json_get(v, "value"), SL_STR("")),
                                      .source = sl_json_str(sl_json_get(v, "source"), SL_STR("")),
                                      .secret = sl_json_bool(sl_json_get(v, "secret"), false)}));
    }
    rq->vars = vars;
}

static void read_config(const struct sl_json *p, struct sl_arena *a, struct sub_request *rq)
{
    const struct sl_json *config = sl_json_get(p, "config"), *jars = sl_json_get(p, "jars");
    struct plan_pair *v = sl_new_n(a, struct plan_pair, config ? config->n + 1 : 1);
    SL_JSON_EACH(c, config)
    {
        v[rq->n_config++] = (struct plan_pair){sl_json_str(sl_json_get(c, "key"), SL_STR("")),
                                               sl_json_str(sl_json_get(c, "value"), SL_STR("")),
                                               sl_json_str(sl_json_get(c, "origin"), SL_STR(""))};
    }
    rq->config = v;
    sl_str *paths = sl_new_n(a, sl_str, jars ? jars->n + 1 : 1);
    SL_JSON_EACH(j, jars)
    {
        paths[rq->n_jars++] = sl_json_str(j, SL_STR(""));
    }
    rq->jars = paths;
    const struct sl_json *artifacts = sl_json_get(p, "artifacts");
    sl_str *digests = sl_new_n(a, sl_str, artifacts ? artifacts->n + 1 : 1);
    SL_JSON_EACH(j, artifacts)
    {
        digests[rq->n_artifacts++] = sl_json_str(j, SL_STR(""));
    }
    rq->artifacts = digests;
    const struct sl_json *again = sl_json_get(p, "keptJars");
    sl_str *kept = sl_new_n(a, sl_str, again ? again->n + 1 : 1);
    SL_JSON_EACH(j, again)
    {
        kept[rq->n_kept_jars++] = sl_json_str(j, SL_STR(""));
    }
    rq->kept_jars = kept;
}

static bool read_numbers(const struct sl_json *p, struct sub_request *rq, struct sl_err *err)
{
    static const char *const names[] = {"maxRows", "maxDurationMs", "timeoutMs", "wellMs"};
    int64_t v[SL_ARRAY_LEN(names)];
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        const struct sl_json *n = sl_json_get(p, names[i]);
        v[i] = n ? sl_json_i64(n, -1) : 0;
        if (v[i] < 0) {
            return sl_fail(err, SL_USAGE, "parameter '%s' is not a number from 0 on", names[i]);
        }
    }
    rq->max_rows = (uint64_t)v[0];
    rq->max_duration_ms = v[1];
    rq->timeout_ms = v[2];
    rq->well_ms = v[3];
    return true;
}

bool sub_request_read(const struct sl_json *p, struct sl_arena *a, struct sub_request *rq, struct sl_err *err)
{
    *rq = (struct sub_request){.role = AUTH_ADMIN};
    sl_str mode, form, flink, key;
    char fresh[33];
    sl_random_hex(fresh, 16);
    if (!read_files(p, a, rq, err) || !text(p, "name", SL_STR_NONE, &rq->name, err) ||
        !text(p, "mode", SL_STR("session"), &mode, err) || !text(p, "form", SL_STR("api"), &form, err) ||
        !text(p, "flink", SL_STR(""), &flink, err) || !text(p, "target", SL_STR(""), &rq->target, err) ||
        !text(p, "owner", SL_STR(""), &rq->owner, err) || !text(p, "key", sl_str_of(fresh), &key, err) ||
        !text(p, "resultsAddress", SL_STR(""), &rq->results_address, err) ||
        !text(p, "from", SL_STR(""), &rq->from, err)) {
        return false;
    }
    if (rq->name.n == 0 || rq->name.n > 128) {
        return sl_fail(err, SL_USAGE, "a job's name has 1 to 128 bytes");
    }
    if (!sl_str_eqz(mode, "session") && !sl_str_eqz(mode, "application")) {
        return sl_fail(err, SL_USAGE, "mode is session or application, not '%.*s'", SL_S(mode));
    }
    if (flink.n && !sql_version_parse(flink, &rq->flink, err)) {
        return false;
    }
    if (key.n == 0 || key.n > SUB_KEY_BYTES) {
        return sl_fail(err, SL_USAGE, "parameter 'key' has 1 to %d bytes", SUB_KEY_BYTES);
    }
    size_t dots = 0;
    for (size_t i = 0; i < flink.n; i++) {
        dots += flink.p[i] == '.';
    }
    rq->flink_patch = dots == 2 ? flink : SL_STR_NONE;
    rq->key = sl_str_dup(a, key);
    rq->mode = sl_str_eqz(mode, "session") ? TGT_SESSION : TGT_APPLICATION;
    rq->form = sl_str_eqz(form, "text") ? RES_FORM_TEXT : RES_FORM_API;
    rq->detach = sl_json_bool(sl_json_get(p, "detach"), false);
    rq->together = sl_json_bool(sl_json_get(p, "together"), false);
    rq->dry_run = sl_json_bool(sl_json_get(p, "dryRun"), false);
    rq->since = (uint64_t)SL_MAX(sl_json_i64(sl_json_get(p, "since"), 0), INT64_C(0));
    rq->resumed = rq->since > 0 || sl_json_bool(sl_json_get(p, "resumed"), false);
    rq->replace = sl_json_bool(sl_json_get(p, "replace"), false);
    rq->detach = rq->detach || rq->replace; /* what is replaced lasts */
    rq->lenient = sl_json_bool(sl_json_get(p, "allowNonRestoredState"), false);
    rq->params = p;
    read_vars(p, a, rq);
    read_config(p, a, rq);
    return read_numbers(p, rq, err);
}

/* --- kept ---------------------------------------------------------------------------------------------------
 */

#define SUFFIX ".json"

/* A key may hold any bytes: its file is named by its digest. */
static void file_name(sl_str key, char ret[80])
{
    char digest[72];
    sl_sha256_digest(key, digest);
    const char *colon = strchr(digest, ':');
    snprintf(ret, 80, "%s" SUFFIX, colon ? colon + 1 : digest);
}

bool sub_request_keep(const char *dir, const struct sub_request *rq, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b;
    char name[80];
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstr(&w, "key", rq->key);
    sl_jw_key(&w, "params");
    sl_jw_value(&w, rq->params);
    sl_jw_end_object(&w);
    file_name(rq->key, name);
    return sys_mkdirs(dir, 0700, err) &&
           sys_file_write(sys_path_join(&a, dir, name), sl_buf_str(&b), 0600, err);
}

bool sub_request_kept(const char *dir, sl_str key, struct sl_arena *a, struct sub_request *ret,
                      struct sl_err *err)
{
    char name[80];
    sl_str json;
    file_name(key, name);
    if (!sys_file_read(a, sys_path_join(a, dir, name), SL_LIMIT_OWNER_LINE_BYTES * 2, &json, err)) {
        return false;
    }
    const struct sl_json *kept = sl_json_parse(a, json, err);
    if (!kept || !sub_request_read(sl_json_get(kept, "params"), a, ret, err)) {
        return false;
    }
    ret->key = sl_str_dup(a, key); /* it may have been made here */
    return true;
}

void sub_request_drop(const char *dir, sl_str key)
{
    SL_ARENA_AUTO a = {0};
    char name[80];
    file_name(key, name);
    unlink(sys_path_join(&a, dir, name)); /* what stays is swept at the next start */
}

void sub_request_sweep(const char *dir, const char *const *keys, size_t n)
{
    SL_ARENA_AUTO a = {0};
    sl_str *names;
    size_t found;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_is_dir(dir) || !sys_dir_list(&a, dir, &names, &found, &ignored)) {
        return;
    }
    for (size_t i = 0; i < found; i++) {
        bool wanted = false;
        for (size_t k = 0; k < n && !wanted; k++) {
            char name[80];
            file_name(sl_str_of(keys[k]), name);
            wanted = sl_str_eqz(names[i], name);
        }
        if (!wanted) {
            unlink(sys_path_join(&a, dir, sl_arena_strdupz(&a, names[i])));
        }
    }
}
