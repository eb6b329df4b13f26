/* SPDX-License-Identifier: Apache-2.0
 * How a submission is opened: its bundle, what its key stands for, who has the key already, its record. */
#include "gateway/jobs/submission_internal.h"

#include "base/digest.h"
#include "gateway/jobs/request.h"
#include "runtime-image/bundle.h"

void sub_bundle(struct sub *s, struct sl_buf *b)
{
    struct img_bundle_pair *pairs = sl_new_n(s->arena, struct img_bundle_pair, s->rq->n_config + 1);
    for (size_t i = 0; i < s->rq->n_config; i++) {
        pairs[i] = (struct img_bundle_pair){s->rq->config[i].key, s->rq->config[i].value};
    }
    size_t n_jars = 0;
    while (s->jars[n_jars]) {
        n_jars++;
    }
    sl_str *lock = sl_new_n(s->arena, sl_str, n_jars + 1);
    for (size_t i = 0; i < n_jars; i++) {
        lock[i] =
            sl_arena_printf(s->arena, "sha256:%s", s->jar_digests[i]); /* the same bytes, wherever they lie */
    }
    struct img_bundle_input in = {.script = &s->script,
                                  .vars = s->rq->vars,
                                  .config = pairs,
                                  .n_config = s->rq->n_config,
                                  .lock = lock,
                                  .n_lock = n_jars,
                                  .job = s->rq->name,
                                  .mode =
                                      s->rq->mode == TGT_SESSION ? SL_STR("session") : SL_STR("application")};
    img_bundle_write(&in, b, s->digest);
}

/* The files as given, for the positions of errors that come when nobody looks. */
static void write_source(struct sub *s, struct sl_buf *b)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_array(&w);
    for (size_t i = 0; i < s->rq->n_files; i++) {
        sl_jw_object(&w);
        sl_jw_kstr(&w, "name", s->rq->files[i].name);
        sl_jw_kstr(&w, "text", s->rq->files[i].text);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
}

/* What the key stands for: the same key with anything else is refused. */
static void digest_body(struct sub *s)
{
    const struct sub_request *rq = s->rq;
    sl_str all =
        sl_arena_printf(s->arena, "%s %.*s %d %llu %lld %lld %.*s %d %d", s->digest, SL_S(rq->target),
                        rq->together, (unsigned long long)rq->max_rows, (long long)rq->max_duration_ms,
                        (long long)rq->timeout_ms, SL_S(rq->from), rq->replace, rq->lenient);
    sl_sha256_digest(all, s->body);
}

static void refuse_key(struct sub *s, const char *job)
{
    struct sl_err err = SL_ERR_INIT;
    sl_fail(&err, SL_KEY_REUSED, "key %.*s was used before%s%s, for something else", SL_S(s->rq->key),
            job[0] ? " for job " : "", job);
    sl_hint(&err, "another --id; or the script, options and values of variables as they were then");
    sub_fail(s, &err);
}

/* The key is taken, or who has it is followed. False: there is nothing left to do. */
static bool take_key(struct sub *s)
{
    const struct sub_request *rq = s->rq;
    const struct event_sink *k = s->sink;
    for (;;) {
        s->live = live_begin(s->env->live, rq->key, s->body, k, rq->detach, s->plan.selects > 0);
        if (s->live) {
            s->sink = live_sink(s->live);
            return true;
        }
        switch (live_follow(s->env->live, rq->key, s->body, k,
                            rq->since     ? rq->since
                            : rq->resumed ? LIVE_FROM_NOW
                                          : 0,
                            s->arena, &s->exit_code, &s->answer)) {
        case LIVE_OTHER_BODY:
            refuse_key(s, "");
            return false;
        case LIVE_LEFT:
            s->interrupted = true;
            return false;
        case LIVE_ENDED:
            return false;
        default:
            break; /* it has ended in between */
        }
    }
}

/* A key that was used before: its answer is given again, and nothing runs. */
static void answered_before(struct sub *s, const struct ledger_opened *o)
{
    struct sl_err err = SL_ERR_INIT;
    if (o->other_body) {
        refuse_key(s, o->job);
        return;
    }
    if (!ledger_answer(s->env->ledger, sl_arena_strdupz(s->arena, s->rq->key), s->arena, &s->answer)) {
        sl_fail(&err, SL_BUSY, "the submission with key %.*s has no answer yet", SL_S(s->rq->key));
        sub_fail(s, &err);
        return;
    }
    if (!s->rq->resumed) {
        event_note(s->sink, "key %.*s was used before: nothing was run", SL_S(s->rq->key));
    }
    const struct sl_json *old = sl_json_parse(s->arena, s->answer, &err);
    if (sl_str_eqz(sl_json_str(sl_json_get(old, "code"), SL_STR("")), sl_code_slug(SL_OWNER))) {
        sl_fail(&err, SL_OWNER, "the owner of the data folder ended while it ran, and it could not go on");
        sl_hint(&err, "sluice job ls");
        event_error(s->sink, &err);
    }
    s->exit_code = (int)sl_json_i64(sl_json_get(old, "exit"), 1);
}

bool sub_reopen(struct sub *s)
{
    SL_BUF_AUTO bundle;
    sl_buf_init(&bundle, 0);
    sub_bundle(s, &bundle);
    digest_body(s);
    if (strcmp(s->body, s->past->body) != 0) {
        sub_lose(s, NULL,
                 s->jars[0] && !s->rq->n_kept_jars
                     ? "a jar that it was given has changed since: what was left of it does not go on"
                     : "another Sluice reads the script in another way: what was left of it does not go on");
        return false;
    }
    return true;
}

bool sub_open(struct sub *s)
{
    SL_BUF_AUTO bundle, source;
    struct sl_err err = SL_ERR_INIT;
    bool names_job = s->plan.jobs > s->plan.selects;
    sl_buf_init(&bundle, 0);
    sl_buf_init(&source, 0);
    sub_bundle(s, &bundle);
    write_source(s, &source);
    digest_body(s);
    if (!take_key(s)) {
        return false;
    }
    struct ledger_submission ls = {.key = sl_arena_strdupz(s->arena, s->rq->key),
                                   .job = names_job ? sl_arena_strdupz(s->arena, s->rq->name) : "",
                                   .owner = sl_arena_strdupz(s->arena, s->rq->owner),
                                   .digest = s->digest,
                                   .body = s->body,
                                   .bundle = sl_buf_str(&bundle),
                                   .source = sl_buf_str(&source),
                                   .target = s->target->name,
                                   .version = s->rq->version,
                                   .beside = s->rq->replace || s->rq->beside,
                                   .mode = s->rq->mode};
    struct ledger_opened opened;
    /* A replacement that is left in the middle is ended by its own record, not by going on with the request. */
    bool goes_on = names_job && !s->rq->replace && !s->rq->beside;
    if (goes_on && !sub_request_keep(s->env->open_dir, s->rq, &err)) {
        sub_fail(s, &err);
        return false;
    }
    if (!ledger_open(s->env->ledger, &ls, &opened, &err)) {
        sub_fail(s, &err);
        return false;
    }
    if (opened.known) {
        answered_before(s, &opened);
        return false;
    }
    if (opened.taken) {
        sub_request_drop(s->env->open_dir, s->rq->key);
        sub_refuse_name(s, opened.taken_by);
        return false;
    }
    s->opened = opened;
    for (size_t i = 0; i < s->early.n; i++) {
        s->early.v[i].submission = opened.submission;
        ledger_note_step(s->env->ledger, &s->early.v[i]);
    }
    return true;
}
