/* SPDX-License-Identifier: Apache-2.0
 * What is seen of sessions from outside, and how a failure is said to those who do not read Java. */
#include "gateway/session/internal.h"

#include "gateway/target/flink_error.h"
#include "sys/clock.h"

/* Under the lock. */
static void see(const struct session *s, struct sl_arena *a, struct ses_seen *ret)
{
    *ret = (struct ses_seen){.name = sl_str_dup(a, sl_str_of(s->name)),
                             .user = sl_str_dup(a, sl_str_of(s->user)),
                             .target = sl_str_dup(a, sl_str_of(s->target)),
                             .flink = sl_str_dup(a, sl_str_of(s->flink)),
                             .catalog = sl_str_dup(a, s->log.catalog),
                             .database = sl_str_dup(a, s->log.database),
                             .created_ms = s->created_ms,
                             .idle_ms = sys_now_ms() - s->used_ms,
                             .n_ops = s->n_ops};
    memcpy(ret->id, s->id, SES_ID);
    for (const struct ses_op *o = s->ops; o; o = o->next) {
        ret->n_open += o->state == SES_PENDING || o->state == SES_RUNNING;
    }
}

void ses_list(struct ses_host *h, const struct ses_who *who, struct sl_arena *a, struct ses_seen **ret,
              size_t *ret_n)
{
    pthread_mutex_lock(&h->lock);
    *ret = sl_new_n(a, struct ses_seen, h->n_sessions + 1);
    *ret_n = 0;
    for (const struct session *s = h->sessions; s; s = s->next) {
        if (who->role >= AUTH_ADMIN || sl_str_eqz(who->user, s->user)) {
            see(s, a, &(*ret)[(*ret_n)++]);
        }
    }
    pthread_mutex_unlock(&h->lock);
}

bool ses_see(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_arena *a,
             struct ses_seen *ret, struct sl_err *err)
{
    struct session *s = ses_find(h, who, id, err);
    if (!s) {
        return false;
    }
    pthread_mutex_lock(&h->lock);
    see(s, a, ret);
    ret->ops = sl_new_n(a, struct ses_seen_op, s->n_ops + 1);
    size_t n = 0;
    for (const struct ses_op *o = s->ops; o; o = o->next) {
        struct ses_seen_op *to = &ret->ops[n++];
        memcpy(to->id, o->id, SES_ID);
        memcpy(to->job_id, o->job_id, sizeof(to->job_id));
        to->state = o->state;
    }
    ses_session_unref(s, 1);
    pthread_mutex_unlock(&h->lock);
    return true;
}

/* --- failures ------------------------------------------------------------------------------------------------------ */

/* The causes as the runner writes a chain. */
static sl_str chain_json(const struct ses_failure *f, struct sl_arena *a)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_array(&w);
    for (size_t i = 0; i < f->n; i++) {
        sl_jw_object(&w);
        sl_jw_kstr(&w, "class", f->causes[i].type);
        sl_jw_kstr(&w, "message", f->causes[i].message);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    return sl_str_dup(a, sl_buf_str(&b));
}

/* What Sluice has refused: its line and, behind a line break, the cure. */
static bool explain_ours(const struct ses_failure *f, struct sl_err *err)
{
    sl_str text = f->causes[f->n - 1].message;
    ptrdiff_t end = sl_str_find_char(text, '\n');
    sl_fail(err, f->code, "%.*s", SL_S(end < 0 ? text : sl_str_sub(text, 0, (size_t)end)));
    return end < 0 ? false
                   : sl_hint(err, "%.*s", SL_S(sl_str_sub(text, (size_t)end + 1, text.n - (size_t)end - 1)));
}

bool ses_explain(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                 const struct ses_failure *f, struct sl_arena *a, struct sl_err *err)
{
    struct sl_err ignored = SL_ERR_INIT;
    struct ses_op *o = ses_find_op(h, who, id, op, &ignored);
    sl_str text = o ? sl_str_dup(a, o->statement) : SL_STR("");
    sql_version flink = SQL_FLINK_DEFAULT;
    if (o) {
        (void)!sql_version_parse(sl_str_of(o->session->flink), &flink, &ignored);
        pthread_mutex_lock(&h->lock);
        ses_op_unref(o);
        pthread_mutex_unlock(&h->lock);
    }
    struct sql_script script;
    struct sql_options opt = {.flink = flink, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(&script, a, flink);
    bool read = text.n && sql_script_add(&script, SL_STR("statement"), text, &opt, &ignored);
    for (size_t i = 0; read && i < script.diags.list.n; i++) {
        if (script.diags.list.v[i].severity == SQL_ERROR) { /* refused before anything was sent */
            flink_error_to_err(&script.diags.list.v[i], err);
            return false;
        }
    }
    struct sql_diag d;
    struct tgt_failure said = {.chain_json = chain_json(f, a)};
    if (f->code == SL_FLINK &&
        flink_error_translate(&said, read ? &script : NULL,
                              read && script.stmts.n ? &script.stmts.v[0] : NULL, a, &d)) {
        flink_error_to_err(&d, err);
        err->detail = flink_error_stack(&said, a);
        return false;
    }
    return explain_ours(f, err);
}
