/* SPDX-License-Identifier: Apache-2.0
 * The loop around lemon's parser and the question what may come next. Included by the grammar alone, behind
 * the generated tables, because both need their private names. */
#include "sqlparse/parse.h"

/* Would terminal `t` be taken in the state given by stack[0..top]? Reductions are played through on the copy.
 */
static bool engine_takes(const YYACTIONTYPE *from, size_t top, YYACTIONTYPE *stack, YYCODETYPE t)
{
    memcpy(stack, from, (top + 1) * sizeof(*stack));
    for (;;) {
        YYACTIONTYPE act = stack[top];
        if (act <= YY_MAX_SHIFT) {
            int i = yy_shift_ofst[act] + t;
            act = yy_lookahead[i] == t ? yy_action[i] : yy_default[act];
        }
        if (act <= YY_MAX_SHIFTREDUCE || act == YY_ACCEPT_ACTION) {
            return true;
        }
        if (act < YY_MIN_REDUCE) {
            return false;
        }
        unsigned rule = (unsigned)(act - YY_MIN_REDUCE);
        top -= (size_t)-yyRuleInfoNRhs[rule];
        stack[top + 1] = yy_find_reduce_action(stack[top], yyRuleInfoLhs[rule]);
        top++;
    }
}

static void engine_expected(const yyParser *y, bool *want)
{
    YYACTIONTYPE from[YYSTACKDEPTH], stack[YYSTACKDEPTH + 8];
    size_t top = (size_t)(y->yytos - y->yystack);
    for (size_t i = 0; i <= top; i++) {
        from[i] = y->yystack[i].stateno;
    }
    memset(want, 0, SQL_WANT_CODES * sizeof(*want));
    for (unsigned t = 0; t < YYNTOKEN; t++) {
        want[t] = engine_takes(from, top, stack, (YYCODETYPE)t);
    }
}

size_t sql_engine_run(struct sql_parse *p, struct sql_feed *f, size_t limit, bool *want)
{
    yyParser y;
    struct sql_tok t;
    size_t n = 0;
    sqlParseInit(&y, p);
    for (;; n++) {
        if (n == limit) {
            if (want) {
                engine_expected(&y, want);
            }
            break;
        }
        int kind = sql_feed_next(f, p, &t);
        p->next = t.off;
        SQL_STEP(shifts, 1);
        sqlParse(&y, kind, t);
        if (p->syntax_error || p->complaint || kind == 0) {
            break;
        }
        p->end = t.end;
    }
    sqlParseFinalize(&y);
    return n;
}
