/* SPDX-License-Identifier: Apache-2.0
 * Flink SQL, 1.20 to 2.3, one statement at a time. Lemon is run with -c (no table compression): a soft keyword
 * is then taken as a word only where the grammar wants the word, and as a name everywhere else.
 * What needs more than one token of lookahead is decided in parse.c; what an LALR grammar cannot say (contexts,
 * versions, Flink's own checks) is said in the actions through need() and check(), tables in checks.def.
 * Precedence levels are Calcite's. There must be no conflict: lemon fails the build otherwise. */
%name sqlParse
%token_prefix TK_
%token_type {struct sql_tok}
%default_type {struct sql_node *}
%extra_context {struct sql_parse *p}
%stack_size 6000
%stack_overflow { sql_parse_too_deep(p); }
%syntax_error { p->syntax_error = true; (void)TOKEN; }
%include {
#include <stddef.h>
#include "sqlparse/actions.h"
#include "sqlparse/steps.h"
#define YYNOERRORRECOVERY 1
#define YYONREDUCE SQL_STEP(reductions, 1)
}

%fallback IDENT
    A ADD AFTER ANALYZE APPLY ARTIFACT ASC BERNOULLI CASCADE CATALOG CHANGELOG_MODE COLUMNS COMPILE COMPUTE
    CONDITIONAL CONFLICT CONNECTION CONSTRAINTS DATABASE DAYS DEDUPLICATE DESC DO DRAIN ENCODING ENFORCED ERROR
    ESTIMATED_COST EXCLUDE EXCLUDING FINAL FIRST FOLLOWING FORMAT FROM_BEGINNING FROM_NOW FROM_TIMESTAMP GENERATED
    HOURS IF IGNORE IMMEDIATELY INCLUDING INPUT JAR JARS JAVA JOB JOBS JSON JSON_EXECUTION_PLAN KEY LAST LOAD MAP
    MATCHED METADATA MINUTES MODEL MONTHS NOTHING NULLS OBJECT OPTIONS ORDINALITY OUTPUT OVERWRITE OVERWRITING
    PARTIAL PARTITIONED PARTITIONS PASSING PAST PLACING PLAN PLAN_ADVICE PRECEDING PYTHON QUARTER REMOVE REPEATABLE
    REPLACE RESPECT RESTRICT RESUME_OR_FROM_BEGINNING RESUME_OR_FROM_NOW RESUME_OR_FROM_TIMESTAMP RETURNING SCALAR
    SECONDS SESSION SETS START_MODE STATISTICS STOP SUBSTITUTE TEMPORARY UNBOUNDED UNCONDITIONAL UNLOAD UTF16 UTF32
    UTF8 VIEW VIRTUAL WEEK WRAPPER YEARS ZONE ABSENT COMPACT GEOMETRY MAP_CTOR NAVIGATION ARRAY_AGG TIMESTAMPADD TIMESTAMPDIFF DATE_DIFF
    DATETIME_DIFF WEEK_OF TRY_CAST_WORD.
/* TO that cannot stand between two units of an interval */
%fallback TO TO_UNIT.

/* from loose to tight */
%left QUERY_END.
%left PART.
%left LOWEST.
%left BODY.
%left COMMA COMMA_ARG PARTITION.
%left UNION EXCEPT SET_MINUS.
%left INTERSECT.
%left MULTISET MULTISET_UNION.
%left MULTISET_INTERSECT.
%left OR.
%left AND.
%right NOT.
%left IS FORMAT.
%left EQ NE NE2 LT LE GT GE MEMBER SUBMULTISET NOT_SUBMULTISET CONTAINS OVERLAPS EQUALS PRECEDES SUCCEEDS IMMEDIATELY.
/* one level, but a pattern of LIKE reads on through IN and the like, and they through LIKE */
%left PATTERN_END.
%left IN QUANTIFIED BETWEEN NOT2.
%left LIKE ILIKE RLIKE SIMILAR NOT_LIKE.
%left ESCAPE.
%left LOW_SIGN.
%right EXISTS UNIQUE.
%left PLUS MINUS.
%left STAR SLASH PERCENT_SIGN CONCAT.
%right UMINUS.
%left STRING_LIT UESCAPE.
%left LB DOT.
%left ON TO RP ORDER VALUE IGNORE RESPECT.

/* codes the lexer uses whether or not a rule does */
%token SEMI COMMA LP RB ARROW DOTDOT BAR CARET DOLLAR HOOK COLON QUOTE DQUOTE LBRACE LBRACE_D LBRACE_T LBRACE_TS.
%token LBRACE_FN RBRACE HINT_BEGIN COMMENT_END IDENT QUOTED_IDENT UNICODE_IDENT BINARY_LIT PREFIXED_LIT.
%token UNICODE_LIT ESCAPED_LIT INTEGER_LIT DECIMAL_LIT APPROX_LIT COLLATION VARIABLE ILLEGAL RESERVED FNAME CONTEXT.

%token_class name_token IDENT|QUOTED_IDENT.
%token_class number_token INTEGER_LIT|DECIMAL_LIT|APPROX_LIT.
%token_class comparison EQ|NE|NE2|LT|LE|GT|GE.
/* COMMA_ARG: what follows cannot go on with a list of ORDER BY, GROUP BY, VALUES or WINDOW, but with the list
 * around the query: f(SELECT a FROM t ORDER BY a, DEFAULT) */
%token_class comma COMMA|COMMA_ARG.

input ::= stmt(A) semis. { p->root = sql_root(A); }
semis ::= .
semis ::= semis SEMI.

/* ------------------------------------------------------------------ names, literals */

id(R) ::= name_token(T). { R = sql_ident(p, T); }
id(R) ::= UNICODE_IDENT(T). { R = sql_ident(p, T); }
id(R) ::= UNICODE_IDENT(T) UESCAPE STRING_LIT. { R = sql_ident(p, T); }

cid(R) ::= id(A). [LOWEST] { R = MK(NAME, A->off, A); }
cid(R) ::= cid(A) DOT id(B). { R = sql_add(p, A, B); }

/* a dotted name that may end in .* : wherever Calcite has CompoundIdentifier */
cids(A) ::= cid(A). [LOWEST]
cids(R) ::= cid(A) DOT STAR. { R = sql_add(p, A, NULL); R->op = 1; }

ids(R) ::= id(A). { R = MK(NAMES, A->off, A); }
ids(R) ::= ids(A) comma id(B). { R = sql_add(p, A, B); }
pids(R) ::= LP(T) ids(A) RP. { R = sql_respan(p, A, T.off); }
cid_list(R) ::= cids(A). { R = MK(NAMES, A->off, A); }
cid_list(R) ::= cid_list(A) comma cids(B). { R = sql_add(p, A, B); }
id_or_list(R) ::= id(A). { R = MK(NAMES, A->off, A); }
id_or_list(A) ::= pids(A).

/* one plain '...' token */
qstr(R) ::= STRING_LIT(T). { R = sql_string(p, T); }
/* any string; pieces that follow are joined on */
str(R) ::= STRING_LIT(T). [LOWEST] { R = sql_string(p, T); }
str(R) ::= BINARY_LIT|PREFIXED_LIT|UNICODE_LIT(T). [LOWEST] { R = sql_string(p, T); }
str(R) ::= str(A) STRING_LIT(T). { R = sql_string_more(p, A, T); }
strx(R) ::= str(A). [LOWEST] { R = sql_string_done(p, A); }
strx(R) ::= str(A) UESCAPE STRING_LIT(T). { R = sql_uescape(p, A, T); }
strx(R) ::= ESCAPED_LIT(T). { R = sql_string(p, T); }

number(R) ::= number_token(T). { R = sql_literal(p, T); }
number(R) ::= DECIMAL(T) qstr(A). { R = sql_op(MK(TYPED, T.off, A), T.kind); sql_check_decimal(p, R, A); }
signed_number(A) ::= number(A).
signed_number(R) ::= PLUS|MINUS(T) number(A). { R = sql_respan(p, A, T.off); }
uint(R) ::= INTEGER_LIT(T). { R = sql_integer(p, T); }
plain_lit(A) ::= strx(A).
plain_lit(R) ::= TRUE|FALSE|UNKNOWN(T). { R = sql_literal(p, T); }
plain_lit(R) ::= NULL(T). { R = sql_literal(p, T); }
plain_lit(R) ::= DATE(T) qstr(A). { R = sql_typed(p, T, A); }
plain_lit(R) ::= TIME(T) qstr(A). { R = sql_typed(p, T, A); }
plain_lit(R) ::= DATETIME(T) qstr(A). { R = sql_typed(p, T, A); }
plain_lit(R) ::= TIMESTAMP(T) qstr(A). { R = sql_typed(p, T, A); }
plain_lit(R) ::= TIMESTAMP(T) WITH_LOCAL(W) LOCAL TIME ZONE qstr(A).
    { R = sql_typed(p, T, A); need(p, 200, W.off, "TIMESTAMP WITH LOCAL TIME ZONE as a literal"); }
plain_lit(R) ::= LBRACE_D|LBRACE_T|LBRACE_TS(T) qstr(A) RBRACE. { R = sql_typed(p, T, A); sql_check_jdbc(p, T, A); }
lit(A) ::= signed_number(A).
lit(A) ::= plain_lit(A).
lit(A) ::= interval_lit(A).

interval_lit(R) ::= INTERVAL(T) sign qstr(A) qual(Q). { R = sql_op(MK(INTERVAL, T.off, A, Q), 1); sql_check_interval(p, Q); if (A->len == 2) { check(p, SQL_CHECK_EMPTY_INTERVAL, T.off, p->end); } }
sign ::= .
sign ::= PLUS.
sign ::= MINUS.

prec ::= .
prec ::= LP uint RP.
prec2 ::= .
prec2 ::= LP uint RP.
prec2 ::= LP uint comma uint RP.
u_year ::= YEAR|YEARS.
u_month ::= MONTH|MONTHS.
u_day ::= DAY|DAYS.
u_hour ::= HOUR|HOURS.
u_minute ::= MINUTE|MINUTES.
u_second ::= SECOND|SECONDS.
u_single ::= QUARTER|QUARTERS|WEEK|WEEKS.
q_start ::= u_year prec. [LOWEST]
q_start ::= u_month prec. [LOWEST]
q_start ::= u_day prec. [LOWEST]
q_start ::= u_hour prec. [LOWEST]
q_start ::= u_minute prec. [LOWEST]
q_start ::= u_second prec2.
q_start ::= u_single prec.
q_full ::= u_year prec TO u_month.
q_full ::= u_day prec TO u_hour.
q_full ::= u_day prec TO u_minute.
q_full ::= u_day prec TO u_second prec.
q_full ::= u_hour prec TO u_minute.
q_full ::= u_hour prec TO u_second prec.
q_full ::= u_minute prec TO u_second prec.
%type mark {uint32_t}
mark(R) ::= . { R = p->next; }
qual1(R) ::= mark(S) q_start. { R = MK(UNIT, S); }
qual(R) ::= mark(S) q_start. { R = MK(UNIT, S); }
qual(R) ::= mark(S) q_full. { R = MK(UNIT, S); }

/* a unit of EXTRACT and the like: a reserved unit word or any name, WEEK(MONDAY) */
unit(R) ::= YEAR|MONTH|DAY|HOUR|MINUTE|SECOND(T). { R = MK(UNIT, T.off); }
unit(R) ::= id(A). { R = MK(UNIT, A->off, A); sql_check_unit(p, A, false); }
unit(R) ::= WEEK_OF(T) LP MONDAY|TUESDAY|WEDNESDAY|THURSDAY|FRIDAY|SATURDAY|SUNDAY RP. { R = MK(UNIT, T.off); }

/* ------------------------------------------------------------------ expressions */

expr(A) ::= post(A).
expr(R) ::= expr(A) OR(T) expr(B). { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) AND(T) expr(B). { R = sql_binary(p, A, T, B); }
expr(R) ::= NOT(T) expr(A). { R = sql_unary(p, T, A); }
expr(R) ::= PLUS|MINUS(T) expr(A). [UMINUS] { R = sql_unary(p, T, A); }
expr(R) ::= EXISTS|UNIQUE(T) expr(A). { R = sql_unary(p, T, A); }
expr(R) ::= expr(A) comparison(T) expr(B). [EQ] { R = sql_binary(p, A, T, B); sql_check_bang(p, T); }
/* a comparison before SOME, ANY or ALL has a code of its own, for its level */
expr(R) ::= expr(A) QUANTIFIED(T) SOME|ANY|ALL(Q) in_operand(B). [IN]
    { T.kind = T.word; R = MK(QUANTIFIED, A->off, A, B); R->op = T.kind | (Q.kind == TK_ALL ? SQL_OP_ALL : 0); sql_check_bang(p, T); }
expr(R) ::= expr(A) PLUS|MINUS(T) expr(B). { R = sql_binary(p, A, T, B); }
/* + and - before NOT, EXISTS and UNIQUE have a code of their own: in front of them EXISTS takes no more than it has */
expr(R) ::= expr(A) LOW_SIGN(T) expr(B). [PLUS] { T.kind = T.word; R = sql_binary(p, A, T, B); }
expr(R) ::= LOW_SIGN(T) expr(A). [UMINUS] { T.kind = T.word; R = sql_unary(p, T, A); }
expr(R) ::= expr(A) STAR|SLASH|PERCENT_SIGN|CONCAT(T) expr(B). { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) CONTAINS|OVERLAPS|EQUALS|PRECEDES|SUCCEEDS(T) expr(B). { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) IMMEDIATELY(T) PRECEDES expr(B). [EQ] { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) IMMEDIATELY(T) SUCCEEDS expr(B). [EQ] { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) MEMBER(T) OF expr(B). [EQ] { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) SUBMULTISET(T) OF expr(B). [EQ] { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) NOT_SUBMULTISET SUBMULTISET(T) OF expr(B). [EQ]
    { R = sql_binary(p, A, T, B); R->op |= SQL_OP_NEGATED; }
expr(R) ::= expr(A) MULTISET_UNION(T) UNION|EXCEPT all_distinct expr(B). { T.kind = TK_MULTISET; R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) MULTISET_INTERSECT(T) INTERSECT all_distinct expr(B). [MULTISET_INTERSECT] { T.kind = TK_MULTISET; R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) IS DISTINCT(T) FROM expr(B). [EQ] { R = sql_binary(p, A, T, B); }
expr(R) ::= expr(A) IS NOT DISTINCT(T) FROM expr(B). [EQ]
    { R = sql_binary(p, A, T, B); R->op |= SQL_OP_NEGATED; }
expr(A) ::= postfixed(A).
postfixed(R) ::= expr(A) IS is_what(T). [IS] { R = MK(IS, A->off, A); R->op = T.kind; }
postfixed(R) ::= expr(A) IS NOT is_what(T). [IS] { R = MK(IS, A->off, A); R->op = T.kind | SQL_OP_NEGATED; }
postfixed(R) ::= expr(A) FORMAT(T) JSON json_encoding. [IS] { R = MK(IS, A->off, A); R->op = T.kind; }
/* a IS NULL[1]: Flink reads an index behind any operand */
expr(A) ::= postfixed_item(A).
postfixed_item(R) ::= postfixed(A) LB index(B) RB. { R = sql_add(p, MK(ITEM, A->off, A), B); }
postfixed_item(R) ::= postfixed_item(A) LB index(B) RB. { R = sql_add(p, MK(ITEM, A->off, A), B); }
postfixed_item(R) ::= postfixed_item(A) DOT id(B). { R = MK(FIELD, A->off, A, B); }
index(A) ::= expr(A).
index(R) ::= OFFSET|ORDINAL|SAFE_OFFSET|SAFE_ORDINAL(T) expr(A). { R = A; need(p, 202, T.off, "an index with OFFSET or ORDINAL"); }
%type is_what {struct sql_tok}
is_what(R) ::= NULL|TRUE|FALSE|UNKNOWN|EMPTY(T). { R = T; }
is_what(R) ::= A(T) SET. { R = T; }
is_what(R) ::= JSON(T). [LOWEST] { R = T; }
is_what(R) ::= JSON VALUE|OBJECT|ARRAY|SCALAR(T). { R = T; }
json_encoding ::= .
json_encoding ::= ENCODING UTF8|UTF16|UTF32.
expr(R) ::= expr(A) like(T) expr(B). [PATTERN_END] { R = sql_like(p, A, T, B, NULL); }
expr(R) ::= expr(A) like(T) expr(B) ESCAPE expr(C). [PATTERN_END] { R = sql_like(p, A, T, B, C); }
%type like {struct sql_tok}
like(R) ::= LIKE|ILIKE|RLIKE(T). { R = T; R.word = 0; }
like(R) ::= SIMILAR(T) TO. { R = T; R.word = 0; }
like(R) ::= NOT_LIKE LIKE|ILIKE|RLIKE(T). { R = T; R.word = SQL_OP_NEGATED; }
like(R) ::= NOT_LIKE SIMILAR(T) TO. { R = T; R.word = SQL_OP_NEGATED; }
expr(R) ::= expr(A) BETWEEN symmetric expr(B) BETWEEN_AND expr(C). [BETWEEN] { R = MK(BETWEEN, A->off, A, B, C); p->flat = true; }
expr(R) ::= expr(A) NOT2 BETWEEN symmetric expr(B) BETWEEN_AND expr(C). [BETWEEN]
    { R = sql_op(MK(BETWEEN, A->off, A, B, C), SQL_OP_NEGATED); p->flat = true; }
expr(R) ::= expr(A) IN in_operand(B). [IN] { R = MK(IN, A->off, A, B); }
expr(R) ::= expr(A) NOT2 IN in_operand(B). [IN] { R = sql_op(MK(IN, A->off, A, B), SQL_OP_NEGATED); }
symmetric ::= .
symmetric ::= SYMMETRIC.
symmetric ::= ASYMMETRIC.
/* the list behind IN is an operand like any other: a IN (1) + b is a IN ((1) + b) */
in_operand(A) ::= in_list(A).
in_operand(A) ::= in_item(A).
in_operand(R) ::= in_operand(A) PLUS|MINUS(T) expr(B). { R = sql_binary(p, A, T, B); }
in_operand(R) ::= in_operand(A) LOW_SIGN(T) expr(B). [PLUS] { T.kind = T.word; R = sql_binary(p, A, T, B); }
in_operand(R) ::= in_operand(A) STAR|SLASH|PERCENT_SIGN|CONCAT(T) expr(B). { R = sql_binary(p, A, T, B); }
in_operand(R) ::= in_operand(A) like(T) expr(B). [PATTERN_END] { R = sql_like(p, A, T, B, NULL); }
in_operand(R) ::= in_operand(A) like(T) expr(B) ESCAPE expr(C). [PATTERN_END] { R = sql_like(p, A, T, B, C); }
in_item(R) ::= in_list(A) LB expr(B) RB. { R = MK(ITEM, A->off, A, B); }
in_item(R) ::= in_item(A) LB expr(B) RB. { R = MK(ITEM, A->off, A, B); }
in_item(R) ::= in_list(A) LB OFFSET|ORDINAL|SAFE_OFFSET|SAFE_ORDINAL(T) expr(B) RB.
    { R = sql_op(MK(ITEM, A->off, A, B), T.kind); need(p, 202, T.off, "an index with OFFSET or ORDINAL"); }
in_item(R) ::= in_item(A) DOT id(B). { R = MK(FIELD, A->off, A, B); }
in_list(A) ::= query_wp(A).
in_list(R) ::= LP(T) in_items(A) RP. { R = sql_respan(p, A, T.off); R->kind = SQL_N_ROW; }
in_items(A) ::= exprs(A).
in_items(A) ::= query_expr(A).
in_items(R) ::= query_expr(A) comma exprs(B). { R = sql_adopt(p, MK(EXPRS, A->off, A), B, NULL); }
in_items(R) ::= query_np(A) comma exprs(B). { R = sql_adopt(p, MK(EXPRS, A->off, A), B, NULL); }

exprs(R) ::= expr(A). { R = MK(EXPRS, A->off, A); }
exprs(R) ::= exprs(A) comma expr(B). { R = sql_add(p, A, B); }

post(A) ::= prim(A).
post(R) ::= post(A) LB expr(B) RB. { R = MK(ITEM, A->off, A, B); }
post(R) ::= post(A) LB OFFSET|ORDINAL|SAFE_OFFSET|SAFE_ORDINAL(T) expr(B) RB.
    { R = sql_op(MK(ITEM, A->off, A, B), T.kind); need(p, 202, T.off, "an index with OFFSET or ORDINAL"); }
post(R) ::= post(A) DOT id(B). [LOWEST] { R = MK(FIELD, A->off, A, B); }
post(R) ::= post(A) DOT id(B) LP(L) fargs(C) RP. { sql_check_method(p, A, L); R = MK(FIELD, A->off, A, MK(CALL, B->off, sql_name(p, B), C)); }

prim(A) ::= number(A).
prim(A) ::= plain_lit(A).
prim(A) ::= interval_lit(A).
prim(R) ::= INTERVAL(T) sign number(A) qual1(Q). { R = sql_op(MK(INTERVAL, T.off, A, Q), 2); sql_check_interval(p, Q); }
prim(R) ::= INTERVAL(T) sign cids(A) qual1(Q). { R = sql_op(MK(INTERVAL, T.off, A, Q), 2); sql_check_interval(p, Q); }
prim(R) ::= INTERVAL(T) sign LP expr(A) RP qual1(Q). { R = sql_op(MK(INTERVAL, T.off, A, Q), 2); sql_check_interval(p, Q); }
prim(R) ::= HOOK(T). { R = MK(PARAM, T.off); }
prim(A) ::= cids(A). [LOWEST]
prim(R) ::= MODEL(T) cids(A). [LOWEST] { R = MK(MODEL_ARG, T.off, A); need(p, 201, T.off, "MODEL as an argument"); }
prim(R) ::= CONTEXT(T). { R = sql_ident(p, T); }
prim(A) ::= query_wp(A). [LOWEST]
prim(A) ::= paren_expr(A). [LOWEST]
paren_expr(R) ::= LP(T) query_expr(A) RP. { R = MK(PAREN, T.off, A); }
prim(R) ::= LP(T) row_items(A) RP. [LOWEST] { R = sql_row(p, A, T.off, 0); }
prim(R) ::= LP(T) row_items(A) RP qual(Q). { R = sql_datetime_minus(p, A, T.off, Q); }
prim(R) ::= ROW(T) LP query_expr(A) RP. { R = sql_op(MK(ROW, T.off, A), 1); }
prim(R) ::= ROW(T) LP row_items(A) RP. { R = sql_row(p, A, T.off, 1); }
prim(R) ::= ROW(T) query_wp(A). [ON] { R = sql_op(MK(ROW, T.off, A), 1); }
prim(A) ::= case_expr(A).
prim(R) ::= TRY_CAST_WORD(T) LP expr(A) AS type(B) RP. { R = sql_op(MK(CAST, T.off, A, B), TK_TRY_CAST); }
prim(R) ::= TRY_CAST_WORD(T) LP expr(A) AS INTERVAL qual(B) RP. { R = sql_op(MK(CAST, T.off, A, B), TK_TRY_CAST); }
prim(R) ::= CAST|TRY_CAST|SAFE_CAST(T) LP expr(A) AS type(B) RP. { R = sql_op(MK(CAST, T.off, A, B), T.kind); }
prim(R) ::= CAST|TRY_CAST|SAFE_CAST(T) LP expr(A) AS INTERVAL qual(B) RP. { R = sql_op(MK(CAST, T.off, A, B), T.kind); }
prim(R) ::= ARRAY(T) LB RB. { R = sql_op(MK(COLLECTION, T.off), T.kind); }
prim(R) ::= MAP_CTOR(T) LB RB. { R = sql_op(MK(COLLECTION, T.off), T.kind); }
prim(R) ::= ARRAY(T) LB exprs(A) RB. { R = sql_op(MK(COLLECTION, T.off, A), T.kind); check_non_query_first(p, A); }
prim(R) ::= MAP_CTOR(T) LB exprs(A) RB. { R = sql_op(MK(COLLECTION, T.off, A), T.kind); check_non_query_first(p, A); }
prim(R) ::= MULTISET(T) LB exprs(A) RB. { R = sql_op(MK(COLLECTION, T.off, A), T.kind); check_non_query_list(p, A); }
prim(R) ::= ARRAY(T) in_list(A). { R = sql_op(MK(COLLECTION, T.off, A), T.kind); sql_check_list(p, T, A); }
prim(R) ::= MAP_CTOR(T) in_list(A). { R = sql_op(MK(COLLECTION, T.off, A), T.kind); sql_check_list(p, T, A); }
prim(R) ::= ARRAY(T) LP RP(E). { R = sql_op(MK(COLLECTION, T.off), T.kind); need(p, 202, E.off, "ARRAY( )"); }
prim(R) ::= MAP_CTOR(T) LP RP. { R = sql_op(MK(COLLECTION, T.off), T.kind);  }
prim(R) ::= MULTISET(T) LP(L) query_part(A) RP. { R = sql_op(MK(COLLECTION, T.off, MK(PAREN, L.off, A)), T.kind); }
prim(R) ::= MULTISET(T) query_wp(A). { sql_check_leaf_query(p, A, A); R = sql_op(MK(COLLECTION, T.off, A), T.kind); }
prim(R) ::= PERIOD(T) LP expr(A) comma expr(B) RP. { R = sql_op(MK(ROW, T.off, A, B), T.kind); }
prim(R) ::= NEXT(T) VALUE FOR cids(A). { R = sql_op(MK(CALL, T.off, A), T.kind); }
prim(R) ::= CURRENT(T) VALUE FOR cids(A). { R = sql_op(MK(CALL, T.off, A), T.kind); }
prim(R) ::= NEW(T) cids(A) LP call_args(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
prim(R) ::= CURSOR(T) cursor_of(A). { R = sql_cursor(p, A, T); }
cursor_of(A) ::= query_wp(A). [QUERY_END]
cursor_of(A) ::= odd_query(A). [QUERY_END]
prim(R) ::= LBRACE_FN(T) jdbc_call(A) RBRACE. { sql_check_jdbc_call(p, T, A); R = sql_op(MK(CALL, T.off, A), T.kind); }
jdbc_call(R) ::= id(A) jdbc_args(B). { R = MK(CALL, A->off, sql_name(p, A), B); }
jdbc_call(R) ::= FNAME|INSERT|FLOOR|CEILING|CHAR|SUBSTRING(T) jdbc_args(B). { R = MK(CALL, T.off, sql_ident(p, T), B); }
jdbc_call(A) ::= time_call(A).
jdbc_args(R) ::= LP(T) RP. { R = MK(ARGS, T.off); }
jdbc_args(R) ::= LP(T) STAR RP. { R = sql_op(MK(ARGS, T.off), TK_STAR); }
jdbc_args(R) ::= in_list(A). { R = A->kind == SQL_N_ROW ? sql_adopt(p, MK(ARGS, A->off), A, NULL) : MK(ARGS, A->off, A); }
jdbc_call(R) ::= CONVERT(T) LP expr(A) comma jdbc_type(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
jdbc_type(R) ::= id(A). { R = A; sql_check_jdbc_type(p, A); }
jdbc_type(R) ::= CHAR|VARCHAR|DATE|TIME|TIMESTAMP|DECIMAL|NUMERIC|BOOLEAN|INTEGER|BINARY|VARBINARY|TINYINT|SMALLINT|BIGINT|REAL|DOUBLE|FLOAT(T).
    { R = sql_op(MK(TYPE, T.off), T.kind); }
prim(A) ::= call(A).
prim(A) ::= special_call(A).
/* constructors named as types: with arguments, and nothing behind them */
prim(R) ::= ctor(T) LP ctor_args(A) RP.
    { R = MK(CALL, T.off, sql_ident(p, T), A); need(p, 200, T.off, T.kind == TK_DATE ? "DATE( ) as a function" : T.kind == TK_TIME ? "TIME( ) as a function" : "TIMESTAMP( ) as a function"); }
%type ctor {struct sql_tok}
ctor(R) ::= DATE(T). { R = T; }
ctor(R) ::= TIME(T). { R = T; }
ctor(R) ::= TIMESTAMP(T). { R = T; }
ctor(R) ::= DATETIME(T). { R = T; }
ctor_args(A) ::= args(A).
ctor_args(A) ::= query_arg(A).
ctor_args(R) ::= ALL|DISTINCT(T) args(A). { R = sql_op(sql_respan(p, A, T.off), T.kind); }
ctor_args(R) ::= ALL|DISTINCT(T) query_arg(A). { R = sql_op(sql_respan(p, A, T.off), T.kind); }

row_items(R) ::= row_item(A). { R = MK(EXPRS, A->off, A); }
/* a query may be the first of several items: it ends where its own lists cannot go on */
row_items(R) ::= query_expr(A) comma row_item(B). { R = MK(EXPRS, A->off, A, B); }
row_items(R) ::= query_np(A) comma row_item(B). { R = MK(EXPRS, A->off, A, B); }
row_items(R) ::= row_items(A) comma row_item(B). { R = sql_add(p, A, B); }
row_item(A) ::= expr(A).
row_item(R) ::= DEFAULT(T). { R = MK(DEFAULT, T.off); }

case_expr(R) ::= CASE(T) whens(A) else_opt(B) END. { R = sql_adopt(p, MK(CASE, T.off), A, B); }
case_expr(R) ::= CASE(T) expr(E) whens(A) else_opt(B) END. { R = sql_adopt(p, MK(CASE, T.off, E), A, B); }
whens(R) ::= when(A). { R = MK(EXPRS, A->off, A); }
whens(R) ::= whens(A) when(B). { R = sql_add(p, A, B); }
when(R) ::= WHEN(T) exprs(A) THEN expr(B). { R = MK(WHEN, T.off, A, B); }
else_opt(R) ::= . { R = NULL; }
else_opt(R) ::= ELSE(T) expr(A). { R = MK(ELSE, T.off, A); }

/* ------------------------------------------------------------------ calls */

call(A) ::= call4(A).
call(R) ::= call4(A) OVER(T) over(B). { sql_check_over(p, A, T.off); R = sql_add(p, A, MK(OVER, T.off, B)); }
over(A) ::= id(A).
over(A) ::= window(A).
call4(A) ::= call3(A).
call4(R) ::= call3(A) FILTER(T) LP WHERE expr(B) RP. { sql_check_over(p, A, T.off); R = sql_add(p, A, MK(FILTER, T.off, B)); }
call3(A) ::= call2(A).
call3(R) ::= call2(A) WITHIN(T) GROUP LP order_by(B) RP. { sql_check_over(p, A, T.off); R = sql_add(p, A, sql_op(MK(WITHIN, T.off, B), TK_GROUP)); }
call2(A) ::= call1(A).
call2(R) ::= call1(A) WITHIN_DISTINCT(T) DISTINCT LP exprs(B) RP. { sql_check_over(p, A, T.off); R = sql_add(p, A, sql_op(MK(WITHIN, T.off, B), TK_DISTINCT)); }
call1(A) ::= call0(A). [LOWEST]
call1(R) ::= call0(A) null_treatment(B). { sql_check_over(p, A, p->end - 5); R = sql_add(p, A, B); }
null_treatment(R) ::= IGNORE|RESPECT(T) NULLS. { R = sql_op(MK(NULL_TREATMENT, T.off), T.kind); }
call0(R) ::= cids(A) LP fargs(B) RP. { sql_check_call(p, A, B); R = MK(CALL, A->off, A, B); }
call0(R) ::= fname(A) LP fargs(B) RP. { R = MK(CALL, A->off, A, B); }
call0(R) ::= SPECIFIC(T) cids(A) LP fargs(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
call0(R) ::= SPECIFIC(T) fname(A) LP fargs(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
/* its reserved sisters (STRING_AGG ...) can be called in PIVOT, and before 2.2 behind FINAL and RUNNING; elsewhere
 * Flink's lookahead for a call does not know them */
call0(R) ::= ARRAY_AGG(T) LP all_distinct agg_args(A) agg_nulls(N) order_by_opt(O) separator_opt(S) RP.
    { R = sql_op(MK(CALL, T.off, A, N, O, S), T.kind); }
call0(R) ::= PERCENTILE(T) LP arg(A) RP. { R = MK(CALL, T.off, sql_ident(p, T), MK(ARGS, A->off, A)); }
call0(R) ::= PERCENTILE(T) LP arg(A) comma signed_number(B) RP. { R = MK(CALL, T.off, sql_ident(p, T), MK(ARGS, A->off, A, B)); }
agg_nulls(R) ::= . { R = NULL; }
agg_nulls(A) ::= null_treatment(A).
separator_opt(R) ::= . { R = NULL; }
separator_opt(R) ::= SEPARATOR strx(A). { R = A; }
agg_args(R) ::= agg_arg(A). { R = MK(ARGS, A->off, A); }
agg_args(R) ::= agg_args(A) comma agg_arg(B). { R = sql_add(p, A, B); }
agg_arg(A) ::= expr(A).
agg_arg(R) ::= DEFAULT(T). { R = MK(DEFAULT, T.off); }
agg_arg(A) ::= agg_table(A).
agg_arg(R) ::= id(A) ARROW agg_table(B). { R = MK(NAMED_ARG, A->off, A, B); }
agg_table(R) ::= TABLE(T) cids(A). [LOWEST] { R = MK(TABLE_ARG, T.off, A); }
agg_table(R) ::= TABLE(T) cids(A) order_set(C). { R = MK(TABLE_ARG, T.off, A, C); }
agg_table(R) ::= TABLE(T) cids(A) arg_partition(B). [LOWEST] { R = MK(TABLE_ARG, T.off, A, B); }
agg_table(R) ::= TABLE(T) cids(A) arg_partition(B) order_set(C). { R = MK(TABLE_ARG, T.off, A, B, C); }
agg_arg(R) ::= id(A) ARROW expr(B). { R = MK(NAMED_ARG, A->off, A, B); }
agg_arg(R) ::= id(A) ARROW DEFAULT(T). { R = MK(NAMED_ARG, A->off, A, MK(DEFAULT, T.off)); }
%type all_distinct {struct sql_tok}
all_distinct(R) ::= . { R = (struct sql_tok){0}; }
all_distinct(R) ::= ALL|DISTINCT(T). { R = T; }

fname(R) ::= FNAME(T). { R = sql_ident(p, T); }
fname(R) ::= CHAR(T). [LOWEST] { R = sql_ident(p, T); }
fargs(R) ::= . { R = MK(ARGS, p->end); }
fargs(R) ::= STAR(T). { R = sql_op(MK(ARGS, T.off), TK_STAR); }
fargs(R) ::= ALL|DISTINCT(T) args(A). { R = sql_op(sql_respan(p, A, T.off), T.kind); }
fargs(A) ::= args(A).
fargs(A) ::= query_arg(A).
fargs(R) ::= ALL|DISTINCT(T) query_arg(A). { R = sql_op(sql_respan(p, A, T.off), T.kind); }
/* a query without parentheses can only be the first argument */
query_arg(R) ::= query_np(A). { R = MK(ARGS, A->off, A); sql_check_query_arg(p, A); }
query_arg(R) ::= query_expr(A). { R = MK(ARGS, A->off, A); }
query_arg(R) ::= id(A) ARROW query_expr(B). { R = MK(ARGS, A->off, MK(NAMED_ARG, A->off, A, B)); }
query_arg(R) ::= id(A) ARROW query_np(B). { sql_check_query_arg(p, B); R = MK(ARGS, A->off, MK(NAMED_ARG, A->off, A, B)); }
call_args(R) ::= . { R = MK(ARGS, p->end); }
call_args(A) ::= args(A).
call_args(A) ::= query_arg(A).
args(R) ::= arg_first(A). { R = MK(ARGS, A->off, A); }
args(R) ::= query_arg(A) comma arg(B). { R = sql_add(p, A, B); }
args(R) ::= args(A) comma arg(B). { R = sql_add(p, A, B); }
arg_first(A) ::= arg(A).
arg_first(R) ::= query_expr(A) arg_partition(B) set_order(C). { R = sql_partitioned(p, A, A, B, C); }
arg_first(R) ::= id(N) ARROW query_expr(A) arg_partition(B) set_order(C). { R = sql_partitioned(p, N, A, B, C); }
arg_first(R) ::= query_np(A) arg_partition(B) set_order(C). { sql_check_query_arg(p, A); R = sql_partitioned(p, A, A, B, C); }
arg_first(R) ::= id(N) ARROW query_np(A) arg_partition(B) set_order(C). { sql_check_query_arg(p, A); R = sql_partitioned(p, N, A, B, C); }
arg_first(R) ::= expr(A) arg_partition(B) set_order(C). { R = sql_partitioned(p, A, A, B, C); }
arg_first(R) ::= id(N) ARROW expr(A) arg_partition(B) set_order(C). { R = sql_partitioned(p, N, A, B, C); }
arg(A) ::= arg_value(A).
arg(R) ::= id(A) ARROW arg_value(B). { R = MK(NAMED_ARG, A->off, A, B); }
arg_value(A) ::= expr(A).
arg_value(R) ::= DEFAULT(T). { R = MK(DEFAULT, T.off); }
arg_value(R) ::= TABLE(T) cids(A). [ON] { R = MK(TABLE_ARG, T.off, A); }
arg_value(R) ::= TABLE(T) cids(A) order_set(C). { R = MK(TABLE_ARG, T.off, A, C); }
arg_value(R) ::= TABLE(T) cids(A) arg_partition(B) set_order(C). { R = MK(TABLE_ARG, T.off, A, B, C); }
arg_partition(R) ::= PARTITION(T) BY id_or_list(A). { R = MK(PARTITION_BY, T.off, A); }
set_order(R) ::= . { R = NULL; }
set_order(A) ::= order_set(A).
/* one item, or several in parentheses; (a, b) is a row */
order_set(R) ::= ORDER(T) BY order_item(A). { sql_check_set_order(p, A); R = MK(ORDER_BY, T.off, A); }
order_set(R) ::= ORDER(T) BY LP order_items2(A) RP. { R = sql_respan(p, A, T.off); R->kind = SQL_N_ORDER_BY; }
order_items2(R) ::= order_dir(A). { R = MK(ORDER_BY, A->off, A); }
order_items2(R) ::= row_items(A) comma order_dir(B). { R = sql_add(p, A, B); }
order_items2(R) ::= order_items2(A) comma order_item(B). { R = sql_add(p, A, B); }

/* calls with words inside */
special_call(R) ::= EXTRACT(T) LP unit(A) FROM expr(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= POSITION(T) LP PLUS|MINUS number(A) IN expr(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= POSITION(T) LP PLUS|MINUS number(A) IN expr(B) FROM expr(C) RP. { R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
special_call(R) ::= POSITION(T) LP prim(A) IN expr(B) RP. { sql_check_atomic(p, A); R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= POSITION(T) LP prim(A) IN expr(B) FROM expr(C) RP. { sql_check_atomic(p, A); R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
special_call(R) ::= OVERLAY(T) LP expr(A) PLACING expr(B) FROM expr(C) RP. { R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
special_call(R) ::= OVERLAY(T) LP expr(A) PLACING expr(B) FROM expr(C) FOR expr(D) RP.
    { R = sql_op(MK(CALL, T.off, A, B, C, D), T.kind); }
special_call(R) ::= SUBSTRING(T) LP expr(A) FROM|COMMA|COMMA_ARG expr(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= SUBSTRING(T) LP expr(A) FROM|COMMA|COMMA_ARG expr(B) FOR|COMMA|COMMA_ARG expr(C) RP.
    { R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
special_call(R) ::= TRIM(T) LP RP. { R = sql_op(MK(CALL, T.off), T.kind); }
special_call(R) ::= TRIM(T) LP BOTH|LEADING|TRAILING RP. { R = sql_op(MK(CALL, T.off), T.kind); }
special_call(R) ::= TRIM(T) LP expr(A) RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= TRIM(T) LP expr(A) FROM(F) expr(B) RP. { sql_check_first_call(p, A, F); R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= TRIM(T) LP BOTH|LEADING|TRAILING FROM expr(B) RP. { R = sql_op(MK(CALL, T.off, B), T.kind); }
special_call(R) ::= TRIM(T) LP BOTH|LEADING|TRAILING expr(A) FROM expr(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= TRIM(T) LP BOTH|LEADING|TRAILING expr(A) RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= CONVERT(T) LP expr(A) USING(U) id(B) RP. { sql_check_first_call(p, A, U); R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= CONVERT(T) LP expr(A) comma exprs(B) RP. { R = sql_adopt(p, sql_op(MK(CALL, T.off, A), T.kind), B, NULL); need_behind(p, 200, A->off + A->len, "CONVERT with commas"); sql_check_convert_names(p, A, B); }
special_call(R) ::= CONVERT(T) LP convert_type(A) comma exprs(B) RP. { sql_check_convert(p, B); R = sql_op(MK(CALL, T.off, A, B), T.kind); need(p, 200, A->off, "CONVERT to a type"); }
convert_type(A) ::= convert_name(A).
convert_type(R) ::= convert_type(A) ARRAY|MULTISET(T). { R = sql_collection(p, A, T); }
convert_type(R) ::= INTERVAL(T) qual(A). { R = sql_op(MK(TYPE, T.off, A), T.kind); }
convert_type(R) ::= id(A) ARRAY(T). { if (sql_word_find(p->text.p + A->off, A->len) == SQL_W_GEOMETRY) { check(p, SQL_CHECK_GEOMETRY, A->off, A->off + A->len); } R = sql_collection(p, sql_op(MK(TYPE, A->off, A), TK_IDENT), T); }
convert_name(A) ::= plain_type(A).
convert_name(A) ::= angle_type(A).
convert_name(R) ::= DATE(T). { R = sql_op(MK(TYPE, T.off), T.kind); }
convert_name(R) ::= TIME(T) zone_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
/* WITH LOCAL TIME ZONE is taken for that of a literal */
convert_name(R) ::= TIMESTAMP(T). { R = sql_op(MK(TYPE, T.off), T.kind); }
convert_name(R) ::= TIMESTAMP(T) WITHOUT_TIME TIME ZONE. { R = sql_op(MK(TYPE, T.off), T.kind); }
convert_name(R) ::= CHARACTER(T) prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
convert_name(R) ::= CHARACTER(T) VARYING prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
convert_name(R) ::= CHAR(T) VARYING prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
special_call(R) ::= TRANSLATE(T) LP expr(A) USING id(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= TRANSLATE(T) LP exprs(A) RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(A) ::= floor_call(A).
special_call(R) ::= floor_call(A) OVER(T) over(B). { R = sql_add(p, A, MK(OVER, T.off, B)); }
floor_call(R) ::= FLOOR|CEIL|CEILING(T) LP expr(A) RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
floor_call(R) ::= FLOOR|CEIL|CEILING(T) LP expr(A) TO|TO_UNIT unit(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(A) ::= time_call(A).
ts_unit(R) ::= YEAR|MONTH|DAY|HOUR|MINUTE|SECOND(T). { R = MK(UNIT, T.off); }
ts_unit(R) ::= id(A). { R = MK(UNIT, A->off, A); sql_check_unit(p, A, true); }
ts_unit(R) ::= WEEK_OF(T) LP MONDAY|TUESDAY|WEDNESDAY|THURSDAY|FRIDAY|SATURDAY|SUNDAY RP. { R = MK(UNIT, T.off); }
time_call(R) ::= TIMESTAMPADD|TIMESTAMPDIFF(T) LP ts_unit(A) comma expr(B) comma expr(C) RP.
    { R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
time_call(R) ::= DATE_DIFF|DATETIME_DIFF|TIME_DIFF|TIMESTAMP_DIFF(T) LP expr(A) comma expr(B) comma unit(C) RP.
    { R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
time_call(R) ::= DATETIME_TRUNC|TIME_TRUNC|TIMESTAMP_TRUNC(T) LP expr(A) comma unit(B) RP.
    { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
time_call(R) ::= DATE_TRUNC(T) LP expr(A) comma expr(B) RP. { sql_check_trunc_unit(p, B); R = sql_op(MK(CALL, T.off, A, B), T.kind); }
time_call(R) ::= DATE_TRUNC(T) LP expr(A) comma YEAR|MONTH|DAY|HOUR|MINUTE|SECOND RP.
    { R = sql_op(MK(CALL, T.off, A), T.kind); }
time_call(R) ::= DATE_TRUNC(T) LP expr(A) comma WEEK_OF LP MONDAY|TUESDAY|WEDNESDAY|THURSDAY|FRIDAY|SATURDAY|SUNDAY RP RP.
    { R = sql_op(MK(CALL, T.off, A), T.kind); }
time_call(R) ::= CONTAINS_SUBSTR(T) LP expr(A) comma expr(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
time_call(R) ::= CONTAINS_SUBSTR(T) LP expr(A) comma expr(B) comma JSON_SCOPE ARROW expr(C) RP.
    { R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
special_call(R) ::= CLASSIFIER|MATCH_NUMBER(T) LP RP. { R = sql_op(MK(CALL, T.off), T.kind); }
special_call(R) ::= PREV(T) LP expr(A) RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= NEXT(T) LP expr(A) RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= PREV(T) LP expr(A) comma signed_number(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= NEXT(T) LP expr(A) comma signed_number(B) RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
/* FIRST and LAST as rows of a match; as plain functions they can only be called by dotted names */
special_call(R) ::= NAVIGATION(T) LP expr(A) RP. { R = MK(CALL, T.off, sql_name(p, sql_ident(p, T)), MK(ARGS, A->off, A)); }
special_call(R) ::= NAVIGATION(T) LP expr(A) comma signed_number(B) RP. { R = MK(CALL, T.off, sql_name(p, sql_ident(p, T)), MK(ARGS, A->off, A, B)); }
special_call(R) ::= FINAL(T) prim(A). { R = sql_op(MK(CALL, T.off, A), T.kind); sql_check_ran(p, T, A); }
special_call(R) ::= FINAL(T) PLUS|MINUS(S) number(A). { R = sql_op(MK(CALL, T.off, sql_respan(p, A, S.off)), T.kind); need(p, 202, S.off, "FINAL or RUNNING before a number"); }
special_call(R) ::= RUNNING(T) PLUS|MINUS(S) number(A). { R = sql_op(MK(CALL, T.off, sql_respan(p, A, S.off)), T.kind); need(p, 202, S.off, "FINAL or RUNNING before a number"); }
special_call(R) ::= RUNNING(T) prim(A). { R = sql_op(MK(CALL, T.off, A), T.kind); sql_check_ran(p, T, A); }

special_call(R) ::= JSON_EXISTS(T) LP json_api(A) RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= JSON_EXISTS(T) LP json_api(A) TRUE|FALSE|UNKNOWN|ERROR ON ERROR RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= JSON_VALUE(T) LP json_api(A) returning_opt(B) json_value_on(C) RP. { R = sql_op(MK(CALL, T.off, A, B, C), T.kind); }
special_call(R) ::= JSON_QUERY(T) LP json_api(A) returning_opt(B) json_wrapper json_query_on RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); }
special_call(R) ::= JSON_OBJECT(T) LP json_nulls RP. { R = sql_op(MK(CALL, T.off), T.kind); }
special_call(R) ::= JSON_OBJECT(T) LP json_pairs(A) json_nulls RP. { sql_check_first_call(p, A, T); R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= JSON_OBJECTAGG(T) LP json_pair(A) json_nulls RP. { R = sql_op(MK(CALL, T.off, A), T.kind); }
special_call(R) ::= JSON_ARRAY(T) LP RP. { R = sql_op(MK(CALL, T.off), T.kind); }
special_call(R) ::= JSON_ARRAY(T) LP exprs(A) json_nulls RP. { R = sql_op(MK(CALL, T.off, A), T.kind); check_non_query_list(p, A); }
special_call(A) ::= json_arrayagg(A).
special_call(R) ::= json_arrayagg(A) WITHIN(T) GROUP LP order_by(B) RP.
    { R = A; if (sql_child(A, SQL_N_ORDER_BY)) { check(p, SQL_CHECK_JSON_TWO_ORDERS, A->off, p->end); } R = sql_add(p, A, sql_op(MK(WITHIN, T.off, B), TK_GROUP)); }
json_arrayagg(R) ::= JSON_ARRAYAGG(T) LP expr(A) order_by_opt(B) json_nulls RP. { R = sql_op(MK(CALL, T.off, A, B), T.kind); check_non_query(p, A); }
json_api(R) ::= expr(A) comma expr(B). { R = MK(EXPRS, A->off, A, B); check_non_query_list(p, R); }
json_api(R) ::= expr(A) comma expr(B) PASSING passing(C). { R = MK(EXPRS, A->off, A, B, C); check_non_query(p, A); check_non_query(p, B); }
passing(R) ::= expr(A) AS id(B). { R = MK(EXPRS, A->off, A, B); check_non_query(p, A); }
passing(R) ::= passing(C) comma expr(A) AS id(B). { R = sql_add(p, sql_add(p, C, A), B); check_non_query(p, A); }
returning_opt(R) ::= . { R = NULL; }
returning_opt(R) ::= RETURNING type(A). { R = A; }
json_value_on(R) ::= . { R = NULL; }
json_value_on(R) ::= json_value_on(A) ERROR|NULL(T) ON EMPTY|ERROR. { R = A ? A : MK(JSON_CLAUSE, T.off); }
json_value_on(R) ::= json_value_on(A) DEFAULT(T) expr(B) ON EMPTY|ERROR. { R = sql_add(p, A ? A : MK(JSON_CLAUSE, T.off), B); check_non_query(p, B); }
json_wrapper ::= .
json_wrapper ::= WITHOUT WRAPPER.
json_wrapper ::= WITHOUT ARRAY WRAPPER.
json_wrapper ::= WITH WRAPPER.
json_wrapper ::= WITH ARRAY WRAPPER.
json_wrapper ::= WITH CONDITIONAL|UNCONDITIONAL WRAPPER.
json_wrapper ::= WITH CONDITIONAL|UNCONDITIONAL ARRAY WRAPPER.
json_query_on ::= .
json_query_on ::= json_query_on ERROR|NULL ON EMPTY|ERROR.
json_query_on ::= json_query_on EMPTY ARRAY|OBJECT ON EMPTY|ERROR.
json_nulls ::= .
json_nulls ::= NULL ON NULL.
json_nulls ::= ABSENT ON NULL.
json_pairs(R) ::= json_pair(A). { R = MK(EXPRS, A->off, A); }
json_pairs(R) ::= json_pairs(A) comma json_pair(B). { R = sql_add(p, A, B); }
json_pair(R) ::= KEY(T) expr(A) VALUE expr(B). { R = MK(JSON_PAIR, T.off, A, B); check_non_query(p, A); check_non_query(p, B); }
json_pair(R) ::= expr(A) VALUE expr(B). { R = MK(JSON_PAIR, A->off, A, B); check_non_query(p, A); check_non_query(p, B); }
json_pair(R) ::= expr(A) COLON expr(B). { R = MK(JSON_PAIR, A->off, A, B); check_non_query(p, A); check_non_query(p, B); }

/* ------------------------------------------------------------------ windows */

window(R) ::= LP(T) window_base(A) window_part(B) order_by_opt(C) frame_opt(D) partial_opt RP. { R = MK(WINDOW, T.off, A, B, C, D); }
window_base(R) ::= . { R = NULL; }
window_base(A) ::= id(A).
window_part(R) ::= . { R = NULL; }
window_part(R) ::= PARTITION(T) BY exprs(A). { R = MK(PARTITION_BY, T.off, A); check_non_query_first(p, A); }
frame_opt(R) ::= . { R = NULL; }
frame_opt(R) ::= ROWS|RANGE(T) bound(A). { R = sql_op(MK(FRAME, T.off, A), T.kind); }
frame_opt(R) ::= ROWS|RANGE(T) BETWEEN bound(A) BETWEEN_AND bound(B). { R = sql_op(MK(FRAME, T.off, A, B), T.kind); }
bound(R) ::= CURRENT(T) ROW. { R = sql_op(MK(BOUND, T.off), T.kind); }
bound(R) ::= UNBOUNDED(T) PRECEDING. { R = sql_op(MK(BOUND, T.off), T.kind | SQL_OP_PRECEDING); }
bound(R) ::= UNBOUNDED(T) FOLLOWING. { R = sql_op(MK(BOUND, T.off), T.kind); }
bound(R) ::= expr(A) PRECEDING. { R = sql_op(MK(BOUND, A->off, A), SQL_OP_PRECEDING); check_non_query(p, A); }
bound(R) ::= expr(A) FOLLOWING. { R = MK(BOUND, A->off, A); check_non_query(p, A); }
partial_opt ::= .
partial_opt ::= ALLOW PARTIAL.
partial_opt ::= DISALLOW PARTIAL.

/* ------------------------------------------------------------------ queries */

query(A) ::= query_np(A).
query(A) ::= query_wp(A). [LOWEST]
query_wp(R) ::= LP(T) query_np(A) RP. { R = MK(SUBQUERY, T.off, A); }
query_wp(R) ::= LP(T) query_wp(A) RP. { R = MK(SUBQUERY, T.off, A); }

/* Inside parentheses an expression may have what only a query should: (WITH ... a ORDER BY b), (a LIMIT 1) */
query_expr(R) ::= with(W) expr(A). [LOWEST] { R = MK(PAREN, W->off, A); }
query_expr(R) ::= with(W) expr(A) tail. { R = MK(PAREN, W->off, A); }
query_expr(R) ::= expr(A) limit. { R = MK(PAREN, A->off, A); }
/* and what came so is a query to what is around it */
query_expr(R) ::= paren_expr(A) order_by. [LOWEST] { R = MK(PAREN, A->off, A); }
query_expr(R) ::= paren_expr(A) order_by limit. { R = MK(PAREN, A->off, A); }
query_expr(R) ::= paren_set(A). [LOWEST] { R = MK(PAREN, A->off, A); }
query_expr(R) ::= paren_set(A) tail. { R = MK(PAREN, A->off, A); }
query_expr(R) ::= with(W) paren_set(A). [LOWEST] { R = MK(PAREN, W->off, A); }
query_expr(R) ::= with(W) paren_set(A) tail. { R = MK(PAREN, W->off, A); }
paren_set(R) ::= paren_expr(A) UNION|EXCEPT(T) all_distinct(Q) clause(B). [UNION] { R = sql_set_op(p, A, T, Q, B); }
paren_set(R) ::= paren_expr(A) UNION|EXCEPT(T) all_distinct(Q) odd_query(B). [UNION] { R = sql_set_op(p, A, T, Q, B); }
paren_set(R) ::= paren_expr(A) INTERSECT(T) all_distinct(Q) odd_query(B). [INTERSECT] { R = sql_set_op(p, A, T, Q, B); }
paren_set(R) ::= paren_expr(A) INTERSECT(T) all_distinct(Q) clause(B). [INTERSECT] { R = sql_set_op(p, A, T, Q, B); }
paren_set(R) ::= paren_set(A) UNION|EXCEPT(T) all_distinct(Q) clause(B). [UNION] { R = sql_set_op(p, A, T, Q, B); }
paren_set(R) ::= paren_set(A) INTERSECT(T) all_distinct(Q) clause(B). [INTERSECT] { R = sql_set_op(p, A, T, Q, B); }

/* Flink takes ROW(query) for a query where a statement ends with one, in parentheses and behind UNION */
row_query(R) ::= ROW(T) query_wp(A). [LOWEST] { R = sql_op(MK(SUBQUERY, T.off, A), TK_ROW); }
row_query(R) ::= ROW(T) LP(L) query_part(A) RP. [LOWEST] { R = sql_op(MK(SUBQUERY, T.off, MK(PAREN, L.off, A)), TK_ROW); }
query_wp(R) ::= LP(T) row_query(A) RP. { R = MK(SUBQUERY, T.off, A); }
query(A) ::= row_query(A). [LOWEST]
query_np(R) ::= with(W) row_query(A). { R = MK(QUERY, W->off, W, A); }
query_np(R) ::= with(W) row_query(A) tail(B). { R = sql_adopt(p, MK(QUERY, W->off, W, A), B, NULL); }
simple(R) ::= clause(A) UNION|EXCEPT(T) all_distinct(Q) odd_query(B). [UNION] { R = sql_set_op(p, A, T, Q, B); }
simple(R) ::= clause(A) INTERSECT(T) all_distinct(Q) odd_query(B). [INTERSECT] { R = sql_set_op(p, A, T, Q, B); }
/* and so it takes a field or an element of one: (query).a, (query)[1]. As a statement that has no order and no
 * UNION behind it, being no query any more, before a LIMIT or WITH makes it one again. In an expression's
 * parentheses it is an expression. */
odd_query(A) ::= row_query(A). [QUERY_END]
odd_query(A) ::= query_part(A). [QUERY_END]
query_part(R) ::= part_of(A) LB expr(B) RB. { R = MK(ITEM, A->off, A, B); }
query_part(R) ::= part_of(A) LB OFFSET|ORDINAL|SAFE_OFFSET|SAFE_ORDINAL(T) expr(B) RB.
    { R = sql_op(MK(ITEM, A->off, A, B), T.kind); need(p, 202, T.off, "an index with OFFSET or ORDINAL"); }
query_part(R) ::= part_of(A) DOT id(B). [LOWEST] { R = MK(FIELD, A->off, A, B); }
query_part(R) ::= part_of(A) DOT id(B) LP(L) fargs(C) RP. { sql_check_method(p, A, L); R = MK(FIELD, A->off, A, MK(CALL, B->off, sql_name(p, B), C)); }
query_part(R) ::= LP(T) query_part(A) RP. { R = MK(PAREN, T.off, A); }
part_of(A) ::= query_wp(A). [PART]
part_of(A) ::= row_query(A). [PART]
part_of(A) ::= query_part(A). [PART]
query(A) ::= query_part(A). [QUERY_END]
query(A) ::= limited(A).
query_wp(R) ::= LP(T) limited(A) RP. { R = MK(SUBQUERY, T.off, A); }
limited(R) ::= row_query(A) limit. { R = MK(PAREN, A->off, A); }
limited(R) ::= query_part(A) limit. { R = MK(PAREN, A->off, A); }
limited(R) ::= with(W) query_part(A). { R = MK(PAREN, W->off, MK(QUERY, W->off, W, A)); }
limited(R) ::= with(W) query_part(A) tail(B). { R = MK(PAREN, W->off, sql_adopt(p, MK(QUERY, W->off, W, A), B, NULL)); }
query_np(R) ::= simple(A). [LOWEST] { R = MK(QUERY, A->off, A); }
query_np(R) ::= clause(A) tail(B). { sql_check_ends_row_query(p, A, B); R = sql_adopt(p, MK(QUERY, A->off, A), B, NULL); }
query_np(R) ::= with(W) body(A). { R = MK(QUERY, W->off, W, A); }
query_np(R) ::= with(W) body(A) tail(B). { R = sql_adopt(p, MK(QUERY, W->off, W, A), B, NULL); }
clause(A) ::= simple(A).
clause(A) ::= query_wp(A). [BODY]
/* behind WITH; not a clause like others, so that a query in parentheses is told from an operand in them */
body(A) ::= simple(A).
body(A) ::= query_wp(A). [BODY]
simple(A) ::= select(A).
simple(R) ::= values(T) rows(A). [LOWEST] { R = sql_respan(p, A, T.off); R->kind = SQL_N_VALUES; }
%type values {struct sql_tok}
values(R) ::= VALUES|VALUE(T). { R = T; sql_check_value(p, T); }
simple(R) ::= TABLE(T) cids(A). [LOWEST] { R = MK(EXPLICIT_TABLE, T.off, A); }
simple(R) ::= clause(A) UNION|EXCEPT(T) all_distinct(Q) clause(B). [UNION] { R = sql_set_op(p, A, T, Q, B); }
simple(R) ::= clause(A) minus(T) all_distinct(Q) clause(B). [UNION] { R = sql_set_op(p, A, T, Q, B); }
%type minus {struct sql_tok}
minus(R) ::= SET_MINUS(T). { R = T; check(p, SQL_CHECK_MINUS, T.off, T.end); }
simple(R) ::= clause(A) INTERSECT(T) all_distinct(Q) clause(B). [INTERSECT] { R = sql_set_op(p, A, T, Q, B); }

with(R) ::= WITH(T) ctes(A). { R = sql_respan(p, A, T.off); }
with(R) ::= WITH(T) recursive ctes(A). { R = sql_op(sql_respan(p, A, T.off), 1); }
recursive ::= RECURSIVE(T). { need(p, 202, T.off, "WITH RECURSIVE"); }
ctes(R) ::= cte(A). { R = MK(WITH, A->off, A); }
ctes(R) ::= ctes(A) comma cte(B). { R = sql_add(p, A, B); }
cte(R) ::= id(A) AS query_wp(B). { sql_check_row_query(p, B); R = MK(CTE, A->off, A, B); check_ordered_paren(p, B); }
cte(R) ::= id(A) pids(C) AS query_wp(B). { sql_check_row_query(p, B); R = MK(CTE, A->off, A, C, B); check_ordered_paren(p, B); }

/* Flink reads a table there before it sees that it is no query */
cte(R) ::= id(A) AS nested(B). { R = MK(CTE, A->off, A, B); check(p, SQL_CHECK_QUERY_WANTED, B->first->off, p->end); }
cte(R) ::= id(A) pids(C) AS nested(B). { R = MK(CTE, A->off, A, C, B); check(p, SQL_CHECK_QUERY_WANTED, B->first->off, p->end); }

rows(R) ::= expr(A). { R = MK(VALUES, A->off, sql_values_row(p, A)); }
rows(R) ::= rows(A) COMMA expr(B). { R = sql_add(p, A, sql_values_row(p, B)); }

tail(R) ::= order_by(A). [LOWEST] { R = MK(QUERY, A->off, A); }
tail(R) ::= order_by(A) limit(B). { R = MK(QUERY, A->off, A, B); }
tail(R) ::= limit(A). { R = MK(QUERY, A->off, A); }
limit(R) ::= LIMIT(T) limit_count(A) offset_opt(B). { R = MK(LIMIT, T.off, A, B); }
limit(R) ::= LIMIT(T) count(A) comma count(B). { R = MK(LIMIT, T.off, A, B); check(p, SQL_CHECK_LIMIT_COMMA, T.off, p->end); }
limit(R) ::= offset(A). { R = MK(LIMIT, A->off, A); }
limit(R) ::= offset(A) fetch(B). { R = MK(LIMIT, A->off, A, B); }
limit(R) ::= offset(A) LIMIT limit_count(B). { R = MK(LIMIT, A->off, A, B); check(p, SQL_CHECK_OFFSET_LIMIT, A->off, p->end); }
limit(R) ::= fetch(A). { R = MK(LIMIT, A->off, A); }
limit_count(R) ::= count(A). [LOWEST] { R = A; sql_check_limit(p, A); }
limit_count(R) ::= ALL(T). { R = sql_literal(p, T); }
count(A) ::= number(A).
count(R) ::= HOOK(T). { R = MK(PARAM, T.off); }
offset_opt(R) ::= . { R = NULL; }
offset_opt(A) ::= offset(A).
offset(R) ::= OFFSET(T) count(A). { R = sql_respan(p, A, T.off); }
offset(R) ::= OFFSET(T) count(A) ROW|ROWS. { R = sql_respan(p, A, T.off); }
fetch(R) ::= FETCH(T) FIRST|NEXT count(A) ROW|ROWS ONLY. { R = sql_respan(p, A, T.off); }

order_by_opt(R) ::= . { R = NULL; }
order_by_opt(A) ::= order_by(A).
order_by(R) ::= ORDER(T) BY order_items(A). [LOWEST] { R = sql_respan(p, A, T.off); }
order_items(R) ::= order_item(A). { R = MK(ORDER_BY, A->off, A); }
order_items(R) ::= order_items(A) COMMA order_item(B). { R = sql_add(p, A, B); }
order_item(R) ::= expr(A). { R = MK(ORDER_ITEM, A->off, A); }
order_item(A) ::= order_dir(A).
order_dir(R) ::= expr(A) ASC|DESC(T) nulls_opt. { R = sql_op(MK(ORDER_ITEM, A->off, A), T.kind == TK_DESC ? TK_DESC : 0); }
order_dir(R) ::= expr(A) nulls. { R = MK(ORDER_ITEM, A->off, A); }
nulls_opt ::= .
nulls_opt ::= nulls.
nulls ::= NULLS FIRST|LAST.

select(R) ::= SELECT(T) hints_opt(H) stream_opt all_distinct(Q) select_list(A). [LOWEST]
    { R = sql_op(MK(SELECT, T.off, H, A), Q.kind == TK_DISTINCT ? TK_DISTINCT : 0); }
select(R) ::= SELECT(T) hints_opt(H) stream_opt all_distinct(Q) select_list(A) from(F) where_opt(W) group_opt(G) having_opt(V) windows_opt(N) qualify_opt(L).
    { R = sql_op(MK(SELECT, T.off, H, A, F, W, G, V, N, L), Q.kind == TK_DISTINCT ? TK_DISTINCT : 0); }
stream_opt ::= .
stream_opt ::= STREAM.
select_list(R) ::= select_item(A). { R = MK(SELECT_LIST, A->off, A); }
select_list(R) ::= select_list(A) comma select_item(B). { R = sql_add(p, A, B); }
star(R) ::= STAR(T). { R = MK(STAR, T.off); }
select_item(R) ::= star(A). { R = MK(SELECT_ITEM, A->off, A); }
select_item(R) ::= star(A) alias(B). { R = MK(SELECT_ITEM, A->off, A, B); }
select_item(R) ::= expr(A). { R = MK(SELECT_ITEM, A->off, A); }
select_item(R) ::= expr(A) alias(B). { sql_check_unit_alias(p, A, B); R = MK(SELECT_ITEM, A->off, A, B); }
alias(R) ::= id(A). { R = MK(ALIAS, A->off, A); }
alias(R) ::= AS(T) id(A). { R = MK(ALIAS, T.off, A); }

from(R) ::= FROM(T) tables(A). [LOWEST] { R = MK(FROM, T.off, A); }
where_opt(R) ::= . { R = NULL; }
where_opt(R) ::= WHERE(T) expr(A). { R = MK(WHERE, T.off, A); }
group_opt(R) ::= . { R = NULL; }
group_opt(R) ::= GROUP(T) BY all_distinct(Q) group_items(A). [LOWEST]
    { R = sql_op(sql_respan(p, A, T.off), Q.kind == TK_DISTINCT ? TK_DISTINCT : 0); R->kind = SQL_N_GROUP_BY; }
group_items(R) ::= group_item(A). { R = MK(GROUPING, A->off, A); }
group_items(R) ::= group_items(A) COMMA group_item(B). { R = sql_add(p, A, B); }
group_item(A) ::= expr(A).
group_item(R) ::= LP(T) RP. { R = MK(GROUPING, T.off); }
group_item(R) ::= GROUPING(T) SETS LP group_items(A) RP. { R = sql_op(sql_respan(p, A, T.off), T.kind); }
group_item(R) ::= ROLLUP|CUBE(T) LP exprs(A) RP. { R = sql_op(MK(GROUPING, T.off, A), T.kind); }
having_opt(R) ::= . { R = NULL; }
having_opt(R) ::= HAVING(T) expr(A). { R = MK(HAVING, T.off, A); }
windows_opt(R) ::= . { R = NULL; }
windows_opt(R) ::= WINDOW(T) window_defs(A). [LOWEST] { R = sql_respan(p, A, T.off); }
window_defs(R) ::= window_def(A). { R = MK(WINDOWS, A->off, A); }
window_defs(R) ::= window_defs(A) COMMA window_def(B). { R = sql_add(p, A, B); }
window_def(R) ::= id(A) AS window(B). { R = MK(WINDOW_DEF, A->off, A, B); }
qualify_opt(R) ::= . { R = NULL; }
qualify_opt(R) ::= QUALIFY(T) expr(A). { R = MK(QUALIFY, T.off, A); }

hints_opt(R) ::= . { R = NULL; }
hints_opt(A) ::= hints(A).
hints(R) ::= HINT_BEGIN(T) hint_list(A) COMMENT_END. { R = sql_respan(p, A, T.off); }
hint_list(R) ::= hint(A). { R = MK(HINTS, A->off, A); }
hint_list(R) ::= hint_list(A) comma hint(B). { R = sql_add(p, A, B); }
hint(R) ::= id(A). { R = MK(HINT, A->off, A); }
hint(R) ::= id(A) LP RP. { R = MK(HINT, A->off, A); }
hint(R) ::= id(A) LP hint_options(B) RP. { R = MK(HINT, A->off, A, B); }
hint(R) ::= id(A) LP ids(B) RP. { R = MK(HINT, A->off, A, B); }
hint(R) ::= id(A) LP hint_values(B) RP. { R = MK(HINT, A->off, A, B); }
hint_options(R) ::= hint_option(A). { R = MK(OPTIONS, A->off, A); }
hint_options(R) ::= hint_options(A) comma hint_option(B). { R = sql_add(p, A, B); }
hint_option(R) ::= id(A) EQ strx(B). { R = MK(OPTION, A->off, A, B); }
hint_option(R) ::= strx(A) EQ strx(B). { R = MK(OPTION, A->off, A, B); }
hint_values(R) ::= hint_value(A). { R = MK(EXPRS, A->off, A); }
hint_values(R) ::= hint_values(A) comma hint_value(B). { R = sql_add(p, A, B); }
hint_value(A) ::= signed_number(A).
hint_value(A) ::= strx(A).

/* ------------------------------------------------------------------ FROM */

tables(A) ::= table(A).
tables(R) ::= tables(A) comma(T) table(B). { R = sql_join(p, A, T, 0, B, NULL); }
tables(R) ::= tables(A) join_op(T) table(B) join_cond(C). { R = sql_join(p, A, T, T.word, B, C); }
tables(R) ::= tables(A) CROSS APPLY(T) table(B). { R = sql_join(p, A, T, 0, B, NULL); check(p, SQL_CHECK_APPLY, T.off, p->end); }
tables(R) ::= tables(A) OUTER APPLY(T) table(B). { R = sql_join(p, A, T, 0, B, NULL); check(p, SQL_CHECK_APPLY, T.off, p->end); }
%type join_op {struct sql_tok}
join_op(R) ::= join_word(T). { R = T; R.word = 0; }
join_op(R) ::= NATURAL join_word(T). { R = T; R.word = SQL_OP_NATURAL; }
%type join_word {struct sql_tok}
join_word(R) ::= JOIN(T). { R = T; }
join_word(R) ::= INNER JOIN(T). { R = T; }
join_word(R) ::= CROSS(T) JOIN. { R = T; }
join_word(R) ::= LEFT|RIGHT|FULL(T) JOIN. { R = T; }
join_word(R) ::= LEFT|RIGHT|FULL(T) OUTER JOIN. { R = T; }
join_cond(R) ::= . [LOWEST] { R = NULL; }
join_cond(R) ::= ON(T) expr(A). { R = MK(ON, T.off, A); }
join_cond(R) ::= USING(T) pids(A). { R = MK(USING, T.off, A); }

table(A) ::= table_p(A).
table(R) ::= table_p(A) table_alias(B). { R = sql_alias(p, A, B); }
table(A) ::= named_p(A).
table(R) ::= named_p(A) table_alias(B). { R = sql_add(p, A, B); }
table(R) ::= named_p(A) sample(C). { R = sql_add(p, A, C); }
table(R) ::= named_p(A) table_alias(B) sample(C). { R = sql_add(p, sql_add(p, A, B), C); }
table(R) ::= table_p(A) sample(C). { R = sql_add(p, A, C); check_not_join(p, A); }
table(R) ::= table_p(A) table_alias(B) sample(C). { R = sql_add(p, sql_alias(p, A, B), C); }
table_alias(R) ::= id(A). [LOWEST] { R = MK(ALIAS, A->off, A); }
table_alias(R) ::= AS(T) id(A). [LOWEST] { R = MK(ALIAS, T.off, A); }
table_alias(R) ::= id(A) pids(B). { R = MK(ALIAS, A->off, A, B); }
table_alias(R) ::= AS(T) id(A) pids(B). { R = MK(ALIAS, T.off, A, B); }
sample(R) ::= TABLESAMPLE(T) SUBSTITUTE LP strx(A) RP. { if (A->op == TK_BINARY_LIT) { check(p, SQL_CHECK_UNEXPECTED, A->off, A->off + A->len); } R = MK(SAMPLE, T.off, A); }
sample(R) ::= TABLESAMPLE(T) BERNOULLI|SYSTEM LP number(A) RP. { R = MK(SAMPLE, T.off, A); sql_check_sample(p, A); }
sample(R) ::= TABLESAMPLE(T) BERNOULLI|SYSTEM LP number(A) RP REPEATABLE LP sign uint RP. { R = MK(SAMPLE, T.off, A); sql_check_sample(p, A); }

table_p(A) ::= table_u(A).
table_p(R) ::= table_v(A) unpivot(B). { R = sql_add(p, A, B); check_not_join(p, A); }
table_u(A) ::= table_v(A).
table_v(A) ::= base(A).
table_v(R) ::= base(A) pivot(B). { R = sql_add(p, A, B); check_not_join(p, A); }

/* matched under a name of its own, and then like a table that is not */
named(R) ::= table_p(A) AS id(B) match(M). { sql_check_named_match(p, A, M); R = sql_add(p, sql_add(p, A, B), M); need(p, 202, M->off, "a name before MATCH_RECOGNIZE"); }
named_v(A) ::= named(A).
named_v(R) ::= named(A) pivot(B). { R = sql_add(p, A, B); }
named_p(A) ::= named_v(A).
named_p(R) ::= named_v(A) unpivot(B). { R = sql_add(p, A, B); }

base(R) ::= cid(A) hints_opt(H) snapshot_opt(S) match_opt(M). { R = MK(TABLE, A->off, A, H, S, M); }
base(R) ::= cid(A) EXTEND LP extend_cols RP snapshot_opt(S) match_opt(M). { R = MK(TABLE, A->off, A, S, M); }
base(R) ::= cid(A) LP(L) extend_cols RP snapshot_opt(S) match_opt(M). { sql_check_first_extended(p, L); R = MK(TABLE, A->off, A, S, M); }
base(R) ::= cid(A) hints(H) extension snapshot_opt(S) match_opt(M). { R = MK(TABLE, A->off, A, H, S, M); }
base(R) ::= cid(A) LP(L) call_args(B) RP. { sql_take_cursors(p, B); R = MK(TABLE_FUNCTION, A->off, MK(CALL, A->off, A, B)); sql_check_table_call(p, L); }
base(R) ::= query_wp(A) match_opt(M). [LOWEST] { sql_check_row_query(p, A); R = MK(DERIVED, A->off, A, M); check_ordered_paren(p, A); }
base(R) ::= LATERAL(T) query_wp(A) match_opt(M). { sql_check_row_query(p, A); R = sql_op(MK(DERIVED, T.off, A, M), 1); check_ordered_paren(p, A); }
base(R) ::= nested(A) match_opt(M). { if (M) { check_not_join(p, A); } R = sql_add(p, A, M); }
base(R) ::= LATERAL nested(A). { R = A; check(p, SQL_CHECK_TABLE_ALONE, A->first->off, p->end); }
base(R) ::= UNNEST(T) in_list(A) ordinality(B). { R = sql_op(MK(UNNEST, T.off, A), (uint16_t)B); }
base(R) ::= LATERAL UNNEST(T) in_list(A) ordinality(B). { need(p, 200, T.off, "LATERAL UNNEST"); R = sql_op(MK(UNNEST, T.off, A), (uint16_t)B); }
base(R) ::= TABLE(T) LP specific cids(A) LP call_args(B) RP RP. { sql_take_cursors(p, B); R = MK(TABLE_FUNCTION, T.off, MK(CALL, A->off, A, B)); }
base(R) ::= LATERAL TABLE(T) LP specific cids(A) LP call_args(B) RP RP. { sql_take_cursors(p, B); R = sql_op(MK(TABLE_FUNCTION, T.off, MK(CALL, A->off, A, B)), 1); }
specific ::= .
specific ::= SPECIFIC.
%type ordinality {int}
ordinality(R) ::= . { R = 0; }
ordinality(R) ::= WITH ORDINALITY. { R = 1; }
nested(R) ::= LP(T) joined(A) RP. { R = MK(NESTED, T.off, A); }
nested(R) ::= LP(T) nested(A) RP. { R = MK(NESTED, T.off, A); }
nested(R) ::= LP(T) table(A) RP. { R = MK(NESTED, T.off, A); check(p, SQL_CHECK_TABLE_ALONE, A->off, A->off + A->len); }
joined(R) ::= table(A) join_op(T) table(B) join_cond(C). { R = sql_join(p, A, T, T.word, B, C); }
joined(R) ::= joined(A) join_op(T) table(B) join_cond(C). { R = sql_join(p, A, T, T.word, B, C); }
extend_opt ::= .
extend_opt ::= extension.
extension ::= EXTEND LP extend_cols RP.
extension ::= LP extend_cols RP.
extend_cols ::= extend_col.
extend_cols ::= extend_cols comma extend_col.
extend_col ::= cids type not_null_opt.
not_null_opt ::= .
not_null_opt ::= NOT NULL.
snapshot_opt(R) ::= . { R = NULL; }
snapshot_opt(R) ::= FOR(T) SYSTEM_TIME AS OF expr(A). { R = MK(SNAPSHOT, T.off, A); check_non_query(p, A); }

pivot(R) ::= PIVOT(T) LP pivot_aggs(A) FOR id_or_list(B) IN LP pivot_values RP RP. { R = MK(PIVOT, T.off, A, B); }
pivot_aggs(R) ::= pivot_agg(A). { R = MK(EXPRS, A->off, A); }
pivot_aggs(R) ::= pivot_aggs(A) comma pivot_agg(B). { R = sql_add(p, A, B); }
pivot_agg(R) ::= call(A). { R = MK(SELECT_ITEM, A->off, A); }
pivot_agg(R) ::= call(A) alias(B). { R = MK(SELECT_ITEM, A->off, A, B); }
pivot_values ::= .
pivot_values ::= pivot_list.
pivot_list ::= pivot_value.
pivot_list ::= pivot_list comma pivot_value.
pivot_value ::= row_expr.
pivot_value ::= row_expr alias.
row_expr(R) ::= expr(A). { R = sql_values_row(p, A); }
unpivot(R) ::= UNPIVOT(T) nulls_clause LP id_or_list(A) FOR id_or_list(B) IN LP unpivot_list RP RP. { R = MK(UNPIVOT, T.off, A, B); }
nulls_clause ::= .
nulls_clause ::= INCLUDE|EXCLUDE NULLS.
unpivot_list ::= unpivot_value.
unpivot_list ::= unpivot_list comma unpivot_value.
unpivot_value ::= id_or_list.
unpivot_value ::= id_or_list AS row_expr.

/* ------------------------------------------------------------------ MATCH_RECOGNIZE */

match_opt(R) ::= . [LOWEST] { R = NULL; }
match_opt(A) ::= match(A).
match(R) ::= MATCH_RECOGNIZE(T) LP window_part(A) order_by_opt(B) measures_opt(C) rows_per_match after_match(D) pattern(E)
        within_opt(F) subset_opt(G) defines(H) RP.
    { R = MK(MATCH, T.off, A, B, C, D, E, F, G, H); }
pattern(R) ::= PATTERN(T) LP caret pat_alt(A) dollar RP. { R = MK(PATTERN, T.off, A); }
defines(R) ::= DEFINE(T) define_list(A). { R = sql_respan(p, A, T.off); }
measures_opt(R) ::= . { R = NULL; }
measures_opt(R) ::= MEASURES(T) measure_list(A). { R = sql_respan(p, A, T.off); }
measure_list(R) ::= measure(A). { R = MK(MEASURES, A->off, A); }
measure_list(R) ::= measure_list(A) comma measure(B). { R = sql_add(p, A, B); }
measure(R) ::= expr(A) AS(T) id(B). { R = MK(SELECT_ITEM, A->off, A, MK(ALIAS, T.off, B)); check_non_query(p, A); }
rows_per_match ::= .
rows_per_match ::= ONE ROW PER MATCH.
rows_per_match ::= ALL ROWS PER MATCH.
after_match(R) ::= . { R = NULL; }
after_match(R) ::= AFTER(T) MATCH SKIP TO NEXT ROW. { R = MK(AFTER_MATCH, T.off); }
after_match(R) ::= AFTER(T) MATCH SKIP PAST LAST ROW. { R = MK(AFTER_MATCH, T.off); }
after_match(R) ::= AFTER(T) MATCH SKIP TO FIRST id(A). { R = MK(AFTER_MATCH, T.off, A); }
after_match(R) ::= AFTER(T) MATCH SKIP TO LAST id(A). { R = MK(AFTER_MATCH, T.off, A); }
after_match(R) ::= AFTER(T) MATCH SKIP TO id(A). { R = MK(AFTER_MATCH, T.off, A); }
/* variables of that name */
after_match(R) ::= AFTER(T) MATCH SKIP TO FIRST(A). { R = MK(AFTER_MATCH, T.off, sql_ident(p, A)); }
after_match(R) ::= AFTER(T) MATCH SKIP TO LAST(A). { R = MK(AFTER_MATCH, T.off, sql_ident(p, A)); }
caret ::= .
caret ::= CARET.
dollar ::= .
dollar ::= DOLLAR.
pat_alt(R) ::= pat_seq(A). { R = MK(PAT_ALT, A->off, A); }
pat_alt(R) ::= pat_alt(A) BAR pat_seq(B). { R = sql_add(p, A, B); }
pat_seq(R) ::= pat_item(A). { R = MK(PAT_SEQ, A->off, A); }
pat_seq(R) ::= pat_seq(A) pat_item(B). { R = sql_add(p, A, B); }
pat_item(A) ::= pat_prim(A). [LOWEST]
pat_item(R) ::= pat_prim(A) pat_quant. { R = MK(PAT_ITEM, A->off, A); }
pat_item(R) ::= pat_prim(A) pat_quant(Q) HOOK. { R = MK(PAT_ITEM, A->off, A); sql_check_reluctant(p, Q); }
pat_quant(R) ::= STAR|PLUS|HOOK. { R = NULL; }
pat_quant(R) ::= LBRACE number(A) RBRACE. { R = A; }
pat_quant(R) ::= LBRACE number(A) comma RBRACE. { R = A; }
pat_quant(R) ::= LBRACE number(A) comma number(B) RBRACE. { R = MK(EXPRS, A->off, A, B); }
pat_quant(R) ::= LBRACE comma number(A) RBRACE. { R = A; }
pat_prim(A) ::= id(A).
pat_prim(R) ::= LP(T) pat_alt(A) RP. { R = sql_respan(p, A, T.off); }
pat_prim(R) ::= PAT_EXCLUDE(T) MINUS pat_alt(A) MINUS RBRACE. { R = sql_respan(p, A, T.off); }
pat_prim(R) ::= PERMUTE(T) LP permute_list(A) RP. { R = sql_respan(p, A, T.off); }
permute_list(R) ::= pat_alt(A). { R = MK(PAT_ALT, A->off, A); }
permute_list(R) ::= permute_list(A) comma pat_alt(B). { R = sql_add(p, A, B); }
within_opt(R) ::= . { R = NULL; }
within_opt(R) ::= WITHIN interval_lit(A). { R = A; }
subset_opt(R) ::= . { R = NULL; }
subset_opt(R) ::= SUBSET(T) subset_list(A). { R = sql_respan(p, A, T.off); }
subset_list(R) ::= subset(A). { R = MK(SUBSET, A->off, A); }
subset_list(R) ::= subset_list(A) comma subset(B). { R = sql_add(p, A, B); }
subset(R) ::= id(A) EQ LP exprs(B) RP. { R = MK(SELECT_ITEM, A->off, A, B); }
define_list(R) ::= define(A). { R = MK(DEFINE, A->off, A); }
define_list(R) ::= define_list(A) comma define(B). { R = sql_add(p, A, B); }
define(R) ::= id(A) AS expr(B). { R = MK(SELECT_ITEM, A->off, A, B); }

/* ------------------------------------------------------------------ types */

type(A) ::= type_name(A). [LOWEST]
type(R) ::= type(A) ARRAY|MULTISET(T). { R = sql_collection(p, A, T); }
xtype(R) ::= xtype_colls(A) nullity(N). { R = sql_nullity(p, A, N); }
xtype_colls(A) ::= type_name(A).
xtype_colls(R) ::= xtype_colls(A) nullity(N) ARRAY|MULTISET(T). { R = sql_collection(p, sql_nullity(p, A, N), T); }
%type nullity {int}
nullity(R) ::= . [LOWEST] { R = 0; }
nullity(R) ::= NULL. { R = 1; }
nullity(R) ::= NOT NULL. { R = 2; }

type_name(R) ::= cids(A). [LOWEST] { R = sql_op(MK(TYPE, A->off, A), TK_IDENT); }
type_name(A) ::= type_word(A).
type_word(A) ::= plain_type(A).
plain_type(R) ::= BOOLEAN|TINYINT|SMALLINT|INT|INTEGER|BIGINT|REAL|FLOAT|STRING|BYTES|VARIANT|BITMAP(T). { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= GEOMETRY(T). { R = sql_op(MK(TYPE, T.off), T.kind); check(p, SQL_CHECK_GEOMETRY, T.off, T.end); }
type_word(R) ::= DATE(T). { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= DOUBLE(T). { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= DOUBLE(T) PRECISION. { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= DECIMAL(T) decimal_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= DEC|NUMERIC|ANY(T) decimal_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= BINARY(T) prec. { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= BINARY(T) VARYING prec. { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= VARBINARY(T) prec. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= CHAR(T) prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= CHARACTER(T) prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= CHAR(T) VARYING prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= CHARACTER(T) VARYING prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
plain_type(R) ::= VARCHAR(T) prec charset_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= TIME(T) prec zone_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= TIMESTAMP(T) prec zone_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(A) ::= angle_type(A).
angle_type(R) ::= TIMESTAMP_LTZ(T) prec. { R = sql_op(MK(TYPE, T.off), T.kind); }
angle_type(R) ::= ARRAY(T) LT element(A) GT. { R = sql_op(MK(TYPE, T.off, A), T.kind); }
angle_type(R) ::= MULTISET(T) LT element(A) GT. { R = sql_op(MK(TYPE, T.off, A), T.kind); }
type_word(R) ::= MAP(T) LT xtype(A) comma xtype(B) GT. { R = sql_op(MK(TYPE, T.off, A, B), T.kind); }
/* MAP < ANY: taken for the comparison with a quantifier until here, so this ANY has rules of its own */
angle_type(R) ::= ARRAY(T) QUANTIFIED(Q) any_type(A) nullity(N) GT. { sql_check_angle(p, Q); R = sql_op(MK(TYPE, T.off, sql_nullity(p, A, N)), T.kind); }
angle_type(R) ::= MULTISET(T) QUANTIFIED(Q) any_type(A) nullity(N) GT. { sql_check_angle(p, Q); R = sql_op(MK(TYPE, T.off, sql_nullity(p, A, N)), T.kind); }
type_word(R) ::= MAP(T) QUANTIFIED(Q) any_colls(A) nullity(N) comma xtype(B) GT. { sql_check_angle(p, Q); R = sql_op(MK(TYPE, T.off, sql_nullity(p, A, N), B), T.kind); }
any_type(R) ::= ANY(T) decimal_opt. { R = sql_op(MK(TYPE, T.off), T.kind); }
any_colls(A) ::= any_type(A).
any_colls(R) ::= any_colls(A) nullity(N) ARRAY|MULTISET(T). { R = sql_collection(p, sql_nullity(p, A, N), T); }
angle_type(R) ::= RAW(T) LP strx(A) comma strx(B) RP. { R = sql_op(MK(TYPE, T.off, A, B), T.kind); }
angle_type(R) ::= ROW(T) NE. { R = sql_op(MK(TYPE, T.off), T.kind); }
angle_type(R) ::= ROW(T) LT GT. { R = sql_op(MK(TYPE, T.off), T.kind); }
angle_type(R) ::= ROW(T) LT row_fields(A) GT. { R = sql_op(sql_respan(p, A, T.off), T.kind); }
type_word(R) ::= ROW(T) LP RP. { R = sql_op(MK(TYPE, T.off), T.kind); }
type_word(R) ::= ROW(T) LP row_fields(A) RP. { R = sql_op(sql_respan(p, A, T.off), T.kind); }
angle_type(R) ::= STRUCTURED(T) LT strx(A) GT. { R = sql_op(MK(TYPE, T.off, A), T.kind); }
angle_type(R) ::= STRUCTURED(T) LT strx(A) comma GT. { R = sql_op(MK(TYPE, T.off, A), T.kind); }
angle_type(R) ::= STRUCTURED(T) LT strx(A) comma row_fields(B) GT. { R = sql_op(MK(TYPE, T.off, A, B), T.kind); }
element(R) ::= type_name(A) nullity(N). { R = sql_nullity(p, A, N); }
/* for Flink the first field is optional, its comma is not */
row_fields(A) ::= fields(A).
row_fields(R) ::= comma fields(A). { R = A; }
fields(R) ::= field(A). { R = MK(TYPE, A->off, A); }
fields(R) ::= fields(A) comma field(B). { R = sql_add(p, A, B); }
field(R) ::= id(A) xtype(B). { R = MK(TYPE_FIELD, A->off, A, B); }
field(R) ::= id(A) xtype(B) qstr(C). { R = MK(TYPE_FIELD, A->off, A, B, C); }
decimal_opt ::= .
decimal_opt ::= LP uint RP.
decimal_opt ::= LP uint comma uint RP.
charset_opt ::= .
charset_opt ::= CHARACTER SET id.
zone_opt ::= .
zone_opt ::= WITHOUT_TIME TIME ZONE.
zone_opt ::= WITH_LOCAL LOCAL TIME ZONE.

/* ------------------------------------------------------------------ statements: the pieces they share */

%type create {struct sql_tok}
create(R) ::= CREATE(T). { R = T; R.word = 0; }
create(R) ::= CREATE(T) TEMPORARY. { R = T; R.word = SQL_OP_TEMPORARY; }
create(R) ::= CREATE(T) OR REPLACE. { R = T; R.word = SQL_OP_REPLACE; }
create(R) ::= CREATE(T) OR REPLACE TEMPORARY. { R = T; R.word = SQL_OP_REPLACE | SQL_OP_TEMPORARY; }
%type temporary {int}
temporary(R) ::= . { R = 0; }
temporary(R) ::= TEMPORARY. { R = SQL_OP_TEMPORARY; }
temporary(R) ::= TEMPORARY SYSTEM. { R = SQL_OP_TEMPORARY | SQL_OP_SYSTEM; }
%type ifne {int}
ifne(R) ::= . { R = 0; }
ifne(R) ::= IF NOT EXISTS. { R = SQL_OP_IF; }
%type ife {int}
ife(R) ::= . { R = 0; }
ife(R) ::= IF EXISTS. { R = SQL_OP_IF; }
comment_opt(R) ::= . { R = NULL; }
comment_opt(R) ::= COMMENT(T) qstr(A). { R = MK(COMMENT, T.off, A); }
/* columns and catalogs took any string, joined ones too, before they were held to one plain one */
comment_str(R) ::= . { R = NULL; }
comment_str(A) ::= comment(A).
comment(R) ::= COMMENT(T) strx(A). { R = MK(COMMENT, T.off, A); sql_check_comment(p, A); }
with_opt(R) ::= . { R = NULL; }
with_opt(R) ::= WITH props(A). { R = A; }
props(R) ::= LP(T) RP. { R = MK(OPTIONS, T.off); }
props(R) ::= LP(T) prop_list(A) RP. { R = sql_respan(p, A, T.off); }
prop_list(R) ::= prop(A). { R = MK(OPTIONS, A->off, A); }
prop_list(R) ::= prop_list(A) comma prop(B). { R = sql_add(p, A, B); }
prop(R) ::= strx(A) EQ strx(B). { R = MK(OPTION, A->off, A, B); }
keys(R) ::= LP(T) RP. { R = MK(KEYS, T.off); }
keys(R) ::= LP(T) key_list(A) RP. { R = sql_respan(p, A, T.off); }
key_list(R) ::= strx(A). { R = MK(KEYS, A->off, A); }
key_list(R) ::= key_list(A) comma strx(B). { R = sql_add(p, A, B); }
as_query(R) ::= AS(T) query(A). { R = MK(AS_QUERY, T.off, A); }
as_query_opt(R) ::= . { R = NULL; }
as_query_opt(A) ::= as_query(A).
pspec(R) ::= LP(T) pspec_list(A) RP. { R = sql_respan(p, A, T.off); }
pspec_list(R) ::= pspec_item(A). { R = MK(PARTITION_SPEC, A->off, A); }
pspec_list(R) ::= pspec_list(A) comma pspec_item(B). { R = sql_add(p, A, B); }
pspec_item(R) ::= id(A) EQ lit(B). { R = MK(OPTION, A->off, A, B); }
partition(R) ::= PARTITION pspec(A). { R = A; }
partition_opt(R) ::= . { R = NULL; }
partition_opt(A) ::= partition(A).

/* ------------------------------------------------------------------ CREATE TABLE */

stmt(R) ::= create(T) TABLE ifne(F) cids(A) body_opt(B) comment_opt(C) dist_opt(D) part_opt(E) with_opt(G) table_tail(H).
    { R = MK(CREATE_TABLE, T.off, A, B, C, D, E, G, H); R->op = T.word | F; sql_check_create_table(p, R); }
stmt(R) ::= REPLACE(T) temporary(X) TABLE ifne(F) cids(A) body_opt(B) comment_opt(C) dist_opt(D) part_opt(E) with_opt(G) as_query(H).
    { R = MK(CREATE_TABLE, T.off, A, B, C, D, E, G, H); R->op = X | F | SQL_OP_REPLACE; sql_check_create_table(p, R); }
body_opt(R) ::= . { R = NULL; }
body_opt(R) ::= LP(T) columns(A) RP. { R = sql_respan(p, A, T.off); }
columns(R) ::= column(A). { sql_check_first_name(p, A); R = MK(COLUMNS, A->off, A); }
columns(R) ::= columns(A) comma column(B). { R = sql_column(p, A, B); }
column(R) ::= cids(A). { R = A; need_behind(p, 200, A->off + A->len, "a list of bare column names"); }
column(A) ::= typed_column(A).
column(A) ::= constraint(A).
column(A) ::= watermark(A).
typed_column(R) ::= cids(A) xtype(B) constraint_col(C) comment_str(D). { R = MK(COLUMN, A->off, A, B, C, D); }
typed_column(R) ::= cids(A) xtype(B) METADATA metadata_from(C) virtual(V) comment_str(D).
    { R = sql_op(MK(METADATA, A->off, A, B, C, D), (uint16_t)V); }
typed_column(R) ::= cids(A) AS expr(B) comment_str(C). { R = MK(COMPUTED, A->off, A, B, C); check_non_query(p, B); check_simple_name(p, A); }
watermark(R) ::= WATERMARK(T) FOR cids(A) AS expr(B). { R = MK(WATERMARK, T.off, A, B); check_non_query(p, B); }
metadata_from(R) ::= . { R = NULL; }
metadata_from(R) ::= FROM strx(A). { R = A; }
%type virtual {int}
virtual(R) ::= . { R = 0; }
virtual(R) ::= VIRTUAL. { R = 1; }
constraint_col(R) ::= . { R = NULL; }
constraint_col(R) ::= unique_word(T) enforced(E). { R = sql_op(MK(CONSTRAINT, T.off), T.kind | E); }
constraint_col(R) ::= CONSTRAINT(S) id(A) unique_word(T) enforced(E). { R = sql_op(MK(CONSTRAINT, S.off, A), T.kind | E); }
constraint(R) ::= unique_word(T) pids(A) enforced(E). { R = sql_op(MK(CONSTRAINT, T.off, A), T.kind | E); }
constraint(R) ::= CONSTRAINT(S) id(B) unique_word(T) pids(A) enforced(E). { R = sql_op(MK(CONSTRAINT, S.off, B, A), T.kind | E); }
%type unique_word {struct sql_tok}
unique_word(R) ::= PRIMARY(T) KEY. { R = T; }
unique_word(R) ::= UNIQUE(T). { R = T; }
%type enforced {int}
enforced(R) ::= . { R = 0; }
enforced(R) ::= ENFORCED. { R = 0; }
enforced(R) ::= NOT ENFORCED. { R = SQL_OP_NEGATED; }
dist_opt(R) ::= . { R = NULL; }
dist_opt(R) ::= DISTRIBUTED(T) distribution(A). { R = sql_respan(p, A, T.off); need(p, 120, T.off, "DISTRIBUTED"); }
distribution(R) ::= BY(T) pids(A) buckets_opt. { R = MK(DISTRIBUTION, T.off, A); }
distribution(R) ::= BY(T) HASH|RANGE pids(A) buckets_opt. { R = MK(DISTRIBUTION, T.off, A); }
distribution(R) ::= buckets(A). { R = MK(DISTRIBUTION, A->off, A); }
buckets_opt ::= .
buckets_opt ::= buckets.
buckets(R) ::= INTO(T) number(A) BUCKETS. { sql_check_buckets(p, A); R = sql_respan(p, A, T.off); }
part_opt(R) ::= . { R = NULL; }
part_opt(R) ::= PARTITIONED(T) BY pids(A). { R = MK(PARTITIONED, T.off, A); }
table_tail(R) ::= . { R = NULL; }
table_tail(R) ::= LIKE(T) cids(A). { R = MK(TABLE_LIKE, T.off, A); }
table_tail(R) ::= LIKE(T) cids(A) LP like_opts(B) RP. { R = sql_adopt(p, MK(TABLE_LIKE, T.off, A), B, NULL); }
table_tail(A) ::= as_query(A).
like_opts(R) ::= like_opt(A). { R = MK(EXPRS, A->off, A); }
like_opts(R) ::= like_opts(A) like_opt(B). { R = sql_add(p, A, B); }
like_opt(R) ::= INCLUDING|EXCLUDING|OVERWRITING(T) ALL|CONSTRAINTS|DISTRIBUTION|GENERATED|METADATA|OPTIONS|PARTITIONS|WATERMARKS(O).
    { R = MK(LIKE_OPTION, T.off); R->op = O.kind; sql_check_like_option(p, T, O); }

/* ------------------------------------------------------------------ materialized tables */

%type mt_head {struct sql_tok}
mt_head(R) ::= create_mt(T) MATERIALIZED(M). { R = T; sql_check_mt_head(p, T, M); }
stmt(R) ::= mt_head(T) TABLE cids(A) mt_body(B) comment_opt(C) dist_opt(D) part_opt(E) with_opt(G) start_mode_opt freshness_opt(H) refresh_mode_opt as_query(I).
    { R = MK(CREATE_MATERIALIZED_TABLE, T.off, A, B, C, D, E, G, H, I); R->op = T.word; sql_check_materialized(p, R); }
mt_body(R) ::= . { R = NULL; }
mt_body(R) ::= LP(T) mt_columns(A) RP. { R = sql_respan(p, A, T.off); }
mt_columns(R) ::= column(A). { sql_check_first_name(p, A); R = MK(COLUMNS, A->off, A); sql_check_mt_columns(p, R); }
mt_columns(R) ::= mt_columns(A) comma column(B). { R = sql_column(p, A, B); sql_check_mt_columns(p, R); }
%type create_mt {struct sql_tok}
create_mt(R) ::= create(T). { R = T; }
create_mt(R) ::= CREATE(T) OR ALTER(A). { R = T; R.word = 0; need(p, 203, A.off, "CREATE OR ALTER"); }
start_mode_opt ::= .
start_mode_opt ::= START_MODE EQ start_mode.
start_mode ::= FROM_BEGINNING.
start_mode ::= RESUME_OR_FROM_BEGINNING.
start_mode ::= FROM_NOW|RESUME_OR_FROM_NOW.
start_mode ::= FROM_NOW|RESUME_OR_FROM_NOW LP interval_lit RP.
start_mode ::= FROM_TIMESTAMP|RESUME_OR_FROM_TIMESTAMP LP start_ts RP.
start_ts ::= TIMESTAMP(T) qstr(A). { sql_check_start(p, T, A); }
start_ts ::= TIMESTAMP(T) WITH_LOCAL LOCAL TIME ZONE qstr(A). { sql_check_start(p, T, A); }
freshness_opt(R) ::= . { R = NULL; need(p, 202, p->next, "a materialized table without FRESHNESS"); }
freshness_opt(A) ::= freshness(A).
freshness(R) ::= FRESHNESS(T) EQ expr(A). { R = MK(FRESHNESS, T.off, A); if (A->kind != SQL_N_INTERVAL || A->op != 1) { sql_check_freshness(p, A); } }
refresh_mode_opt ::= .
refresh_mode_opt ::= refresh_mode.
refresh_mode ::= REFRESH_MODE EQ FULL|CONTINUOUS.
stmt(R) ::= ALTER(T) MATERIALIZED TABLE cids(A) mt_action(B). { R = MK(ALTER_MATERIALIZED_TABLE, T.off, A, B); }
mt_action(R) ::= SUSPEND(T). { R = sql_op(MK(ACTION, T.off), T.kind); }
mt_action(R) ::= RESUME(T) with_opt(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
mt_action(R) ::= REFRESH(T) partition_opt(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
mt_action(R) ::= SET(T) props(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
mt_action(R) ::= SET(T) freshness(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
mt_action(R) ::= SET(T) refresh_mode. { R = sql_op(MK(ACTION, T.off), T.kind); }
mt_action(R) ::= RESET(T) keys(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
mt_action(R) ::= as_query(A). { R = sql_op(MK(ACTION, A->off, A), TK_AS); need(p, 200, A->off, "ALTER MATERIALIZED TABLE ... AS"); }
mt_action(R) ::= alter_columns(A). { R = A; sql_check_mt_change(p, A->off, R->op == TK_DISTRIBUTION); }
mt_action(R) ::= DROP(T) drop_target(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); sql_check_mt_change(p, T.off, (A->op & SQL_OP_TOKEN) == TK_DISTRIBUTION); }
stmt(R) ::= DROP(T) temporary(X) MATERIALIZED(O) TABLE ife(F) cids(A). { R = sql_drop(p, T, X, O, F, A); }

/* ------------------------------------------------------------------ ALTER TABLE */

stmt(R) ::= ALTER(T) TABLE ife(F) cids(A) at_action(B). { R = sql_op(MK(ALTER_TABLE, T.off, A, B), F); }
at_action(R) ::= RENAME(T) TO cids(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
at_action(R) ::= RENAME(T) cids(A) TO cids(B). { R = sql_op(MK(ACTION, T.off, A, B), T.kind); }
at_action(R) ::= SET(T) props(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
at_action(R) ::= RESET(T) keys(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
at_action(R) ::= ADD(T) ifne add_partitions(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
at_action(R) ::= DROP(T) ife drop_partitions(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
at_action(R) ::= DROP(T) drop_target(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
at_action(A) ::= alter_columns(A).
at_action(R) ::= COMPACT(T). { R = sql_op(MK(ACTION, T.off), T.kind); }
at_action(R) ::= PARTITION(T) pspec(A) COMPACT(C). { R = sql_op(MK(ACTION, T.off, A), C.kind); }
add_partitions(R) ::= add_partition(A). { R = MK(EXPRS, A->off, A); }
add_partitions(R) ::= add_partitions(A) add_partition(B). { R = sql_add(p, A, B); }
add_partition(R) ::= partition(A) with_opt(B). { R = sql_add(p, A, B); }
drop_partitions(R) ::= partition(A). { R = MK(EXPRS, A->off, A); }
drop_partitions(R) ::= drop_partitions(A) comma partition(B). { R = sql_add(p, A, B); }
drop_target(A) ::= cids(A).
drop_target(R) ::= LP cid_list(A) RP. { R = A; }
drop_target(R) ::= PRIMARY(T) KEY. { R = sql_op(MK(ACTION, T.off), T.kind); }
drop_target(R) ::= CONSTRAINT(T) id(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
drop_target(R) ::= WATERMARK(T). { R = sql_op(MK(ACTION, T.off), T.kind); }
drop_target(R) ::= DISTRIBUTION(T). { R = sql_op(MK(ACTION, T.off), T.kind); }
alter_columns(R) ::= add_modify(T) alter_column(A). { R = sql_op(MK(ACTION, T.off, MK(COLUMNS, A->off, A)), T.kind); sql_check_columns(p, sql_child(R, SQL_N_COLUMNS)); }
alter_columns(R) ::= add_modify(T) LP alter_list(A) RP. { R = sql_op(MK(ACTION, T.off, A), T.kind); sql_check_columns(p, A); }
alter_columns(R) ::= add_modify(T) DISTRIBUTION(D) distribution(A). { R = sql_op(MK(ACTION, T.off, A), D.kind); }
%type add_modify {struct sql_tok}
add_modify(R) ::= ADD(T). { R = T; }
add_modify(R) ::= MODIFY(T). { R = T; }
alter_list(R) ::= alter_column(A). { R = MK(COLUMNS, A->off, A); }
alter_list(R) ::= alter_list(A) comma alter_column(B). { R = sql_column(p, A, B); }
alter_column(R) ::= typed_column(A) position_opt(B). { R = sql_add(p, A, B); }
alter_column(A) ::= constraint(A).
alter_column(A) ::= watermark(A).
position_opt(R) ::= . { R = NULL; }
position_opt(R) ::= FIRST(T). { R = sql_op(MK(POSITION, T.off), T.kind); }
position_opt(R) ::= AFTER(T) cids(A). { R = sql_op(MK(POSITION, T.off, A), T.kind); }

/* ------------------------------------------------------------------ the other objects */

stmt(R) ::= create(T) CATALOG ifne(F) id(A) comment_str(B) with_opt(C). { R = MK(CREATE_CATALOG, T.off, A, B, C); R->op = T.word | F; }
stmt(R) ::= ALTER(T) CATALOG(O) id(A) SET props(B). { R = sql_op(MK(ALTER_OTHER, T.off, A, B), O.kind); }
stmt(R) ::= ALTER(T) CATALOG(O) id(A) RESET keys(B). { R = sql_op(MK(ALTER_OTHER, T.off, A, B), O.kind); }
stmt(R) ::= ALTER(T) CATALOG(O) id(A) comment(B). { R = sql_op(MK(ALTER_OTHER, T.off, A, B), O.kind); }
stmt(R) ::= create(T) DATABASE ifne(F) cids(A) comment_opt(B) with_opt(C). { R = MK(CREATE_DATABASE, T.off, A, B, C); R->op = T.word | F; }
stmt(R) ::= ALTER(T) DATABASE(O) cids(A) SET props(B). { R = sql_op(MK(ALTER_OTHER, T.off, A, B), O.kind); }
stmt(R) ::= create(T) VIEW ifne(F) cids(A) view_columns(B) comment_opt(C) as_query(D). { R = MK(CREATE_VIEW, T.off, A, B, C, D); R->op = T.word | F; }
view_columns(R) ::= . { R = NULL; }
view_columns(A) ::= pids(A).
stmt(R) ::= ALTER(T) VIEW(O) cids(A) RENAME TO cids(B). { R = sql_op(MK(ALTER_OTHER, T.off, A, B), O.kind); }
stmt(R) ::= ALTER(T) VIEW(O) cids(A) as_query(B). { R = sql_op(MK(ALTER_OTHER, T.off, A, B), O.kind); }

stmt(R) ::= create(T) FUNCTION ifne(F) cids(A) AS qstr(B) language(L) resources_opt(C) with_opt(D).
    { R = MK(CREATE_FUNCTION, T.off, A, B, C, D); R->op = T.word | F; sql_check_function(p, L, C, D); }
%type create_system {struct sql_tok}
create_system(R) ::= create(T) SYSTEM(S). { R = T; if (!(T.word & SQL_OP_TEMPORARY)) { check(p, SQL_CHECK_SYSTEM_OBJECT, S.off, S.end); } }
stmt(R) ::= create_system(T) FUNCTION ifne(F) id(A) AS qstr(B) language(L) resources_opt(C) with_opt(D).
    { R = MK(CREATE_FUNCTION, T.off, A, B, C, D); R->op = T.word | F | SQL_OP_SYSTEM; sql_check_function(p, L, C, D); }
%type language {struct sql_tok}
language(R) ::= . { R = (struct sql_tok){0}; }
language(R) ::= LANGUAGE JAVA|SCALA|SQL|PYTHON(T). { R = T; }
resources_opt(R) ::= . { R = NULL; }
resources_opt(R) ::= USING(T) resources(A). { R = sql_respan(p, A, T.off); }
resources(R) ::= resource(A). { R = MK(EXPRS, A->off, A); }
resources(R) ::= resources(A) comma resource(B). { R = sql_add(p, A, B); }
resource(R) ::= JAR(T) qstr(A). { R = sql_op(MK(RESOURCE, T.off, A), T.kind); }
resource(R) ::= ARTIFACT(T) qstr(A). { R = sql_op(MK(RESOURCE, T.off, A), T.kind); }
stmt(R) ::= ALTER(T) temporary(X) FUNCTION(O) ife(F) cids(A) AS qstr(B) language. { R = MK(ALTER_OTHER, T.off, A, B); R->op = O.kind | (X & SQL_OP_TEMPORARY) | F; }

stmt(R) ::= create(T) MODEL ifne(F) cids(A) model_in(B) model_out(C) comment_opt(D) with_opt(E) as_query_opt(G).
    { R = MK(CREATE_MODEL, T.off, A, B, C, D, E, G); R->op = T.word | F; sql_check_model(p, R, B, C, E, G); }
model_in(R) ::= . { R = NULL; }
model_in(R) ::= INPUT LP columns(A) RP. { R = A; }
model_out(R) ::= . { R = NULL; }
model_out(R) ::= OUTPUT LP columns(A) RP. { R = A; }
stmt(R) ::= ALTER(T) MODEL(O) ife(F) cids(A) other_action(B). { R = MK(ALTER_OTHER, T.off, A, B); R->op = O.kind | F; if (B->op == TK_RESET) { need(p, 200, B->off, "RESET of a model"); } }
other_action(R) ::= RENAME(T) TO cids(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
other_action(R) ::= SET(T) props(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }
other_action(R) ::= RESET(T) keys(A). { R = sql_op(MK(ACTION, T.off, A), T.kind); }

%type connection {struct sql_tok}
connection(R) ::= CONNECTION(T). { R = T; need(p, 203, T.off, "CONNECTION"); }
stmt(R) ::= create(T) connection ifne(F) cids(A) comment_opt(B) WITH props(C).
    { R = MK(CREATE_CONNECTION, T.off, A, B, C); R->op = T.word | F; sql_check_connection(p, R, C); }
stmt(R) ::= create_system(T) connection ifne(F) cids(A) comment_opt(B) WITH props(C).
    { R = MK(CREATE_CONNECTION, T.off, A, B, C); R->op = T.word | F | SQL_OP_SYSTEM; sql_check_connection(p, R, C); }
stmt(R) ::= ALTER(T) connection(O) ife(F) cids(A) other_action(B). { R = MK(ALTER_OTHER, T.off, A, B); R->op = O.kind | F; }

stmt(R) ::= DROP(T) temporary(X) CATALOG(O) ife(F) cids(A). { R = sql_drop(p, T, X, O, F, A); }
stmt(R) ::= DROP(T) temporary(X) DATABASE(O) ife(F) cids(A) restrict. { R = sql_drop(p, T, X, O, F, A); }
restrict ::= .
restrict ::= RESTRICT|CASCADE.
stmt(R) ::= DROP(T) temporary(X) TABLE(O) ife(F) cids(A). { R = sql_drop(p, T, X, O, F, A); }
stmt(R) ::= DROP(T) temporary(X) VIEW(O) ife(F) cids(A). { R = sql_drop(p, T, X, O, F, A); }
stmt(R) ::= DROP(T) temporary(X) MODEL(O) ife(F) cids(A). { R = sql_drop(p, T, X, O, F, A); }
stmt(R) ::= DROP(T) temporary(X) connection(O) ife(F) cids(A). { R = sql_drop(p, T, X, O, F, A); }
stmt(R) ::= DROP(T) temporary(X) FUNCTION(O) ife(F) cids(A). { R = sql_drop(p, T, X, O, F, A); }
stmt(R) ::= DROP(T) SYSTEM FUNCTION(O) ife(F) cids(A). { R = sql_drop(p, T, SQL_OP_SYSTEM, O, F, A); }

stmt(R) ::= LOAD(T) MODULE id(A) with_opt(B). { R = MK(LOAD_MODULE, T.off, A, B); }
stmt(R) ::= UNLOAD(T) MODULE id(A). { R = MK(UNLOAD_MODULE, T.off, A); }
stmt(R) ::= USE(T) MODULES ids(A). { R = MK(USE, T.off, A); }
stmt(R) ::= USE(T) CATALOG(O) id(A). { R = sql_op(MK(USE, T.off, A), O.kind); }
stmt(R) ::= USE(T) cids(A). { R = MK(USE, T.off, A); }
stmt(R) ::= SET(T). { R = MK(SET, T.off); }
stmt(R) ::= SET(T) prop(A). { R = MK(SET, T.off, A); }
stmt(R) ::= RESET(T). { R = MK(RESET, T.off); }
stmt(R) ::= RESET(T) strx(A). { R = MK(RESET, T.off, A); }
stmt(R) ::= ALTER(T) SYSTEM|SESSION SET cids(A) EQ system_value. { R = MK(ALTER_SYSTEM, T.off, A); }
stmt(R) ::= ALTER(T) SYSTEM|SESSION RESET cids(A). { R = MK(ALTER_SYSTEM, T.off, A); }
stmt(R) ::= ALTER(T) SYSTEM|SESSION RESET ALL. { R = MK(ALTER_SYSTEM, T.off); }
system_value ::= lit.
system_value ::= id.
system_value ::= ON.

/* ------------------------------------------------------------------ SHOW, DESCRIBE, EXPLAIN */

stmt(R) ::= SHOW(T) CATALOGS(O) like_opt_i(B). { R = sql_op(MK(SHOW, T.off, B), O.kind); if (B) { need_behind(p, 200, O.end, "LIKE after SHOW CATALOGS"); } }
stmt(R) ::= SHOW(T) CURRENT CATALOG|DATABASE(O). { R = sql_op(MK(SHOW, T.off), O.kind); }
stmt(R) ::= SHOW(T) DATABASES(O) from_opt(A) like_opt_i(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); if (A) { check_one_part(p, A); } }
stmt(R) ::= SHOW(T) TABLES|MODELS(O) from_opt(A) like_opt_p(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
stmt(R) ::= SHOW(T) VIEWS(O) from_opt(A) like_opt_p(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); if (A || B) { need_behind(p, 200, O.end, "FROM or LIKE after SHOW VIEWS"); } }
stmt(R) ::= SHOW(T) CONNECTIONS(O) from_opt(A) like_opt_p(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
stmt(R) ::= SHOW(T) show_mt(O) TABLES from_opt(A) like_opt_p(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
%type show_mt {struct sql_tok}
show_mt(R) ::= MATERIALIZED(T). { R = T; need(p, 202, T.off, "SHOW MATERIALIZED TABLES"); }
stmt(R) ::= SHOW(T) COLUMNS(O) FROM|IN cids(A) like_opt_p(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
stmt(R) ::= SHOW(T) FUNCTIONS(O) from_opt(A) like_opt_i(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
stmt(R) ::= SHOW(T) USER FUNCTIONS(O) from_opt(A) like_opt_i(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
stmt(R) ::= SHOW(T) PROCEDURES(O) from_opt(A) like_opt_i(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
stmt(R) ::= SHOW(T) MODULES(O). { R = sql_op(MK(SHOW, T.off), O.kind); }
stmt(R) ::= SHOW(T) FULL MODULES(O). { R = sql_op(MK(SHOW, T.off), O.kind); }
stmt(R) ::= SHOW(T) PARTITIONS(O) cids(A) partition_opt(B). { R = sql_op(MK(SHOW, T.off, A, B), O.kind); }
stmt(R) ::= SHOW(T) JARS|JOBS(O). { R = sql_op(MK(SHOW, T.off), O.kind); }
stmt(R) ::= SHOW(T) CREATE(O) TABLE|VIEW|MODEL cids(A). { R = sql_op(MK(SHOW, T.off, A), O.kind); }
stmt(R) ::= SHOW(T) CREATE(O) connection cids(A). { R = sql_op(MK(SHOW, T.off, A), O.kind); }
stmt(R) ::= SHOW(T) CREATE(O) CATALOG id(A). { R = sql_op(MK(SHOW, T.off, A), O.kind); }
stmt(R) ::= SHOW(T) CREATE(O) show_create_mt TABLE cids(A). { R = sql_op(MK(SHOW, T.off, A), O.kind); }
show_create_mt ::= MATERIALIZED(T). { need(p, 202, T.off, "SHOW CREATE MATERIALIZED TABLE"); }
stmt(R) ::= SHOW(T) CREATE(O) show_or ALTER MATERIALIZED TABLE cids(A). { R = sql_op(MK(SHOW, T.off, A), O.kind); }
show_or ::= OR(T). { need(p, 203, T.off, "SHOW CREATE OR ALTER"); }
from_opt(R) ::= . { R = NULL; }
from_opt(R) ::= FROM|IN cids(A). { R = A; }
like_opt_p(R) ::= . { R = NULL; }
like_opt_p(R) ::= LIKE qstr(A). { R = A; }
like_opt_p(R) ::= NOT_LIKE LIKE qstr(A). { R = A; }
like_opt_i(R) ::= . { R = NULL; }
like_opt_i(R) ::= LIKE|ILIKE qstr(A). { R = A; }
like_opt_i(R) ::= NOT_LIKE LIKE|ILIKE qstr(A). { R = A; }

%type describe {struct sql_tok}
describe(R) ::= DESCRIBE|DESC(T). { R = T; }
stmt(R) ::= describe(T) extended cids(A). { R = MK(DESCRIBE, T.off, A); }
stmt(R) ::= describe(T) CATALOG(O) extended id(A). { R = sql_op(MK(DESCRIBE, T.off, A), O.kind); }
stmt(R) ::= describe(T) DATABASE(O) extended cids(A). { R = sql_op(MK(DESCRIBE, T.off, A), O.kind); }
stmt(R) ::= describe(T) FUNCTION(O) extended cids(A). { R = sql_op(MK(DESCRIBE, T.off, A), O.kind); need(p, 200, O.off, "DESCRIBE FUNCTION"); }
stmt(R) ::= describe(T) MODEL(O) extended cids(A). { R = sql_op(MK(DESCRIBE, T.off, A), O.kind); }
stmt(R) ::= describe(T) CONNECTION(O) extended cids(A). { R = sql_op(MK(DESCRIBE, T.off, A), O.kind); need(p, 203, O.off, "DESCRIBE CONNECTION"); }
stmt(R) ::= describe(T) JOB(O) qstr(A). { R = sql_op(MK(DESCRIBE, T.off, A), O.kind); }
stmt(R) ::= describe(T) TABLE(O) cids(A). [ON] { R = sql_op(MK(DESCRIBE, T.off, A), O.kind); sql_check_desc_table(p, T); }
stmt(R) ::= describe(T) TABLE(O) cids(A) id(B). { R = sql_op(MK(DESCRIBE, T.off, A, B), O.kind); sql_check_desc_table(p, T); }
stmt(R) ::= describe(T) dml(A). { R = MK(DESCRIBE, T.off, A); sql_check_describe(p, T, A); }
stmt(R) ::= describe(T) STATEMENT dml(A). { R = MK(DESCRIBE, T.off, A); sql_check_describe(p, T, A); }
dml(A) ::= select_query(A).
dml(A) ::= insert(A).
dml(A) ::= update(A).
dml(A) ::= delete(A).
dml(A) ::= merge(A).
/* DESCRIBE TABLE t is a table; a query there starts with another word */
select_query(A) ::= query(A).
extended ::= .
extended ::= EXTENDED.

stmt(R) ::= EXPLAIN(T) explain_what explain_target(A). { R = MK(EXPLAIN, T.off, A); }
explain_what ::= .
explain_what ::= PLAN FOR.
explain_what ::= explain_details.
explain_details ::= explain_detail(T). { sql_explain_detail(p, T); }
explain_details ::= explain_details comma explain_detail(T). { sql_explain_detail(p, T); }
%type explain_detail {struct sql_tok}
explain_detail(R) ::= ESTIMATED_COST|CHANGELOG_MODE|JSON_EXECUTION_PLAN|PLAN_ADVICE(T). { R = T; }
explain_target(A) ::= query(A).
explain_target(A) ::= insert(A).
explain_target(A) ::= statement_set(A).
explain_target(R) ::= explain_execute(T) statement_set(A). { R = MK(EXECUTE, T.off, A); }
explain_target(R) ::= explain_execute(T) query(A). { R = MK(EXECUTE, T.off, A); }
explain_target(R) ::= explain_execute(T) insert(A). { R = MK(EXECUTE, T.off, A); }
%type explain_execute {struct sql_tok}
explain_execute(R) ::= EXECUTE(T). { R = T; need(p, 202, T.off, "EXPLAIN EXECUTE"); }
%type explain_create {struct sql_tok}
explain_create(R) ::= create(T). { R = T; need(p, 200, T.off, "EXPLAIN CREATE TABLE ... AS"); }
explain_create(R) ::= REPLACE(T) replaced(X). { R = T; R.word = (uint16_t)(X | SQL_OP_REPLACE); need(p, 200, T.off, "EXPLAIN REPLACE TABLE ... AS"); }
/* EXPLAIN asks nothing of the node inside, so there are no checks of the table */
explain_target(R) ::= explain_create(T) TABLE ifne cids(A) body_opt(B) comment_opt(C) dist_opt(D) part_opt(E) with_opt(G) as_query(H).
    { R = MK(CREATE_TABLE, T.off, A, B, C, D, E, G, H); R->op = T.word; }
%type replaced {int}
replaced(R) ::= . { R = 0; }
replaced(R) ::= TEMPORARY. { R = SQL_OP_TEMPORARY; }
/* ------------------------------------------------------------------ DML, sets, plans, jars, jobs */

stmt(A) ::= query(A).
stmt(A) ::= insert(A).
stmt(A) ::= update(A).
stmt(A) ::= delete(A).
stmt(A) ::= merge(A).
insert(R) ::= insert_word(T) insert_target(A) on_conflict(E).
    { R = sql_op(sql_adopt(p, MK(INSERT, T.off), A, E), T.word); sql_check_insert(p, R); }
/* the table, what may stand between it and the query, and the query, which may begin with a parenthesis too */
insert_target(R) ::= cid(A) hints_opt(H) query(D). { R = MK(EXPRS, A->off, A, H, D); }
insert_target(R) ::= cid(A) hints_opt(H) extension query(D). { R = MK(EXPRS, A->off, A, H, D); }
insert_target(R) ::= cid(A) hints_opt(H) insert_columns(C) query(D). { R = MK(EXPRS, A->off, A, H, C, D); }
insert_target(R) ::= cid(A) hints_opt(H) extension more_columns(C) query(D). { R = MK(EXPRS, A->off, A, H, C, D); }
insert_target(R) ::= cid(A) hints_opt(H) partition(B) query(D). { R = MK(EXPRS, A->off, A, H, B, D); }
insert_target(R) ::= cid(A) hints_opt(H) extension partition(B) query(D). { R = MK(EXPRS, A->off, A, H, B, D); }
insert_target(R) ::= cid(A) hints_opt(H) partition(B) more_columns(C) query(D). { R = MK(EXPRS, A->off, A, H, B, C, D); }
insert_target(R) ::= cid(A) hints_opt(H) extension partition(B) more_columns(C) query(D). { R = MK(EXPRS, A->off, A, H, B, C, D); }
%type insert_word {struct sql_tok}
insert_word(R) ::= INSERT(T) INTO. { R = T; R.word = 0; }
insert_word(R) ::= INSERT(T) OVERWRITE. { R = T; R.word = 1; }
insert_word(R) ::= UPSERT(T) INTO. { R = T; R.word = 2; }
insert_word(R) ::= UPSERT(T) OVERWRITE(O). { R = T; R.word = 2; check(p, SQL_CHECK_UPSERT_OVERWRITE, O.off, O.end); }
insert_columns(R) ::= LP(T) cid_list(A) RP. { R = sql_respan(p, A, T.off); sql_check_first_column(p, A->first); }
more_columns(R) ::= LP(T) cid_list(A) RP. { R = sql_respan(p, A, T.off); }
on_conflict(R) ::= . { R = NULL; }
on_conflict(R) ::= ON(T) CONFLICT DO ERROR|NOTHING|DEDUPLICATE(O). { R = sql_op(MK(ON_CONFLICT, T.off), O.kind); }
update(R) ::= UPDATE(T) cid(A) hints_opt(H) extend_opt dml_alias(B) SET update_assigns(C) where_opt(D). { R = sql_adopt(p, MK(UPDATE, T.off, A, H, B), C, D); }
dml_alias(R) ::= . { R = NULL; }
dml_alias(A) ::= alias(A).
update_assigns(R) ::= update_assign(A). { R = MK(EXPRS, A->off, A); }
update_assigns(R) ::= update_assigns(A) comma update_assign(B). { R = sql_add(p, A, B); }
update_assign(R) ::= id(A) EQ expr(B). { R = MK(ASSIGN, A->off, A, B); }
assigns(R) ::= assign(A). { R = MK(EXPRS, A->off, A); }
assigns(R) ::= assigns(A) comma assign(B). { R = sql_add(p, A, B); }
assign(R) ::= cids(A) EQ expr(B). { R = MK(ASSIGN, A->off, A, B); }
delete(R) ::= DELETE(T) FROM cid(A) hints_opt(H) extend_opt dml_alias(B) where_opt(D). { R = MK(DELETE, T.off, A, H, B, D); }
merge(R) ::= MERGE(T) INTO cid(A) hints_opt(H) extend_opt dml_alias(B) USING table(C) merge_on(D) merge_whens(E).
    { R = sql_adopt(p, MK(MERGE, T.off, A, H, B, C, D), E, NULL); }
merge_on(R) ::= ON(T) expr(A). { R = MK(ON, T.off, A); }
merge_whens(R) ::= when_matched(A). { R = MK(EXPRS, A->off, A); }
merge_whens(R) ::= when_not_matched(A). { R = MK(EXPRS, A->off, A); }
merge_whens(R) ::= when_matched(A) when_not_matched(B). { R = MK(EXPRS, A->off, A, B); }
when_matched(R) ::= WHEN(T) MATCHED THEN UPDATE SET assigns(A). { R = MK(MERGE_WHEN, T.off, A); }
when_not_matched(R) ::= WHEN(T) NOT MATCHED THEN INSERT merge_values(B). { R = MK(MERGE_WHEN, T.off, B); }
when_not_matched(R) ::= WHEN(T) NOT MATCHED THEN INSERT pids(A) merge_values(B). { R = MK(MERGE_WHEN, T.off, A, B); }
merge_values(R) ::= VALUES row_expr(A). { R = A; }
merge_values(R) ::= LP VALUES row_expr(A) RP. { R = A; }
stmt(R) ::= TRUNCATE(T) TABLE cids(A). { R = MK(TRUNCATE, T.off, A); }
stmt(R) ::= ANALYZE(T) TABLE cids(A) analyze_partition COMPUTE STATISTICS analyze_for. { R = MK(ANALYZE, T.off, A); }
analyze_partition ::= .
analyze_partition ::= PARTITION LP analyze_parts RP.
analyze_parts ::= analyze_part.
analyze_parts ::= analyze_parts comma analyze_part.
analyze_part ::= id.
analyze_part ::= id EQ lit.
analyze_for ::= .
analyze_for ::= FOR COLUMNS ids.
analyze_for ::= FOR ALL COLUMNS.
stmt(R) ::= CALL(T) cids(A) LP call_args(B) RP. { R = MK(CALL_PROCEDURE, T.off, MK(CALL, A->off, A, B)); }
stmt(R) ::= BEGIN(T) STATEMENT SET. { R = MK(BEGIN_SET, T.off); }
stmt(R) ::= END(T). { R = MK(END, T.off); }
statement_set(R) ::= STATEMENT(T) SET BEGIN set_inserts(A) END. { R = sql_respan(p, A, T.off); }
set_inserts(R) ::= insert(A) SEMI. { R = MK(STATEMENT_SET, A->off, A); }
set_inserts(R) ::= set_inserts(A) insert(B) SEMI. { R = sql_add(p, A, B); }
execute(R) ::= EXECUTE(T) statement_set(A). { R = MK(EXECUTE, T.off, A); }
execute(R) ::= EXECUTE(T) query(A). { R = MK(EXECUTE, T.off, A); }
execute(R) ::= EXECUTE(T) insert(A). { R = MK(EXECUTE, T.off, A); }
stmt(A) ::= execute(A).
stmt(R) ::= EXECUTE(T) PLAN strx(A). { R = MK(EXECUTE, T.off, A); }
stmt(R) ::= COMPILE(T) PLAN strx(A) ifne(F) FOR compile_target(B). { R = sql_op(MK(COMPILE, T.off, A, B), F); }
stmt(R) ::= COMPILE(T) AND EXECUTE PLAN strx(A) FOR compile_target(B). { R = MK(COMPILE, T.off, A, B); }
compile_target(A) ::= insert(A).
compile_target(A) ::= statement_set(A).
stmt(R) ::= ADD(T) JAR qstr(A). { R = sql_op(MK(JAR, T.off, A), T.kind); }
stmt(R) ::= REMOVE(T) JAR qstr(A). { R = sql_op(MK(JAR, T.off, A), T.kind); }
stmt(R) ::= STOP(T) JOB qstr(A). { R = MK(STOP_JOB, T.off, A); }
stmt(R) ::= STOP(T) JOB qstr(A) WITH SAVEPOINT. { R = MK(STOP_JOB, T.off, A); }
stmt(R) ::= STOP(T) JOB qstr(A) WITH SAVEPOINT WITH DRAIN. { R = MK(STOP_JOB, T.off, A); }
stmt(R) ::= STOP(T) JOB qstr(A) WITH(W) DRAIN. { R = MK(STOP_JOB, T.off, A); check(p, SQL_CHECK_DRAIN, W.off, p->end); }

%code {
#include "sqlparse/engine.h"
}
