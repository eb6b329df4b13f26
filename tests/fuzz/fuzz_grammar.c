/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as one statement: the grammar answers with a tree whose nodes lie inside their parents and in
 * order, or with one fault that has a text and a place inside the statement. What is taken must be taken
 * again with a
 * ';' behind it. */
#include "base/utf8.h"
#include "sqlparse/parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t walk(const struct sql_node *n)
{
    uint32_t at = n->off, depth = 0;
    SL_BUG_ON(n->kind == SQL_N_NONE || n->kind >= SQL_N_MAX_);
    for (const struct sql_node *c = n->first; c; c = c->next) {
        SL_BUG_ON(c->off < at || c->off + c->len > n->off + n->len);
        SL_BUG_ON(!c->next && c != sql_last(n));
        at = c->off + c->len;
        uint32_t below = walk(c) + 1;
        depth = below > depth ? below : depth;
    }
    SL_BUG_ON(depth > n->depth);
    return depth;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || sl_utf8_valid_prefix((sl_str){(const char *)data + 1, size - 1}) != size - 1) {
        return 0;
    }
    size_t n = size - 1;
    char *text = malloc(n + 1);
    memcpy(text, data + 1, n);
    text[n] = ';';
    sl_str sql = {text, n};
    SL_ARENA_AUTO a = {0};
    sql_version version = sql_version_at(data[0] % SQL_VERSION_COUNT);
    const struct sql_node *ast;
    struct sql_fault f;
    if (sql_parse_text(&a, sql, version, &ast, &f)) {
        if (ast) {
            SL_BUG_ON((size_t)ast->off + ast->len > n);
            walk(ast);
            sl_str tree = sql_node_print(&a, ast, sql);
            SL_BUG_ON(tree.n == 0);
            struct sql_lexer lx;
            struct sql_token t;
            /* a comment at the end would swallow the semicolon */
            bool comment = sl_str_find(sql, SL_STR("--")) >= 0 || sl_str_find(sql, SL_STR("//")) >= 0;
            sql_lex_init(&lx, sql, version, false);
            while (sql_lex_next(&lx, &t)) {
            }
            SL_BUG_ON(!comment && !sql_parse_text(&a, (sl_str){text, n + 1}, version, &ast, &f));
        }
    } else {
        SL_BUG_ON(f.code == SL_OK || f.msg.n == 0 || (size_t)f.off + f.len > n);
    }
    free(text);
    return 0;
}
