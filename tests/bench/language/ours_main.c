/* SPDX-License-Identifier: Apache-2.0
 * The language room and the checks in process, for `make bench` (tests/bench/language.py).
 *   ours_main lex|parse FILE.jsonl SECONDS VERSION    passes over {"sql": ...} lines
 *   ours_main check FILE.sql SECONDS VERSION          whole checks of one script, level full
 *   ours_main complete FILE.sql SECONDS VERSION       completion in its middle; "taken" counts the items
 * One JSON line a pass: CPU seconds of this thread, statements taken, bytes, and for a check the arena's bytes. */
#include "base/json.h"
#include "base/limits.h"
#include "catalog/check.h"
#include "catalog/complete.h"
#include "sqlparse/parse.h"
#include "sqlparse/token.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct corpus {
    struct sl_arena arena;
    SL_VEC(sl_str) sql;
    size_t bytes;
};

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool read_corpus(struct corpus *c, sl_str text)
{
    struct sl_err err = SL_ERR_INIT;
    while (text.n) {
        ptrdiff_t nl = sl_str_find_char(text, '\n');
        size_t n = nl < 0 ? text.n : (size_t)nl;
        SL_ARENA_AUTO scratch = {0};
        struct sl_json *doc = sl_json_parse(&scratch, sl_str_sub(text, 0, n), &err);
        if (!doc) {
            fprintf(stderr, "not JSON: %s\n", err.msg);
            return false;
        }
        sl_str sql = sl_str_dup(&c->arena, sl_json_str(sl_json_get(doc, "sql"), SL_STR_NONE));
        *sl_vec_add(&c->arena, &c->sql) = sql;
        c->bytes += sql.n;
        text = sl_str_sub(text, SL_MIN(n + 1, text.n), text.n - SL_MIN(n + 1, text.n));
    }
    return c->sql.n > 0;
}

static size_t lex_all(const struct corpus *c, sql_version version)
{
    size_t tokens = 0;
    for (size_t i = 0; i < c->sql.n; i++) {
        struct sql_lexer lx;
        struct sql_token t;
        sql_lex_init(&lx, c->sql.v[i], version, false);
        while (sql_lex_next(&lx, &t)) {
            tokens++;
        }
    }
    return tokens;
}

static size_t parse_all(const struct corpus *c, sql_version version, struct sl_arena *a)
{
    size_t taken = 0;
    for (size_t i = 0; i < c->sql.n; i++) {
        struct sl_arena_mark mark = sl_arena_mark(a);
        const struct sql_node *ast = NULL;
        struct sql_fault fault;
        taken += sql_parse_text(a, c->sql.v[i], version, &ast, &fault);
        sl_arena_rewind(a, mark);
    }
    return taken;
}

static size_t check_once(sl_str text, sql_version version, size_t *ret_statements, size_t *ret_arena)
{
    struct sl_err err = SL_ERR_INIT;
    SL_ARENA_AUTO a = {0};
    struct sql_script s;
    sql_script_init(&s, &a, version);
    struct sql_options options = {.flink = version, .level = SQL_LEVEL_SYNTAX};
    if (!sql_script_add(&s, SL_STR("bench.sql"), text, &options, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    cat_check(&s, CAT_LEVEL_FULL);
    sql_diags_sort(&s);
    *ret_statements = s.stmts.n;
    *ret_arena = a.used;
    return s.diags.errors;
}

/* Completion in the middle of the script, behind half a column's name; the script is split before, as in an editor.
 * Returns the number of items. */
static size_t complete_once(sl_str text, sql_version version, double *ret_seconds)
{
    struct sl_err err = SL_ERR_INIT;
    SL_ARENA_AUTO a = {0};
    struct sql_script s;
    struct cat_completion items = {0};
    sl_str half = sl_str_sub(text, text.n / 2, text.n - text.n / 2);
    ptrdiff_t at = sl_str_find(half, SL_STR("WHERE pri"));
    sql_script_init(&s, &a, version);
    struct sql_options options = {.flink = version, .level = SQL_LEVEL_SPLIT};
    if (at < 0 || !sql_script_add(&s, SL_STR("bench.sql"), text, &options, &err)) {
        fprintf(stderr, "no place to complete: %s\n", err.msg);
        exit(1);
    }
    double start = cpu_now();
    cat_complete(&a, &s, 0, (uint32_t)(text.n / 2 + (size_t)at + strlen("WHERE pri")), NULL, 0, &items);
    *ret_seconds = cpu_now() - start;
    return items.items.n;
}

int main(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    struct corpus c = {0};
    SL_ARENA_AUTO work = {0};
    sql_version version;
    sl_str text;
    if (argc != 5 || !sql_version_parse(sl_str_of(argv[4]), &version, &err) ||
        !sys_file_read(&c.arena, argv[2], SL_LIMIT_BUF_BYTES, &text, &err)) {
        fprintf(stderr, "usage: ours_main lex|parse|check FILE SECONDS VERSION   %s\n", err.msg);
        return 2;
    }
    bool lex = strcmp(argv[1], "lex") == 0, complete = strcmp(argv[1], "complete") == 0;
    bool check = complete || strcmp(argv[1], "check") == 0;
    if (!check && !read_corpus(&c, text)) {
        return 2;
    }
    double end = cpu_now() + atof(argv[3]);
    for (int pass = 1; pass <= 3 || (cpu_now() < end && pass < 100000); pass++) {
        double start = cpu_now(), seconds = 0;
        size_t statements = c.sql.n, taken, arena = 0;
        if (complete) {
            taken = complete_once(text, version, &seconds);
        } else if (check) {
            size_t errors = check_once(text, version, &statements, &arena);
            taken = errors ? 0 : statements;
        } else {
            taken = lex ? lex_all(&c, version) : parse_all(&c, version, &work);
        }
        printf("{\"seconds\":%.9f,\"statements\":%zu,\"taken\":%zu,\"bytes\":%zu,\"arena\":%zu}\n",
               complete ? seconds : cpu_now() - start, statements, taken, check ? text.n : c.bytes, arena);
    }
    sl_arena_release(&c.arena);
    return 0;
}
