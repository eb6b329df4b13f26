/* SPDX-License-Identifier: Apache-2.0
 * What the programs that test the results port over real sockets have in common: a port with a spool folder of its own, its
 * results, and a reader that checks each row. */
#ifndef SLUICE_TEST_PORT_WORLD_H
#define SLUICE_TEST_PORT_WORLD_H

#include "wire.h"

#include "gateway/results/results.h"

#include "base/limits.h"

#include <time.h>

static char dir[64]; /* of the spool */

static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline struct res_port *start(struct res_config c)
{
    struct sl_err err = SL_ERR_INIT;
    c.spool_dir = dir;
    c.bind_host = "127.0.0.1";
    struct res_port *p = res_port_start(&c, &err);
    if (!p) {
        fail_msg("%s", err.msg);
    }
    return p;
}

static inline struct res_result *result(struct res_port *p)
{
    struct sl_err err = SL_ERR_INIT;
    struct res_result *r = res_result_new(p, 4, &err);
    assert_non_null(r);
    assert_int_equal(strlen(res_result_token(r)), 64);
    return r;
}

/* Waits until the result is in a state; fails after 5 s. */
static inline void state_becomes(struct res_result *r, enum res_state s)
{
    for (int i = 0; i < 500 && res_result_state(r) != s; i++) {
        usleep(10000);
    }
    assert_int_equal(res_result_state(r), s);
}

static struct sl_buf out; /* what fresh() gives */

static inline struct sl_buf *fresh(void)
{
    sl_buf_release(&out);
    sl_buf_init(&out, 0);
    return &out;
}

/* Reads to the end and checks each row: numbers without a gap, texts as w_rows_ns makes them. */
static inline uint64_t read_all(struct res_reader *rd, struct res_result *r, uint64_t from, size_t width)
{
    SL_ARENA_AUTO a = {0};
    struct res_column *cols;
    size_t n = 0;
    uint64_t next = from;
    struct res_rows rows;
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (;;) {
        if (!res_reader_wait(rd, 5000, &rows)) {
            if (rows.state > RES_OPEN) {
                return next;
            }
            continue;
        }
        if (n == 0) {
            n = res_result_columns(r, &a, &cols, NULL);
            assert_int_equal(n, 2);
        }
        struct res_row row;
        assert_int_equal(rows.first, next);
        while (res_rows_next(&rows, cols, n, &row)) {
            bool is_null;
            char want[32];
            sl_buf_clear(&b);
            assert_true(res_cell(&b, RES_FORM_TEXT, &cols[0], &row, 0, NULL, &is_null, &err));
            snprintf(want, sizeof(want), "%llu", (unsigned long long)next);
            assert_string_equal(sl_buf_z(&b), want);
            sl_buf_clear(&b);
            assert_true(res_cell(&b, RES_FORM_TEXT, &cols[1], &row, 1, NULL, &is_null, &err));
            assert_int_equal(b.n, width);
            assert_true(width == 0 || b.p[width - 1] == (char)('a' + (next + width - 1) % 26));
            next++;
        }
    }
}

/* Runs them with a spool folder, which is empty afterwards. */
#define world_run(tests)                                                                                     \
    (snprintf(dir, sizeof(dir), "/tmp/sluice-results-XXXXXX"),                                               \
     !mkdtemp(dir) ? 1 : world_end(cmocka_run_group_tests(tests, NULL, NULL)))

static inline int world_end(int rc)
{
    sl_buf_release(&out);
    return rmdir(dir) == 0 ? rc : 1;
}

#endif
