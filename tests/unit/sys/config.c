/* SPDX-License-Identifier: Apache-2.0
 * Settings: who wins, what is refused and where, and that every text about them comes from the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "sys/config.h"
#include "sys/file.h"

static char dir[64];
static struct sl_arena arena;
static struct sys_config c;
static struct sl_err err;

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/sluice-config-XXXXXX");
    clearenv();
    sl_arena_init(&arena, 0);
    err = SL_ERR_INIT;
    if (!mkdtemp(dir) || setenv("HOME", dir, 1) != 0) {
        return -1;
    }
    sys_config_init(&c, &arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sl_arena_release(&arena);
    return sys_rmtree(dir, NULL) ? 0 : -1;
}

static const char *file_with(const char *text)
{
    char *folder = sys_path_join(&arena, dir, ".config/sluice");
    char *path = sys_path_join(&arena, folder, "config.yaml");
    assert_true(sys_mkdirs(folder, 0700, &err) && sys_file_write(path, sl_str_of(text), 0600, &err));
    return path;
}

static void flag(const char *name, const char *value)
{
    bool known = false;
    assert_true(sys_config_flag(&c, name, value, &known, &err));
    assert_true(known);
}

static void defaults_need_nothing(void **state)
{
    (void)state;
    assert_true(sys_config_load(&c, NULL, &err));
    assert_true(c.target.n == 0 && c.limit_cell_bytes == 16 << 20 && c.local_idle_ms == 600000);
    char want[128];
    snprintf(want, sizeof(want), "%s/.local/share/sluice/data", dir);
    assert_true(sl_str_eqz(c.data, want));
    assert_int_equal(c.origin[SYS_CONFIG_KEY_target], SYS_CONFIG_DEFAULT);
}

static void flag_wins_over_variable_over_file(void **state)
{
    (void)state;
    file_with("target: from-file\nserver: http://from-file\ntoken: from-file\n"
              "local:\n  slots: 3\n  idle-time: 2 min\nlimit.cell-bytes: 1 MiB\ndata: rel/data\n");
    setenv("SLUICE_SERVER", "http://from-env", 1);
    setenv("SLUICE_TARGET", "from-env", 1);
    setenv("SLUICE_ENV", "prod", 1);
    setenv("SLUICE_LIMIT_ROW_BYTES", "2MiB", 1);
    flag("--target", "from-flag"); /* before the weaker ones are read */
    assert_true(sys_config_load(&c, NULL, &err));
    assert_true(sl_str_eqz(c.target, "from-flag") && sl_str_eqz(c.server, "http://from-env"));
    assert_true(sl_str_eqz(c.token, "from-file") && sl_str_eqz(c.environment, "prod"));
    assert_true(c.local_slots == 3 && c.local_idle_ms == 120000);
    assert_true(c.limit_cell_bytes == 1 << 20 && c.limit_row_bytes == 2 << 20);
    char want[128];
    snprintf(want, sizeof(want), "%s/.config/sluice/rel/data", dir);
    assert_true(sl_str_eqz(c.data, want));

    SL_BUF_AUTO b = {0};
    sys_config_show_json(&c, &b);
    const struct sl_json *all = sl_json_parse(&arena, sl_buf_str(&b), &err);
    int seen = 0;
    SL_JSON_EACH(it, all)
    {
        sl_str key = sl_json_str(sl_json_get(it, "key"), SL_STR("?"));
        sl_str value = sl_json_str(sl_json_get(it, "value"), SL_STR("?"));
        sl_str origin = sl_json_str(sl_json_get(it, "origin"), SL_STR("?"));
        sl_str where = sl_json_str(sl_json_get(it, "where"), SL_STR("?"));
        if (sl_str_eqz(key, "target")) {
            seen += sl_str_eqz(origin, "flag") && sl_str_eqz(where, "--target");
        } else if (sl_str_eqz(key, "server")) {
            seen += sl_str_eqz(origin, "environment") && sl_str_eqz(where, "$SLUICE_SERVER");
        } else if (sl_str_eqz(key, "limit.cell-bytes")) {
            seen += sl_str_eqz(value, "1 MiB") && sl_str_ends(where, SL_STR("config.yaml:7"));
        } else if (sl_str_eqz(key, "token")) {
            seen += sl_str_eqz(value, "***");
        }
    }
    assert_int_equal(seen, 4);
}

static void an_unknown_key_is_an_error_with_its_place(void **state)
{
    (void)state;
    file_with("target: x\nlimit:\n  cel-bytes: 5\n");
    assert_false(sys_config_load(&c, NULL, &err));
    assert_int_equal(err.code, SL_CONFIG_UNKNOWN);
    assert_true(err.pos.line == 3 && err.pos.col == 3);
    assert_non_null(strstr(err.msg, "limit.cel-bytes"));
    assert_string_equal(err.hint, "did you mean \"limit.cell-bytes\"?");
    assert_false(sys_config_assign(&c, "no.such.thing.at.all=1", &err));
    assert_int_equal(err.code, SL_CONFIG_UNKNOWN);
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"local.slots=0",
                                      "local.slots=many",
                                      "local.slots=2000",
                                      "local.idle-time=5 parsecs",
                                      "limit.cell-bytes=1 XB",
                                      "limit.cell-bytes=-1",
                                      "limit.cell-bytes=61 GiB",
                                      "log.level=loud",
                                      "log.json=maybe",
                                      "results.address=host",
                                      "results.address=host:0",
                                      "results.address=:80",
                                      "results.address=h:99999",
                                      "flink=two",
                                      "flink=2.",
                                      "flink=2.2.1.5",
                                      "target=a\nb",
                                      "results.bind=::1:80",
                                      "limit.cell-bytes=99999999999999 TiB"};
    static const char *const good[] = {"local.slots=1024",
                                       "local.idle-time=0",
                                       "limit.cell-bytes=1024",
                                       "log.level=DEBUG",
                                       "log.json=true",
                                       "results.address=h.example:1",
                                       "results.address=[::1]:80",
                                       "flink=1.20",
                                       "flink=2.2.1",
                                       "server=",
                                       "target=", /* none: what `sluice target use` chose */
                                       "results.bind=0.0.0.0:0",
                                       "limit.row-bytes = 2 MiB"};
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        err = SL_ERR_INIT;
        if (sys_config_assign(&c, bad[i], &err) || err.code != SL_CONFIG_VALUE) {
            fail_msg("%s: %s", bad[i], err.msg);
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        if (!sys_config_assign(&c, good[i], &err)) {
            fail_msg("%s: %s", good[i], err.msg);
        }
    }
    file_with("target: ok\nlog: {level: [a]}\n");
    assert_false(sys_config_load(&c, NULL, &err));
    assert_true(err.code == SL_CONFIG_VALUE && err.pos.line == 2 && err.pos.col == 14);
    setenv("SLUICE_LOCAL_SLOTS", "x", 1);
    assert_false(sys_config_load(&c, NULL, &err));
    assert_non_null(strstr(err.msg, "SLUICE_LOCAL_SLOTS"));
    assert_string_equal(err.hint, "allowed are 1 to 1024");
}

static void a_bad_secret_is_not_repeated(void **state)
{
    (void)state;
    assert_false(sys_config_assign(&c, "token=hunter2\nX-Evil: 1", &err));
    assert_null(strstr(err.msg, "hunter2"));
}

static void a_named_file_must_be_there(void **state)
{
    (void)state;
    assert_false(sys_config_load(&c, "/nonexistent/config.yaml", &err));
    assert_int_equal(err.code, SL_FILE_NOT_FOUND);
    const char *path = file_with("a: [\n");
    setenv("SLUICE_CONFIG", path, 1);
    assert_false(sys_config_load(&c, NULL, &err));
    assert_true(err.code == SL_YAML && strstr(err.msg, path) != NULL);
    file_with("# nothing but a comment\n");
    assert_true(sys_config_load(&c, NULL, &err));
}

static void help_and_man_page_know_every_setting(void **state)
{
    (void)state;
    SL_BUF_AUTO help = {0};
    SL_BUF_AUTO man = {0};
    SL_BUF_AUTO show = {0};
    sys_config_help(&help);
    sys_config_man(&man);
    sys_config_show(&c, &show);
    assert_non_null(strstr(sl_buf_z(&help), "--target NAME"));
    assert_non_null(strstr(sl_buf_z(&help), "$SLUICE_TARGET"));
    assert_true(sys_config_is_flag("--results-address") && !sys_config_is_flag("--nope"));
#define SYS_CONFIG(field, type, key, number, text, env, flagname, ...)                                       \
    assert_non_null(strstr(sl_buf_z(&show), key));                                                           \
    assert_true(!(flagname) || strstr(sl_buf_z(&help), (flagname) ? (flagname) : "") != NULL);
#include "sys/config.def"
#undef SYS_CONFIG
    assert_non_null(strstr(sl_buf_z(&man), "limit.cell\\-bytes"));
    assert_non_null(strstr(sl_buf_z(&man), "SLUICE_LIMIT_CELL_BYTES"));
    bool known = true;
    assert_true(sys_config_flag(&c, "--elsewhere", "x", &known, &err));
    assert_false(known);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(defaults_need_nothing),
        T(flag_wins_over_variable_over_file),
        T(an_unknown_key_is_an_error_with_its_place),
        T(wrong_values_are_refused),
        T(a_bad_secret_is_not_repeated),
        T(a_named_file_must_be_there),
        T(help_and_man_page_know_every_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
