/* SPDX-License-Identifier: Apache-2.0
 * Agreement with Flink's own parser: statements labelled by Flink 1.20, 2.2 and 2.3 (files of JSON lines,
 * found through SLUICE_CORPORA or beside the repository; without them the test is skipped and says so). What
 * Flink takes must be taken, what it refuses must be refused. SLUICE_CORPUS_LIST=1 lists every disagreement.
 */
#include "base/json.h"
#include "base/limits.h"
#include "sqlparse/parse.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
    const char *label, *group;
    sql_version version;
} flinks[3] = {{"1.20.5", "1.20.5", 120}, {"2.2.1", "2", 202}, {"2.3.0", "2", 203}};

static const char *const files[] = {
    "statements/q-tests.jsonl",      "statements/docs-flink.jsonl", "statements/planner-xml.jsonl",
    "statements/planner-code.jsonl", "statements/tpc.jsonl",        "statements/connectors.jsonl",
    "statements/community.jsonl",    "mutations-5k.jsonl",          "mistakes.jsonl",
};

struct tally {
    unsigned ok, ok_taken, bad, bad_refused, placed;
};

static const struct sl_json *label_of(const struct sl_json *labels, unsigned v)
{
    const struct sl_json *l = sl_json_get(labels, "*");
    l = l ? l : sl_json_get(labels, flinks[v].label);
    return l ? l : sl_json_get(labels, flinks[v].group);
}

/* Is the fault where Flink says, or at the token behind it (its lookahead makes it point one early)? At the
 * end of the text Flink points at the last character. Refusals without a place of Flink's count as placed. */
static bool same_place(struct sl_arena *a, sl_str sql, sql_version version, const struct sl_json *l,
                       const struct sql_fault *f)
{
    struct sql_lines lines;
    struct sql_lexer lx;
    struct sql_token t;
    int64_t line = sl_json_i64(sl_json_get(l, "line"), 0), col = sl_json_i64(sl_json_get(l, "col"), 0);
    if (line <= 0 || sl_json_bool(sl_json_get(l, "eof"), false)) {
        return line <= 0 || f->len == 0 || f->off + f->len >= sql.n;
    }
    sql_lines_init(&lines, a, sql);
    size_t off = sql_lines_off(&lines, (uint32_t)line, (uint32_t)col);
    sql_lex_init(&lx, sql, version, false);
    while (sql_lex_next(&lx, &t)) {
        if (t.off >= off) {
            break;
        }
    }
    if (f->off == off || f->off == t.off) {
        return true;
    }
    sql_lex_next(&lx, &t);
    return f->off == t.off;
}

static void one_line(struct sl_arena *a, sl_str line, struct tally tally[3], bool list)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_json *doc = sl_json_parse(a, line, &err);
    assert_non_null(doc);
    sl_str sql = sl_json_str(sl_json_get(doc, "sql"), SL_STR_NONE);
    sl_str id = sl_json_str(sl_json_get(doc, "id"), sl_json_str(sl_json_get(doc, "name"), SL_STR("?")));
    for (unsigned v = 0; v < 3; v++) {
        const struct sl_json *l = label_of(sl_json_get(doc, "label"), v);
        const struct sql_node *ast;
        struct sql_fault fault;
        if (!l) {
            continue;
        }
        bool want = sl_json_bool(sl_json_get(l, "ok"), false) && !sl_json_get(l, "check");
        bool got = sql_parse_text(a, sql, flinks[v].version, &ast, &fault);
        struct tally *t = &tally[v];
        t->ok += want;
        t->bad += !want;
        t->ok_taken += want && got;
        t->bad_refused += !want && !got;
        if (!want && !got) {
            t->placed += same_place(a, sql, flinks[v].version, l, &fault);
            if (list && getenv("SLUICE_CORPUS_PLACES") && !same_place(a, sql, flinks[v].version, l, &fault)) {
                printf("PLACE %.*s %s: Flink %d:%d %.*s | ours +%u %.*s\n   %.*s\n", SL_S(id),
                       flinks[v].label, (int)sl_json_i64(sl_json_get(l, "line"), 0),
                       (int)sl_json_i64(sl_json_get(l, "col"), 0),
                       SL_S(sl_json_str(sl_json_get(l, "msg"), SL_STR(""))), fault.off, SL_S(fault.msg),
                       SL_S(sql));
            }
        }
        if (list && want != got) {
            sl_str why = want ? fault.msg
                              : sl_json_str(sl_json_get(l, "msg"),
                                            sl_json_str(sl_json_path(l, "check.msg"), SL_STR("")));
            printf("%s %.*s %s: %.*s [at %.*s]\n   %.*s\n", want ? "REFUSED" : "TAKEN", SL_S(id),
                   flinks[v].label, SL_S(why), want ? (int)SL_MIN(fault.len, 40u) : 0,
                   sql.p + (want ? fault.off : 0), SL_S(sql));
        }
        if (list && !got && getenv("SLUICE_CORPUS_FAULTS")) {
            printf("FAULT %.*s %s: %s %.*s | %.*s | [%.*s]\n", SL_S(id), flinks[v].label,
                   sl_code_slug(fault.code), SL_S(fault.msg), SL_S(fault.hint), SL_S(sql));
        }
    }
}

static void agreement(void **state)
{
    (void)state;
    const char *dir = getenv("SLUICE_CORPORA");
    dir = dir ? dir : "../shared/corpora";
    bool list = getenv("SLUICE_CORPUS_LIST");
    struct tally all[3] = {{0}};
    for (size_t i = 0; i < SL_ARRAY_LEN(files); i++) {
        char path[512];
        struct tally tally[3] = {{0}};
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        FILE *f = fopen(path, "r");
        if (!f) {
            printf("skipped: %s is not there\n", path);
            skip();
        }
        char *line = NULL;
        size_t cap = 0;
        ssize_t n;
        while ((n = getline(&line, &cap, f)) > 0) {
            SL_ARENA_AUTO a = {0};
            one_line(&a, (sl_str){line, (size_t)n}, tally, list);
        }
        free(line);
        fclose(f);
        printf("%-32s", files[i]);
        for (unsigned v = 0; v < 3; v++) {
            const struct tally *t = &tally[v];
            printf("  %s: taken %u/%u refused %u/%u placed %u", flinks[v].label, t->ok_taken, t->ok,
                   t->bad_refused, t->bad, t->placed);
            all[v].ok += t->ok;
            all[v].ok_taken += t->ok_taken;
            all[v].bad += t->bad;
            all[v].bad_refused += t->bad_refused;
            all[v].placed += t->placed;
        }
        printf("\n");
    }
    for (unsigned v = 0; v < 3; v++) {
        printf("Flink %s: taken %u of %u, refused %u of %u, %u at the same place\n", flinks[v].label,
               all[v].ok_taken, all[v].ok, all[v].bad_refused, all[v].bad, all[v].placed);
        assert_true(all[v].ok_taken == all[v].ok);
        assert_true(all[v].bad_refused >= all[v].bad * 999 / 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agreement)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
