/* SPDX-License-Identifier: Apache-2.0
 * Pages of an operation's answer. A page is a number and the rows between its first and the next page's first: asked for
 * again, it is the same again while its rows are kept. Of a large result only the last page given stays. */
#include "gateway/session/internal.h"

#include "base/limits.h"
#include "catalog/complete.h"
#include "sys/clock.h"

#define PAGE_BYTES ((size_t)4 << 20)

struct fetch {
    struct ses_host *h;
    struct ses_op *op;
    const struct ses_rows *rows;
    struct ses_page *page;
    struct sl_arena *arena;
    struct res_column *cols;
    size_t n_cols;
};

static void fill_page(struct fetch *f)
{
    const struct ses_op *op = f->op;
    f->page->is_query = op->is_query;
    f->page->content = op->content;
    memcpy(f->page->job_id, op->job_id, sizeof(op->job_id));
    f->page->zone = op->zone;
    if (op->result) {
        f->n_cols = res_result_columns(op->result, f->arena, &f->cols, NULL);
        f->page->columns = sl_new_n(f->arena, struct ses_column, f->n_cols + 1);
        f->page->n_columns = f->n_cols;
        for (size_t i = 0; i < f->n_cols; i++) {
            f->page->columns[i] = (struct ses_column){.name = f->cols[i].name, .type = f->cols[i].desc};
        }
    } else {
        f->page->columns = op->table.columns;
        f->page->n_columns = op->table.n_columns;
    }
}

/* Rows [from, to) to the client; `to` is where it stopped. */
static bool give(struct fetch *f, uint64_t from, uint64_t *to, int64_t wait_ms, enum res_state *ret_state,
                 struct sl_err *err)
{
    uint64_t at = from, end = *to;
    struct res_reader *rd = res_reader_new(f->op->result, from, false);
    int64_t deadline = sys_now_ms() + wait_ms;
    bool ok = true;
    while (ok && at < end && f->rows->bytes(f->rows->ctx) < PAGE_BYTES) {
        struct res_rows rows;
        int64_t left = at > from ? 0 : deadline - sys_now_ms();
        if (!res_reader_wait(rd, left > 0 ? left : 0, &rows)) {
            *ret_state = rows.state;
            if (rows.state > RES_OPEN || at > from || left <= 0 || ses_stopping(f->op)) {
                break;
            }
            continue; /* its state has changed */
        }
        *ret_state = RES_OPEN;
        struct res_row row;
        while (ok && at < end && f->rows->bytes(f->rows->ctx) < PAGE_BYTES &&
               res_rows_next(&rows, f->cols, f->n_cols, &row)) {
            ok = f->rows->row(f->rows->ctx, f->page, f->cols, &row, err);
            at++;
        }
    }
    res_reader_free(rd);
    *to = at;
    return ok;
}

/* A result whose rows are many keeps those of the last page only. */
static void move_keeper(struct fetch *f, uint64_t from)
{
    struct ses_op *op = f->op;
    op->bytes += f->rows->bytes(f->rows->ctx);
    if (op->run[0] && op->bytes > (size_t)sl_limits.session_result_bytes) {
        struct res_reader *rd = res_reader_new(op->result, from, true);
        res_reader_free(op->keeper);
        op->keeper = rd;
        op->first_page = op->starts.n - 1;
    }
}

/* Why there are no rows of an operation that somebody, or the clock, has ended. Always false. */
static bool given_up(const struct ses_op *op, enum ses_state state, struct sl_err *err)
{
    if (state == SES_TIMEOUT) {
        sl_fail(err, SL_TIMEOUT, "the statement did not end within %lld ms", (long long)op->timeout_ms);
        return sl_hint(err, "timeoutMs      of the call that brought it");
    }
    return sl_fail(err, SL_JOB_STATE, "Can not fetch results from the %s in %s status.", op->id,
                   ses_state_names[state]);
}

/* The sink has gone without its end: Flink says why. */
static bool broken(struct fetch *f, struct ses_failure *ret, struct sl_err *err)
{
    struct ses_op *op = f->op;
    pthread_mutex_lock(&f->h->lock);
    enum ses_state state = op->state;
    pthread_mutex_unlock(&f->h->lock);
    if (state != SES_FINISHED) { /* while somebody waited for its rows */
        return given_up(op, state, err);
    }
    struct tgt_failure why = {0};
    struct run r;
    struct tracker *t = f->h->env.sub.tracker;
    if (op->run[0] && tracker_wait_ended(t, op->run, sl_limits.cancel_ms, &r) &&
        tracker_failure(t, op->run, &op->arena, &why)) {
        ses_fail_chain(op, &why);
        *ret = op->failure;
        return false;
    }
    if (!res_result_error(op->result, err)) {
        sl_fail(err, SL_RESULT_PARTIAL, "the rows ended before their end was said");
    }
    return op->run[0] ? sl_hint(err, "the statement has changed nothing, and may be sent again") : false;
}

static bool fetch_result(struct fetch *f, uint64_t token, struct ses_failure *ret_failure, struct sl_err *err)
{
    struct ses_op *op = f->op;
    uint64_t next = op->starts.n - 1;
    uint64_t from = op->starts.v[token];
    bool old = token < next;
    uint64_t to = old ? op->starts.v[token + 1] : from + SES_PAGE_ROWS;
    enum res_state state = RES_OPEN;
    pthread_mutex_lock(&f->h->lock);
    bool hold = !old && f->h->n_holding < (size_t)sl_limits.fetches_held;
    f->h->n_holding += hold;
    pthread_mutex_unlock(&f->h->lock);
    int64_t until = sys_now_ms() + (hold ? sl_limits.fetch_hold_ms : 0);
    fill_page(f);
    bool spent = !old && f->rows->spent(f->rows->ctx);
    while (spent && sys_now_ms() < until && !ses_stopping(op)) {
        sys_sleep_ms(10);
        spent = f->rows->spent(f->rows->ctx);
    }
    to = spent ? from : to;
    while (f->n_cols == 0 && res_result_state(op->result) == RES_WAITING && sys_now_ms() < until &&
           !ses_stopping(op)) {
        sys_sleep_ms(2); /* columns come with the first writer */
        struct run r;
        if (tracker_get(f->h->env.sub.tracker, op->run, &r) && r.ended) {
            break;
        }
    }
    fill_page(f);
    bool ok = true;
    if (f->n_cols > 0) {
        ok = f->rows->columns(f->rows->ctx, f->page, f->cols, err) &&
             give(f, from, &to, until - sys_now_ms(), &state, err);
    }
    pthread_mutex_lock(&f->h->lock);
    f->h->n_holding -= hold;
    pthread_mutex_unlock(&f->h->lock);
    if (!ok) {
        return false;
    }
    if (f->n_cols == 0) {
        struct run r;
        bool ended = tracker_get(f->h->env.sub.tracker, op->run, &r) && r.ended;
        if (ended || res_result_state(op->result) != RES_WAITING) {
            return broken(f, ret_failure, err);
        }
        f->page->kind = SES_NOT_READY;
        return true;
    }
    if (old || to > from) {
        f->page->kind = SES_PAYLOAD;
    } else if (state == RES_COMPLETE) {
        if (op->run[0]) { /* before its end is told */
            ses_keep_rows(f->h, op);
        }
        f->page->kind = SES_EOS;
        return true;
    } else if (state > RES_OPEN) {
        return broken(f, ret_failure, err);
    } else {
        f->page->kind = SES_PAYLOAD; /* nothing new yet */
    }
    if (!old) {
        sl_vec_push(&op->arena, &op->starts, to);
        ses_keep_starts(f->h, op);
        move_keeper(f, from);
    }
    return true;
}

static bool fetch_table(struct fetch *f, uint64_t token, struct sl_err *err)
{
    struct ses_op *op = f->op;
    uint64_t next = op->starts.n - 1, n = op->table.rows.n;
    uint64_t from = op->starts.v[token];
    uint64_t to = SL_MIN(from + SES_PAGE_ROWS, n);
    fill_page(f);
    for (uint64_t i = from; i < to; i++) {
        if (!f->rows->cells(f->rows->ctx, f->page, op->table.rows.v[i], err)) {
            return false;
        }
    }
    f->page->kind = from < n || token < next || token == 0 ? SES_PAYLOAD : SES_EOS;
    if (f->page->kind == SES_PAYLOAD && token == next) {
        sl_vec_push(&op->arena, &op->starts, to);
    }
    return true;
}

static bool fetch(struct fetch *f, int64_t token, struct ses_failure *ret_failure, struct sl_err *err)
{
    struct ses_op *op = f->op;
    pthread_mutex_lock(&f->h->lock);
    enum ses_state state = op->state;
    pthread_mutex_unlock(&f->h->lock);
    if (state == SES_PENDING || state == SES_RUNNING) {
        f->page->kind = SES_NOT_READY;
        return true;
    }
    if (state == SES_ERROR) {
        *ret_failure = op->failure;
        return false;
    }
    if (state != SES_FINISHED) {
        return given_up(op, state, err);
    }
    if (op->starts.n == 0) {
        sl_vec_push(&op->arena, &op->starts, 0);
    }
    uint64_t next = op->starts.n - 1;
    if (token < (int64_t)op->first_page || token > (int64_t)next) {
        return next == 0
                   ? sl_fail(err, SL_RESULT_TOKEN, "Expecting token to be 0, but found %lld.",
                             (long long)token)
                   : sl_fail(err, SL_RESULT_TOKEN, "Expecting token to be %llu or %llu, but found %lld.",
                             (unsigned long long)next, (unsigned long long)next - 1, (long long)token);
    }
    return op->result ? fetch_result(f, (uint64_t)token, ret_failure, err)
                      : fetch_table(f, (uint64_t)token, err);
}

/* Waits a little for an operation that has only just begun. */
static void wait_begun(struct ses_host *h, struct ses_op *op)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + sl_limits.fetch_hold_ms % 1000 * 1000000;
    until.tv_sec += sl_limits.fetch_hold_ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&h->lock);
    if (h->n_holding < (size_t)sl_limits.fetches_held) {
        h->n_holding++;
        while ((op->state == SES_PENDING || op->state == SES_RUNNING) && !h->stopping &&
               pthread_cond_timedwait(&op->session->changed, &h->lock, &until) == 0) {
        }
        h->n_holding--;
    }
    pthread_mutex_unlock(&h->lock);
}

bool ses_fetch(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op, int64_t token,
               const struct ses_rows *rows, struct sl_arena *a, struct ses_page *ret,
               struct ses_failure *ret_failure, struct sl_err *err)
{
    *ret = (struct ses_page){0};
    *ret_failure = (struct ses_failure){0};
    struct ses_op *o = ses_find_op(h, who, id, op, err);
    if (!o) {
        return false;
    }
    wait_begun(h, o);
    struct fetch f = {.h = h, .op = o, .rows = rows, .page = ret, .arena = a};
    pthread_mutex_lock(&o->fetching);
    bool ok = fetch(&f, token, ret_failure, err);
    /* What comes back outlives the operation. */
    struct ses_column *columns = sl_new_n(a, struct ses_column, ret->n_columns + 1);
    for (size_t i = 0; i < ret->n_columns; i++) {
        columns[i] = ret->columns[i];
        columns[i].name = sl_str_dup(a, columns[i].name);
    }
    ret->columns = columns;
    ret->zone = ret->zone ? sl_arena_strdupz(a, sl_str_of(ret->zone)) : NULL;
    *ret_failure = ses_failure_dup(ret_failure, a);
    pthread_mutex_unlock(&o->fetching);
    pthread_mutex_lock(&h->lock);
    ses_op_unref(o);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

/* Does it go on from what is typed? Ours may also be meant by letters in its middle, which clients of Flink do not know. */
static bool goes_on(sl_str typed, sl_str item)
{
    sl_str from = item.n && item.p[0] == '`' && !sl_str_starts(typed, SL_STR("`"))
                      ? sl_str_sub(item, 1, item.n - 1)
                      : item;
    return from.n >= typed.n && sl_str_ieq(sl_str_sub(from, 0, typed.n), typed);
}

bool ses_complete(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str statement, size_t offset,
                  struct sl_arena *a, sl_str **ret, size_t *ret_n, struct sl_err *err)
{
    struct session *s = ses_find(h, who, id, err);
    if (!s) {
        return false;
    }
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < s->log.entries.n; i++) { /* what the session has made is known by name */
        sl_buf_puts(&text, s->log.entries.v[i].sql);
        sl_buf_putz(&text, ";\n");
    }
    sql_version flink = SQL_FLINK_DEFAULT;
    struct sl_err unread = SL_ERR_INIT;
    if (!sql_version_parse(sl_str_of(s->flink), &flink, &unread)) {
        flink = SQL_FLINK_DEFAULT;
    }
    ses_session_unref(s, 1);
    pthread_mutex_unlock(&h->lock);
    size_t before = text.n;
    sl_buf_puts(&text, statement);
    struct sql_script script;
    struct sql_options opt = {.flink = flink, .level = SQL_LEVEL_SPLIT};
    struct cat_completion found;
    sql_script_init(&script, a, flink);
    if (!sql_script_add(&script, SL_STR("statement"), sl_str_dup(a, sl_buf_str(&text)), &opt, err)) {
        return false;
    }
    size_t caret = before + SL_MIN(offset, statement.n);
    cat_complete(a, &script, 0, (uint32_t)caret, NULL, 0, &found);
    size_t from = SL_MIN((size_t)found.off, caret);
    sl_str typed = sl_str_sub(sl_buf_str(&text), from, caret - from);
    *ret = sl_new_n(a, sl_str, found.items.n + 1);
    *ret_n = 0;
    for (size_t i = 0; i < found.items.n; i++) {
        if (goes_on(typed, found.items.v[i].insert)) {
            (*ret)[(*ret_n)++] = found.items.v[i].insert;
        }
    }
    return true;
}
