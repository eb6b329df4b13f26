/* SPDX-License-Identifier: Apache-2.0
 * A statement on a cluster that cannot reach the results port: its answer comes in main()'s exception text, cells as texts. */
#include "gateway/jobs/inline_answer.h"
#include "gateway/session/internal.h"

static bool table_of(const struct sl_json *st, struct sl_arena *a, struct ses_table *ret)
{
    const struct sl_json *columns = sl_json_get(st, "columns");
    *ret = (struct ses_table){0};
    if (!columns) {
        return false;
    }
    ret->columns = sl_new_n(a, struct ses_column, columns->n + 1);
    SL_JSON_EACH(c, columns)
    {
        bool truth = sl_str_starts(sl_json_str(sl_json_get(c, "type"), SL_STR("")), SL_STR("BOOLEAN"));
        ret->columns[ret->n_columns++] =
            (struct ses_column){.name = sl_str_dup(a, sl_json_str(sl_json_get(c, "name"), SL_STR(""))),
                                .cell = truth ? SES_BOOLEAN : SES_STRING};
    }
    SL_JSON_EACH(row, sl_json_get(st, "rows"))
    {
        struct ses_cell *cells = sl_new_n(a, struct ses_cell, ret->n_columns + 1);
        size_t i = 0;
        SL_JSON_EACH(cell, row)
        {
            if (i < ret->n_columns && sl_json_is(cell, SL_JSON_STRING)) {
                cells[i].text = sl_str_dup(a, cell->text);
                cells[i].number = sl_str_ieqz(cell->text, "true");
            }
            i++;
        }
        sl_vec_push(a, &ret->rows, cells);
    }
    return true;
}

static const struct sl_json *statement_of(const struct sl_json *doc, uint32_t number)
{
    SL_JSON_EACH(st, sl_json_get(doc, "statements"))
    {
        if (sl_json_i64(sl_json_get(st, "statement"), 0) == number) {
            return st;
        }
    }
    return NULL;
}

enum ses_inline ses_inline_answer(struct ses_op *op, const struct tgt_failure *f, uint32_t number,
                                  struct ses_table ret_then[2])
{
    struct sl_arena *a = &op->arena;
    const struct sl_json *doc = inline_answer_of(f, a), *failed = sl_json_get(doc, "failed");
    if (!doc) {
        return SES_INLINE_NONE;
    }
    if (sl_json_is(failed, SL_JSON_OBJECT)) {
        struct tgt_failure why = inline_answer_failure(failed, a);
        ses_fail_chain(op, &why);
        return SES_INLINE_FAILED;
    }
    if (sl_json_get(doc, "error")) {
        struct sl_err err = SL_ERR_INIT;
        sl_fail(&err, SL_RESULTS_UNREACHABLE,
                "Flink cannot connect to Sluice for this statement's answer (%.*s: %.*s); SHOW, DESCRIBE and "
                "EXPLAIN work without it",
                SL_S(sl_json_str(sl_json_get(doc, "address"), SL_STR(""))),
                SL_S(sl_json_str(sl_json_get(doc, "cause"), SL_STR(""))));
        ses_fail(op, &err);
        return SES_INLINE_FAILED;
    }
    if (table_of(statement_of(doc, number), a, &op->table)) {
        op->content = true;
    } else {
        ses_answer_ok(op);
    }
    for (uint32_t i = 0; i < 2 && table_of(statement_of(doc, number + 1 + i), a, &ret_then[i]); i++) {
    }
    return SES_INLINE_ANSWERED;
}
