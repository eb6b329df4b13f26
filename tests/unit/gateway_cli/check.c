/* SPDX-License-Identifier: Apache-2.0
 * sluice check, split and render as a person meets them: whole runs of the verbs in a folder of their own,
 * against golden files;
 * --jsonl as a co-process; carets by display width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "tests/unit/sqlparse/golden.h"

static char folder[] = "/tmp/sluice-check-XXXXXX";

static void write_file(sl_str name, sl_str text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%.*s", folder, SL_S(name));
    char *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(text.p, 1, text.n, f);
    fclose(f);
}

static void read_file(const char *name, struct sl_buf *out)
{
    char path[256], block[4096];
    size_t got;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    while ((got = fread(block, 1, sizeof(block), f)) > 0) {
        sl_buf_put(out, block, got);
    }
    fclose(f);
}

/* Times differ: "ms":0.4 becomes "ms":0, "in 0.4 ms." becomes "in TIME.", ", 12 ms" at a line's end ", TIME".
 */
static void put_without_times(struct sl_buf *out, sl_str text)
{
    for (size_t i = 0; i < text.n;) {
        size_t k = i;
        while (k < text.n && ((text.p[k] >= '0' && text.p[k] <= '9') || text.p[k] == '.')) {
            k++;
        }
        sl_str unit = sl_str_sub(text, k, SL_MIN(text.n - k, (size_t)4));
        bool time = k > i && (i < 1 || text.p[i - 1] == ' ') &&
                    (sl_str_starts(unit, SL_STR(" ms.")) || sl_str_starts(unit, SL_STR(" ms\n")) ||
                     sl_str_starts(unit, SL_STR(" s.")) || sl_str_starts(unit, SL_STR(" s\n")));
        bool json = k > i && i >= 5 && memcmp(text.p + i - 5, "\"ms\":", 5) == 0;
        if (json) {
            sl_buf_putz(out, "0");
            i = k;
        } else if (time) {
            sl_buf_putz(out, "TIME");
            i = k + (unit.p[1] == 'm' ? 3 : 2);
        } else {
            sl_buf_putc(out, text.p[i++]);
        }
    }
}

/* A child runs the verb with stdout and stderr in files, so that nothing of it stays here. */
static int run_verb(char **argv, int argc, const char *input)
{
    static const struct cli_verb *const verbs[] = {&cli_check, &cli_split, &cli_render};
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(folder) != 0) {
            _exit(99);
        }
        unsetenv("SLUICE_ENV");
        setenv("SHOP_USER", "mara", 1);
        int in = open(input ? input : "/dev/null", O_RDONLY);
        int out = open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600),
            err = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(in, 0);
        dup2(out, 1);
        dup2(err, 2);
        int code = 98;
        for (size_t i = 0; i < SL_ARRAY_LEN(verbs); i++) {
            code = strcmp(verbs[i]->name, argv[0]) == 0 ? verbs[i]->exec(argc, argv) : code;
        }
        fflush(NULL);
        _exit(code);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* First line: the command. Then files: "@@ name" and their lines; what comes before the first is x.sql. */
static void verb_case(sl_str name, sl_str input, struct sl_buf *out)
{
    (void)name;
    sl_str rest = input, line = golden_line(&rest), file = SL_STR("x.sql");
    char words[512], *argv[32];
    int argc = 0;
    snprintf(words, sizeof(words), "%.*s", SL_S(line));
    char *save = NULL;
    for (char *w = strtok_r(words, " ", &save); w && argc < 31; w = strtok_r(NULL, " ", &save)) {
        argv[argc++] = w;
    }
    argv[argc] = NULL;
    const char *start = rest.p;
    while (rest.n) {
        const char *before = rest.p;
        line = golden_line(&rest);
        if (sl_str_starts(line, SL_STR("@@ "))) {
            write_file(file, (sl_str){start, (size_t)(before - start)});
            file = sl_str_sub(line, 3, line.n - 3);
            start = rest.p;
        }
    }
    write_file(file, (sl_str){start, (size_t)(rest.p - start)});
    int code = run_verb(argv, argc, "x.sql");
    SL_BUF_AUTO answer, said;
    sl_buf_init(&answer, 0);
    sl_buf_init(&said, 0);
    read_file("stdout", &answer);
    read_file("stderr", &said);
    put_without_times(out, sl_buf_str(&said));
    if (answer.n) {
        sl_buf_putz(out, "(stdout)\n");
        put_without_times(out, sl_buf_str(&answer));
    }
    if (out->n && out->p[out->n - 1] != '\n') {
        sl_buf_putc(out, '\n');
    }
    sl_buf_printf(out, "(exit %d)\n", code);
    char clean[300];
    snprintf(clean, sizeof(clean), "%s/sluice.yaml", folder);
    unlink(clean);
}

static void golden_of(const char *path, int least)
{
    int cases = 0;
    assert_int_equal(golden_run(path, verb_case, &cases), 0);
    assert_true(cases >= least);
}

static void mistakes(void **state)
{
    (void)state;
    golden_of("tests/golden/check/check.txt", 12);
}

static void names(void **state)
{
    (void)state;
    golden_of("tests/golden/check/names.txt", 8);
}

static void options(void **state)
{
    (void)state;
    golden_of("tests/golden/check/options.txt", 18);
}

static void verbs(void **state)
{
    (void)state;
    golden_of("tests/golden/check/verbs.txt", 10);
}

/* A question is answered before the next one is asked. */
static void co_process(void **state)
{
    (void)state;
    int to[2], from[2];
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        char *argv[] = {(char[]){"check"}, (char[]){"--jsonl"}, NULL};
        _exit(cli_check.exec(2, argv));
    }
    close(to[0]);
    close(from[1]);
    for (int i = 0; i < 50; i++) {
        char ask[128], answer[4096];
        int n = snprintf(ask, sizeof(ask), "{\"id\":%d,\"sql\":\"SELECT %s; SELECT 2\"}\n", i,
                         i % 2 ? "1" : "FROM");
        assert_int_equal(write(to[1], ask, (size_t)n), n);
        size_t got = 0;
        while (!memchr(answer, '\n', got)) {
            ssize_t r = read(from[0], answer + got, sizeof(answer) - 1 - got);
            assert_true(r > 0);
            got += (size_t)r;
        }
        answer[got] = '\0';
        char want[64];
        snprintf(want, sizeof(want), "{\"id\":%d,\"ok\":%s,\"statements\":2,", i, i % 2 ? "true" : "false");
        assert_memory_equal(answer, want, strlen(want));
    }
    close(to[1]);
    int status;
    waitpid(pid, &status, 0);
    close(from[0]);
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(cli_display_width(SL_STR("abc"), 0), 3);
    assert_int_equal(cli_display_width(SL_STR("订单"), 0), 4);
    assert_int_equal(cli_display_width(SL_STR("e\xcc\x81"), 0), 1); /* e and a combining accent */
    assert_int_equal(cli_display_width(SL_STR("\t"), 0), CLI_TAB);
    assert_int_equal(cli_display_width(SL_STR("\t"), 3), 1);
    assert_int_equal(cli_display_width(SL_STR("\033"), 0), 1);
}

/* What a script holds cannot steer the terminal, and colours are only written when asked for. */
static void no_escape_from_the_source(void **state)
{
    (void)state;
    SL_ARENA_AUTO arena = {0};
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&s, &arena, 0);
    assert_true(sql_script_add(&s, SL_STR("x.sql"), SL_STR("SELECT '\033[31m\xe2\x80\xae', \x07 ;"),
                               &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err));
    assert_int_equal(s.diags.list.n, 1);
    cli_diags_print(&out, &s, false);
    assert_int_equal(sl_str_find_char(sl_buf_str(&out), '\033'), -1);
    assert_int_equal(sl_str_find_char(sl_buf_str(&out), '\a'), -1);
    assert_int_equal(sl_str_find(sl_buf_str(&out), SL_STR("\xe2\x80\xae")), -1);
    sl_buf_clear(&out);
    cli_diags_print(&out, &s, true);
    assert_true(sl_str_starts(sl_buf_str(&out), SL_STR("\033[1;31merror[lexical]\033[0m: ")));
}

/* A line of a megabyte is shown around the place only. */
static void long_lines_are_cut(void **state)
{
    (void)state;
    SL_ARENA_AUTO arena = {0};
    SL_BUF_AUTO text, out;
    sl_buf_init(&text, 0);
    sl_buf_init(&out, 0);
    sl_buf_putz(&text, "SELECT ");
    for (int i = 0; i < 100000; i++) {
        sl_buf_putz(&text, "订单, ");
    }
    sl_buf_putz(&text, "# FROM t");
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&s, &arena, 0);
    assert_true(sql_script_add(&s, SL_STR("x.sql"), sl_buf_str(&text),
                               &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err));
    cli_diags_print(&out, &s, false);
    assert_true(out.n < 1000);
    /* the caret stands below the # */
    sl_str rest = sl_buf_str(&out), line = golden_line(&rest), above = line;
    while (rest.n && sl_str_find_char(line, '^') < 0) {
        above = line;
        line = golden_line(&rest);
    }
    size_t caret = cli_display_width(sl_str_sub(line, 0, (size_t)sl_str_find_char(line, '^')), 0);
    size_t hash = cli_display_width(sl_str_sub(above, 0, (size_t)sl_str_find_char(above, '#')), 0);
    assert_int_equal(caret, hash);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, folder, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execvp("rm", argv);
        _exit(1);
    }
    int status;
    waitpid(pid, &status, 0);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes),
        cmocka_unit_test(names),
        cmocka_unit_test(options),
        cmocka_unit_test(verbs),
        cmocka_unit_test(co_process),
        cmocka_unit_test(widths),
        cmocka_unit_test(no_escape_from_the_source),
        cmocka_unit_test(long_lines_are_cut),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
