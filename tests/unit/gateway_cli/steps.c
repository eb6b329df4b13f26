/* SPDX-License-Identifier: Apache-2.0
 * Step lines and lists: the exact columns of the documented look, and silence under -q. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>

#include "gateway/cli/steps.h"
#include "gateway/cli/table.h"

static char *text;
static size_t size;

static void in_a_pipe(void **state)
{
    (void)state;
    FILE *f = open_memstream(&text, &size);
    struct cli_steps_options o = {0};
    struct cli_steps *s = cli_steps_new(f, &o);
    cli_steps_begin(s, "check", "%s", "");
    fflush(f);
    assert_int_equal(size, 0); /* nothing before it is done */
    cli_steps_done(s, 400, "6 statements, no errors (Flink 2.2)");
    cli_steps_begin(s, "start", "local Flink");
    cli_steps_update(s, "local Flink, waiting");
    cli_steps_progress(s, 10, 20);
    cli_steps_done(s, 3200000, "local Flink 2.2.1, session mode");
    cli_steps_begin(s, "submit", "%s", "");
    cli_steps_done(s, 600000, "quickstart\trun 5f0c2a91");
    cli_steps_begin(s, "unpack", "%s", "");
    cli_steps_done(s, CLI_STEPS_NO_TIME, "27 jars");
    cli_steps_begin(s, "submit", "INSERT, line 20");
    cli_steps_failed(s, 700000);
    cli_steps_note(s, "stopped", "local Flink; nothing is left running");
    cli_steps_say(s, "left running: %s", "x");
    cli_steps_free(s);
    fclose(f);
    assert_string_equal(text, " check     6 statements, no errors (Flink 2.2)            0.4 ms\n"
                              " start     local Flink 2.2.1, session mode                 3.2 s\n"
                              " submit    quickstart        run 5f0c2a91                  0.6 s\n"
                              " unpack    27 jars\n"
                              " submit    INSERT, line 20                                 0.7 s  failed\n"
                              " stopped   local Flink; nothing is left running\n"
                              "left running: x\n");
    free(text);
}

static void on_a_terminal(void **state)
{
    (void)state;
    FILE *f = open_memstream(&text, &size);
    struct cli_steps_options o = {.terminal = true, .colour = true, .width = 40};
    struct cli_steps *s = cli_steps_new(f, &o);
    cli_steps_begin(s, "download", "a text that is much too long for this terminal");
    cli_steps_hide(s);
    cli_steps_done(s, 1000000, "done");
    cli_steps_free(s);
    fclose(f);
    assert_string_equal(text,
                        "\r download  a text that is much too long\033[K"
                        "\r\033[K"
                        " download  done                                            \033[2m1.0 s\033[0m\n");
    free(text);
}

static void quiet(void **state)
{
    (void)state;
    FILE *f = open_memstream(&text, &size);
    struct cli_steps_options o = {.quiet = true, .terminal = true};
    struct cli_steps *s = cli_steps_new(f, &o);
    cli_steps_begin(s, "check", "%s", "");
    cli_steps_progress(s, 1, 2);
    cli_steps_done(s, 1, "x");
    cli_steps_note(s, "a", "b");
    cli_steps_say(s, "c");
    cli_steps_free(s);
    fclose(f);
    assert_int_equal(size, 0);
    free(text);
}

static void times_and_sizes(void **state)
{
    (void)state;
    char out[24];
    static const struct {
        int64_t us;
        const char *text;
    } times[] = {{400, "0.4 ms"},        {99949, "99.9 ms"},
                 {99950, "0.1 s"},       {3200000, "3.2 s"},
                 {99949999, "99.9 s"},   {125000000, "2 min 5 s"},
                 {1320000000, "22 min"}, {INT64_C(9000000000), "2 h 30 min"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(times); i++) {
        cli_time_text(times[i].us, out);
        assert_string_equal(out, times[i].text);
    }
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{0, "0 B"},          {999, "999 B"},        {275000, "275 kB"},
                 {1200000, "1.2 MB"}, {312000000, "312 MB"}, {999600, "1.0 MB"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(sizes); i++) {
        cli_size_text(sizes[i].bytes, out);
        assert_string_equal(out, sizes[i].text);
    }
}

static void lists(void **state)
{
    (void)state;
    FILE *f = open_memstream(&text, &size);
    static const char *const titles[] = {"NAME", "RESTARTS", "OWNER"};
    struct cli_list *l = cli_list_new(titles, 3);
    cli_list_right(l, 1);
    cli_list_cell(l, SL_STR("orders-revenue"));
    cli_list_cellf(l, "%d", 0);
    cli_list_cell(l, SL_STR("growth"));
    cli_list_cell(l, SL_STR("\xe8\xae\xa2"));
    cli_list_cellf(l, "%d", 14);
    cli_list_print(l, f); /* the last row is short */
    l = cli_list_new(titles, 3);
    cli_list_print(l, f); /* nothing is in it */
    fclose(f);
    assert_string_equal(text, "NAME            RESTARTS  OWNER\n"
                              "orders-revenue         0  growth\n"
                              "\xe8\xae\xa2                    14  \n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_pipe),       cmocka_unit_test(on_a_terminal), cmocka_unit_test(quiet),
        cmocka_unit_test(times_and_sizes), cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests_name("gateway_cli/steps", tests, NULL, NULL);
}
