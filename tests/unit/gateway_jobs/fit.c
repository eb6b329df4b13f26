/* SPDX-License-Identifier: Apache-2.0
 * Plans as Flink explains them: whose state fits which. */
#include "gateway/jobs/fit.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PLAN(body) "== Abstract Syntax Tree ==\nLogicalSink(x)\n\n== Optimized Execution Plan ==\n" body
#define COUNTS                                                                                               \
    PLAN("Sink(table=[c.d.dst], fields=[k, n])\n"                                                            \
         "+- GroupAggregate(groupBy=[k], select=[k, COUNT(*) AS n])\n"                                       \
         "   +- Exchange(distribution=[hash[k]])\n"                                                          \
         "      +- TableSourceScan(table=[[c, d, src]], fields=[k])\n")

static char what[160];

static bool fit(const char *was, const char *is)
{
    what[0] = 0;
    return fit_plans(sl_str_of(was), sl_str_of(is), what);
}

static void what_is_the_same_fits(void **state)
{
    (void)state;
    assert_true(fit(COUNTS, COUNTS));
    /* other names, another sink, a filter behind the aggregate */
    assert_true(fit(COUNTS, PLAN("Sink(table=[c.d.other], fields=[kk, m])\n"
                                 "+- Calc(select=[kk, m], where=[>(m, 3)])\n"
                                 "   +- GroupAggregate(groupBy=[kk], select=[kk, COUNT(*) AS m])\n"
                                 "      +- Exchange(distribution=[hash[kk]])\n"
                                 "         +- TableSourceScan(table=[[c, d, src]], fields=[kk])\n")));
    /* without state nothing can be unfit */
    assert_true(fit(PLAN("Sink(table=[a])\n+- TableSourceScan(table=[[b]])\n"), COUNTS));
    assert_true(fit("not a plan", COUNTS));
    assert_true(fit(COUNTS, ""));
}

static void another_function_does_not_fit(void **state)
{
    (void)state;
    assert_false(fit(COUNTS, PLAN("Sink(table=[c.d.dst], fields=[k, n])\n"
                                  "+- GroupAggregate(groupBy=[k], select=[k, SUM(v) AS n])\n"
                                  "   +- Exchange(distribution=[hash[k]])\n"
                                  "      +- TableSourceScan(table=[[c, d, src]], fields=[k, v])\n")));
    assert_string_equal(what, "GroupAggregate(groupBy=[k], select=[k, COUNT(*) AS n])");
}

static void another_number_of_keys_does_not_fit(void **state)
{
    (void)state;
    assert_false(
        fit(COUNTS, PLAN("Sink(table=[c.d.dst], fields=[k, n])\n"
                         "+- GroupAggregate(groupBy=[k, DATE_FORMAT(t, 'x')], select=[k, COUNT(*) AS n])\n"
                         "   +- Exchange(distribution=[hash[k, t]])\n"
                         "      +- TableSourceScan(table=[[c, d, src]], fields=[k, t])\n")));
}

static void another_place_does_not_fit(void **state)
{
    (void)state;
    assert_false(fit(COUNTS, PLAN("Sink(table=[c.d.dst], fields=[k, n])\n"
                                  "+- GroupAggregate(groupBy=[k], select=[k, COUNT(*) AS n])\n"
                                  "   +- Exchange(distribution=[hash[k]])\n"
                                  "      +- Calc(select=[k], where=[>(k, 3)])\n"
                                  "         +- TableSourceScan(table=[[c, d, src]], fields=[k])\n")));
    assert_false(fit(COUNTS, PLAN("Sink(table=[c.d.dst], fields=[k])\n"
                                  "+- TableSourceScan(table=[[c, d, src]], fields=[k])\n")));
}

#define JOIN(right)                                                                                          \
    PLAN("Sink(table=[o])\n"                                                                                 \
         "+- Join(joinType=[InnerJoin], where=[=(a, b)], select=[a, b])\n"                                   \
         "   :- Exchange(distribution=[hash[a]])\n"                                                          \
         "   :  +- TableSourceScan(table=[[l]], fields=[a])\n"                                               \
         "   +- Exchange(distribution=[hash[b]])\n" right)

static void the_trees_of_a_join_are_compared(void **state)
{
    (void)state;
    const char *flat = JOIN("      +- TableSourceScan(table=[[r]], fields=[b])\n");
    const char *deep = JOIN("      +- Calc(select=[b], where=[>(b, 1)])\n"
                            "         +- TableSourceScan(table=[[r]], fields=[b])\n");
    assert_true(fit(flat, flat));
    assert_true(fit(deep, deep));
    assert_false(fit(flat, deep));
    assert_string_equal(what, "Join(joinType=[InnerJoin], where=[=(a, b)], select=[a, b])");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_the_same_fits),
        cmocka_unit_test(another_function_does_not_fit),
        cmocka_unit_test(another_number_of_keys_does_not_fit),
        cmocka_unit_test(another_place_does_not_fit),
        cmocka_unit_test(the_trees_of_a_join_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
