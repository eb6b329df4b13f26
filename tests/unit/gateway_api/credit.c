/* SPDX-License-Identifier: Apache-2.0
 * Credit for rows: what goes at once, what waits, and by what each wait ends. */
#include "gateway/api/credit.h"

#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#define CALL SL_STR("\"a\"")

struct taker {
    struct api_credits *c;
    pthread_t thread;
    bool done, went; /* done: atomic */
};

static void *take(void *arg)
{
    struct taker *t = arg;
    t->went = api_credit_take(t->c, 7, CALL, 100, 1000);
    __atomic_store_n(&t->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void begin(struct taker *t, struct api_credits *c)
{
    *t = (struct taker){.c = c};
    assert_int_equal(pthread_create(&t->thread, NULL, take, t), 0);
    sys_sleep_ms(30); /* it waits by now, or will not see the difference */
    assert_false(__atomic_load_n(&t->done, __ATOMIC_ACQUIRE));
}

static bool went(struct taker *t)
{
    pthread_join(t->thread, NULL);
    return t->went;
}

static void a_block_goes_whole_and_what_is_owed_is_paid_first(void **state)
{
    (void)state;
    struct api_credits *c = api_credits_new();
    struct taker t;
    assert_true(api_credit_take(c, 7, CALL, 1000000, 1000000)); /* a call that counts nothing */
    api_credit_open(c, 7, CALL, &(struct api_credit){150, API_NO_CREDIT});
    assert_true(api_credit_take(c, 7, CALL, 100, 1000));
    assert_true(api_credit_take(c, 7, CALL, 100, 1000)); /* 50 were left: now 50 are owed */
    begin(&t, c);
    api_credit_add(c, 8, CALL, &(struct api_credit){1000, 1000}); /* others' */
    api_credit_add(c, 7, SL_STR("7"), &(struct api_credit){1000, 1000});
    api_credit_add(c, 7, CALL, &(struct api_credit){50, 1000});
    sys_sleep_ms(30);
    assert_false(__atomic_load_n(&t.done, __ATOMIC_ACQUIRE)); /* nothing is owed, and nothing left */
    api_credit_add(c, 7, CALL, &(struct api_credit){1, API_NO_CREDIT});
    assert_true(went(&t));
    api_credit_close(c, 7, CALL);
    assert_true(api_credit_take(c, 7, CALL, 1, 1));
    api_credits_free(c);
}

static void bytes_count_beside_rows(void **state)
{
    (void)state;
    struct api_credits *c = api_credits_new();
    struct taker t;
    api_credit_open(c, 7, CALL, &(struct api_credit){INT64_MAX, 1000});
    assert_true(api_credit_take(c, 7, CALL, 1, 1000));
    begin(&t, c);
    api_credit_add(c, 7, CALL, &(struct api_credit){INT64_MAX, API_NO_CREDIT});
    api_credit_add(c, 7, CALL, &(struct api_credit){INT64_MAX, INT64_MAX}); /* no overflow */
    assert_true(went(&t));
    api_credit_add(c, 7, CALL, &(struct api_credit){INT64_MAX, INT64_MAX});
    assert_true(api_credit_take(c, 7, CALL, 1, 1));
    api_credits_free(c);
}

static void a_wait_ends_with_its_call_client_and_server(void **state)
{
    (void)state;
    struct taker t;
    for (int way = 0; way < 4; way++) {
        struct api_credits *c = api_credits_new();
        api_credit_open(c, 7, CALL, &(struct api_credit){0, API_NO_CREDIT});
        begin(&t, c);
        switch (way) {
        case 0:
            api_credit_waive(c, 7, CALL);
            break;
        case 1:
            api_credit_close(c, 7, CALL);
            break;
        case 2:
            api_credit_gone(c, 7);
            break;
        default:
            api_credit_hurry(c);
            break;
        }
        assert_int_equal(went(&t), way < 2);
        assert_int_equal(api_credit_take(c, 7, CALL, 1, 1), way < 2); /* and stays so */
        api_credits_free(c);
    }
}

static void what_is_no_credit_is_refused(void **state)
{
    (void)state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    static const struct {
        const char *text;
        int64_t rows, bytes;
        bool ok;
    } given[] = {{"{\"rows\":5}", 5, API_NO_CREDIT, true},
                 {"{\"bytes\":0,\"rows\":0}", 0, 0, true},
                 {"{\"call\":1,\"bytes\":9}", API_NO_CREDIT, 9, true},
                 {"{}", 0, 0, false},
                 {"7", 0, 0, false},
                 {"{\"rows\":-1}", 0, 0, false},
                 {"{\"rows\":\"5\"}", 0, 0, false},
                 {"{\"rows\":1.5}", 0, 0, false},
                 {"{\"rows\":1,\"bytes\":null}", 0, 0, false}};
    for (size_t i = 0; i < SL_ARRAY_LEN(given); i++) {
        struct api_credit credit;
        struct sl_err err = SL_ERR_INIT;
        const struct sl_json *v = sl_json_parse(&a, sl_str_of(given[i].text), &err);
        assert_non_null(v);
        assert_int_equal(api_credit_read(v, &credit, &err), given[i].ok);
        assert_true(given[i].ok ? credit.rows == given[i].rows && credit.bytes == given[i].bytes
                                : err.code == SL_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_block_goes_whole_and_what_is_owed_is_paid_first),
                                       cmocka_unit_test(bytes_count_beside_rows),
                                       cmocka_unit_test(a_wait_ends_with_its_call_client_and_server),
                                       cmocka_unit_test(what_is_no_credit_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
