/* SPDX-License-Identifier: Apache-2.0
 * Sessions with a real store, ledger, tracker and results port below, and no Flink: order, others' sessions, pages, ends, many
 * threads at once, and what the store gives back. */
#include "gateway/session/session.h"

#include "base/limits.h"
#include "gateway/jobs/artifact.h"
#include "gateway/jobs/snapshot.h"
#include "gateway/jobs/tracker.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SOON_MS 20000

struct world {
    char dir[64];
    struct store *store;
    struct ledger *ledger;
    struct auth_rules *rules;
    struct tracker *tracker;
    struct res_port *results;
    struct ses_host *host;
    bool slow; /* atomic: targets do not answer before it is false */
};

static struct target *no_target(void *ctx, sl_str name, sl_str flink, struct sl_err *err)
{
    struct world *w = ctx;
    (void)flink;
    while (__atomic_load_n(&w->slow, __ATOMIC_ACQUIRE)) {
        sys_sleep_ms(1);
    }
    sl_fail(err, SL_TARGET_UNKNOWN, "there is no target '%.*s'", SL_S(name));
    return NULL;
}

static struct target *no_tracked(void *ctx, const char *name, const char *flink)
{
    (void)ctx;
    (void)name;
    (void)flink;
    return NULL;
}

static void open_host(struct world *w)
{
    struct sl_err err = SL_ERR_INIT;
    struct ses_env env = {.store = w->store,
                          .sub = {.results = w->results,
                                  .ledger = w->ledger,
                                  .tracker = w->tracker,
                                  .target = no_target,
                                  .target_ctx = w,
                                  .results_host = "127.0.0.1",
                                  .rules = w->rules}};
    w->host = ses_host_new(&env, &err);
    assert_non_null(w->host);
}

static int setup(void **state)
{
    static const struct store_migration *const migrations[] = {ledger_migrations, submission_migrations,
                                                               snapshot_migrations, session_migrations, NULL};
    struct world *w = calloc(1, sizeof(*w));
    struct sl_err err = SL_ERR_INIT;
    char path[96];
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-session-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof(path), "%s/sluice.db", w->dir);
    w->store = store_open(path, migrations, &err);
    assert_non_null(w->store);
    w->ledger = ledger_new(w->store);
    w->rules = auth_rules_new();
    struct res_config rc = {.bind_host = "127.0.0.1", .spool_dir = w->dir};
    w->results = res_port_start(&rc, &err);
    assert_non_null(w->results);
    w->tracker = tracker_start(w->ledger, no_tracked, NULL);
    open_host(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    ses_host_free(w->host);
    tracker_stop(w->tracker);
    res_port_stop(w->results);
    ledger_free(w->ledger);
    auth_rules_free(w->rules);
    store_close(w->store);
    assert_true(sys_rmtree(w->dir, &err));
    free(w);
    return 0;
}

static const struct ses_who ann = {{"ann", 3}, AUTH_OPERATOR}, ben = {{"ben", 3}, AUTH_OPERATOR},
                            root = {{"root", 4}, AUTH_ADMIN};

static void open_session(struct world *w, char id[SES_ID])
{
    struct sl_err err = SL_ERR_INIT;
    assert_true(ses_open(w->host, &ann, SL_STR("t"), NULL, 0, id, &err));
}

static void start(struct world *w, const char *id, const char *sql, char op[SES_ID])
{
    struct sl_err err = SL_ERR_INIT;
    assert_true(ses_execute(w->host, &ann, sl_str_of(id), sl_str_of(sql), NULL, 0, 0, op, &err));
}

static enum ses_state state_of(struct world *w, const char *id, const char *op)
{
    struct sl_err err = SL_ERR_INIT;
    enum ses_state s = SES_CLOSED;
    char job[33];
    return ses_status(w->host, &ann, sl_str_of(id), sl_str_of(op), &s, job, &err) ? s : SES_CLOSED;
}

static enum ses_state wait_end(struct world *w, const char *id, const char *op)
{
    int64_t until = sys_now_ms() + SOON_MS;
    enum ses_state s = state_of(w, id, op);
    while ((s == SES_PENDING || s == SES_RUNNING) && sys_now_ms() < until) {
        sys_sleep_ms(1);
        s = state_of(w, id, op);
    }
    return s;
}

/* The cells of a page, each in brackets. */
struct taken {
    struct sl_buf b;
};

static bool take_columns(void *ctx, const struct ses_page *p, const struct res_column *c, struct sl_err *err)
{
    (void)ctx;
    (void)p;
    (void)c;
    (void)err;
    return true;
}

static bool take_row(void *ctx, const struct ses_page *p, const struct res_column *c, struct res_row *row,
                     struct sl_err *err)
{
    (void)row;
    return take_columns(ctx, p, c, err);
}

static bool take_cells(void *ctx, const struct ses_page *p, const struct ses_cell *cells, struct sl_err *err)
{
    struct taken *t = ctx;
    (void)err;
    for (size_t i = 0; i < p->n_columns; i++) {
        sl_buf_printf(&t->b, "[%.*s]", SL_S(cells[i].text));
    }
    return true;
}

static size_t taken_bytes(void *ctx)
{
    return ((struct taken *)ctx)->b.n;
}

static bool never_spent(void *ctx)
{
    (void)ctx;
    return false;
}

static bool fetch(struct world *w, const char *id, const char *op, int64_t token, struct taken *t,
                  struct ses_page *page, struct ses_failure *f, struct sl_arena *a, struct sl_err *err)
{
    const struct ses_rows rows = {take_columns, take_row, take_cells, taken_bytes, never_spent, t};
    sl_buf_clear(&t->b);
    return ses_fetch(w->host, &ann, sl_str_of(id), sl_str_of(op), token, &rows, a, page, f, err);
}

static void run_text(struct world *w, const char *id, const char *sql, const char *want)
{
    char op[SES_ID];
    struct ses_page page;
    struct ses_failure f;
    struct sl_err err = SL_ERR_INIT;
    SL_ARENA_AUTO a = {0};
    struct taken t;
    sl_buf_init(&t.b, 0);
    start(w, id, sql, op);
    assert_int_equal(wait_end(w, id, op), SES_FINISHED);
    assert_true(fetch(w, id, op, 0, &t, &page, &f, &a, &err));
    assert_int_equal(page.kind, SES_PAYLOAD);
    assert_string_equal(sl_buf_z(&t.b), want);
    assert_true(fetch(w, id, op, 1, &t, &page, &f, &a, &err));
    assert_int_equal(page.kind, SES_EOS);
    assert_true(fetch(w, id, op, 0, &t, &page, &f, &a, &err)); /* again */
    assert_string_equal(sl_buf_z(&t.b), want);
    assert_false(fetch(w, id, op, 2, &t, &page, &f, &a, &err));
    assert_int_equal(err.code, SL_RESULT_TOKEN);
    sl_buf_release(&t.b);
}

static void test_statements_in_order(void **state)
{
    struct world *w = *state;
    char id[SES_ID], op[SES_ID];
    open_session(w, id);
    for (int i = 0; i < 100; i++) {
        char sql[40];
        snprintf(sql, sizeof(sql), "SET 'k' = '%d'", i);
        start(w, id, sql, op);
    }
    run_text(w, id, "SET", "[k][99]");
    run_text(w, id, "RESET", "[OK]");
    run_text(w, id, "SHOW CURRENT CATALOG", "[default_catalog]");
}

static void test_a_statement_that_fails(void **state)
{
    struct world *w = *state;
    char id[SES_ID], op[SES_ID];
    struct ses_page page;
    struct ses_failure f;
    struct sl_err err = SL_ERR_INIT;
    SL_ARENA_AUTO a = {0};
    struct taken t;
    sl_buf_init(&t.b, 0);
    open_session(w, id);
    start(w, id, "CREATE TABLE t (x INT) WITH ('connector'='print')", op);
    assert_int_equal(wait_end(w, id, op), SES_ERROR);
    assert_false(fetch(w, id, op, 0, &t, &page, &f, &a, &err));
    assert_int_equal(f.n, 1);
    assert_int_equal(f.code, SL_TARGET_UNKNOWN);
    assert_true(sl_str_starts(f.causes[0].message, SL_STR("there is no target ''")));
    start(w, id, "DROP TABLE t", op); /* it has not taken effect */
    assert_int_equal(wait_end(w, id, op), SES_ERROR);
    sl_buf_release(&t.b);
}

static void test_others(void **state)
{
    struct world *w = *state;
    char id[SES_ID];
    struct sl_err err = SL_ERR_INIT;
    open_session(w, id);
    assert_true(ses_touch(w->host, &ann, sl_str_of(id), &err));
    assert_true(ses_touch(w->host, &root, sl_str_of(id), &err));
    assert_false(ses_touch(w->host, &ben, sl_str_of(id), &err));
    assert_int_equal(err.code, SL_SESSION_UNKNOWN);
    assert_false(ses_close(w->host, &ben, sl_str_of(id), &err));
    assert_true(ses_close(w->host, &ann, sl_str_of(id), &err));
    assert_false(ses_touch(w->host, &ann, sl_str_of(id), &err));
}

static void test_cancel_and_close_while_it_waits(void **state)
{
    struct world *w = *state;
    char id[SES_ID], slow[SES_ID], queued[SES_ID], other[SES_ID];
    struct sl_err err = SL_ERR_INIT;
    open_session(w, id);
    __atomic_store_n(&w->slow, true, __ATOMIC_RELEASE);
    start(w, id, "SHOW MODULES", slow);
    start(w, id, "SET 'a' = 'b'", queued);
    start(w, id, "SET 'c' = 'd'", other);
    assert_true(ses_cancel(w->host, &ann, sl_str_of(id), sl_str_of(queued), &err));
    assert_true(ses_close_op(w->host, &ann, sl_str_of(id), sl_str_of(other), &err));
    assert_true(ses_cancel(w->host, &ann, sl_str_of(id), sl_str_of(slow), &err));
    assert_int_equal(state_of(w, id, slow), SES_CANCELED);
    assert_false(ses_cancel(w->host, &ann, sl_str_of(id), sl_str_of(slow), &err));
    assert_int_equal(err.code, SL_JOB_STATE);
    __atomic_store_n(&w->slow, false, __ATOMIC_RELEASE);
    run_text(w, id, "SET 'e' = 'f'", "[OK]");
    run_text(w, id, "SET", "[e][f]"); /* neither was done */
    __atomic_store_n(&w->slow, true, __ATOMIC_RELEASE);
    start(w, id, "SHOW MODULES", slow);
    assert_true(ses_close(w->host, &ann, sl_str_of(id), &err)); /* does not wait for it */
    __atomic_store_n(&w->slow, false, __ATOMIC_RELEASE);
}

static void test_the_store_gives_them_back(void **state)
{
    struct world *w = *state;
    char id[SES_ID];
    open_session(w, id);
    run_text(w, id, "SET 'k' = 'v'", "[OK]");
    run_text(w, id, "USE default_catalog.default_database", "[OK]");
    ses_host_free(w->host);
    open_host(w);
    run_text(w, id, "SET", "[k][v]");
    run_text(w, id, "SHOW CURRENT DATABASE", "[default_database]");
}

/* What an operation says after a restart: "state cells cells ..." of its pages, or its first cause. */
static const char *told(struct world *w, const char *id, const char *op, struct sl_arena *a)
{
    struct ses_page page;
    struct ses_failure f;
    struct sl_err err = SL_ERR_INIT;
    struct taken t;
    sl_str out = sl_str_of(ses_state_names[state_of(w, id, op)]);
    sl_buf_init(&t.b, 0);
    for (int64_t token = 0; fetch(w, id, op, token, &t, &page, &f, a, &err); token++) {
        out = sl_arena_printf(a, "%.*s %s%.*s", SL_S(out), page.kind == SES_EOS ? "EOS" : "",
                              SL_S(sl_buf_str(&t.b)));
        if (page.kind == SES_EOS) {
            sl_buf_release(&t.b);
            return out.p;
        }
    }
    out = f.n ? sl_arena_printf(a, "%.*s %.*s", SL_S(out), SL_S(f.causes[0].message)) : sl_str_of(err.msg);
    sl_buf_release(&t.b);
    return sl_arena_strdupz(a, out);
}

static void test_ended_operations_are_there_again(void **state)
{
    struct world *w = *state;
    char id[SES_ID], set[SES_ID], list[SES_ID], tables[SES_ID], bad[SES_ID], closed[SES_ID];
    struct sl_err err = SL_ERR_INIT;
    SL_ARENA_AUTO a = {0};
    open_session(w, id);
    start(w, id, "SET 'k' = 'v'", set);
    start(w, id, "SET", list);
    start(w, id, "SHOW DATABASES", tables);
    start(w, id, "SELEC 1", bad);
    start(w, id, "SET", closed);
    assert_int_equal(wait_end(w, id, closed), SES_FINISHED);
    const char *was = told(w, id, bad, &a);
    assert_non_null(strstr(was, "ERROR SQL parse failed."));
    assert_true(ses_close_op(w->host, &ann, sl_str_of(id), sl_str_of(closed), &err));
    run_text(w, id, "SHOW CURRENT CATALOG",
             "[default_catalog]"); /* its write comes behind that of the closing */
    for (int i = 0; i < 2; i++) {
        ses_host_free(w->host);
        open_host(w);
        assert_string_equal(told(w, id, set, &a), "FINISHED [OK] EOS");
        assert_string_equal(told(w, id, list, &a), "FINISHED [k][v] EOS");
        assert_string_equal(told(w, id, list, &a), "FINISHED [k][v] EOS");
        assert_string_equal(told(w, id, tables, &a), "FINISHED [default_database] EOS");
        assert_string_equal(told(w, id, bad, &a), was);
        assert_non_null(strstr(told(w, id, closed, &a), "Can not find the submitted operation"));
    }
    enum ses_state s;
    char job[33];
    assert_false(ses_status(w->host, &ben, sl_str_of(id), sl_str_of(set), &s, job, &err));
    assert_int_equal(err.code, SL_SESSION_UNKNOWN);
    assert_true(ses_close_op(w->host, &ann, sl_str_of(id), sl_str_of(set), &err));
    assert_false(ses_status(w->host, &ann, sl_str_of(id), sl_str_of("no"), &s, job, &err));
    assert_int_equal(err.code, SL_OPERATION_UNKNOWN);
    assert_non_null(strstr(err.hint, "started again"));
}

static void test_a_set_is_gathered_across_a_restart(void **state)
{
    struct world *w = *state;
    char id[SES_ID];
    open_session(w, id);
    run_text(w, id, "BEGIN STATEMENT SET", "[OK]");
    run_text(w, id, "INSERT INTO t SELECT 1", "[OK]");
    ses_host_free(w->host);
    open_host(w);
    run_text(w, id, "INSERT INTO t SELECT 2", "[OK]"); /* else it would need a target */
    char op[SES_ID];
    start(w, id, "END", op);
    assert_int_equal(wait_end(w, id, op), SES_ERROR); /* there is none */
    ses_host_free(w->host);
    open_host(w);
    start(w, id, "INSERT INTO t SELECT 2", op);
    assert_int_equal(wait_end(w, id, op), SES_ERROR);
}

static void test_a_session_closed_while_it_works_stays_closed(void **state)
{
    struct world *w = *state;
    char id[SES_ID], slow[SES_ID];
    struct sl_err err = SL_ERR_INIT;
    open_session(w, id);
    __atomic_store_n(&w->slow, true, __ATOMIC_RELEASE);
    start(w, id, "SHOW MODULES", slow);
    assert_true(ses_close(w->host, &ann, sl_str_of(id), &err));
    __atomic_store_n(&w->slow, false, __ATOMIC_RELEASE);
    ses_host_free(w->host);
    open_host(w);
    assert_false(ses_touch(w->host, &ann, sl_str_of(id), &err));
}

static void test_old_operations_are_forgotten(void **state)
{
    struct world *w = *state;
    char id[SES_ID], first[SES_ID], op[SES_ID];
    open_session(w, id);
    start(w, id, "SET", first);
    assert_int_equal(wait_end(w, id, first), SES_FINISHED);
    for (int64_t i = 0; i <= (int64_t)sl_limits.session_operations; i++) {
        start(w, id, "SET", op);
        assert_int_equal(wait_end(w, id, op), SES_FINISHED);
    }
    struct ses_figures n;
    ses_host_figures(w->host, &n);
    assert_true(n.operations <= (size_t)sl_limits.session_operations + 1);
    assert_int_equal(state_of(w, id, first), SES_CLOSED);
}

#define THREADS 8
struct one {
    struct world *w;
    char shared[SES_ID];
};

static void *client(void *arg)
{
    struct one *o = arg;
    char id[SES_ID], op[SES_ID], kept[SES_ID];
    struct sl_err err = SL_ERR_INIT;
    for (int i = 0; i < 10; i++) {
        open_session(o->w, id);
        start(o->w, id, "SET 'a' = 'b'", op);
        start(o->w, o->shared, "SET", kept);
        start(o->w, o->shared, "SHOW MODULES", op);
        run_text(o->w, id, "SET", "[a][b]");
        wait_end(o->w, o->shared, kept);
        if (i % 2) {
            assert_true(ses_close_op(o->w->host, &ann, sl_str_of(o->shared), sl_str_of(kept), &err));
        }
        assert_true(ses_close(o->w->host, &ann, sl_str_of(id), &err));
    }
    return NULL;
}

static void test_many_at_once(void **state)
{
    struct one o = {.w = *state};
    pthread_t t[THREADS];
    open_session(o.w, o.shared);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, client, &o), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
    }
    struct ses_figures n;
    ses_host_figures(o.w->host, &n);
    assert_int_equal(n.sessions, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_statements_in_order),
        T(test_a_statement_that_fails),
        T(test_others),
        T(test_cancel_and_close_while_it_waits),
        T(test_the_store_gives_them_back),
        T(test_ended_operations_are_there_again),
        T(test_a_set_is_gathered_across_a_restart),
        T(test_a_session_closed_while_it_works_stays_closed),
        T(test_old_operations_are_forgotten),
        T(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
