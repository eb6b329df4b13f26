/* SPDX-License-Identifier: Apache-2.0
 * What the grammar's actions use: the parser's state, node making, version and context checks. Private to
 * sqlparse. The first complaint of a statement is kept; the driver (parse.c) turns it into a diagnostic. */
#ifndef SLUICE_SQLPARSE_ACTIONS_H
#define SLUICE_SQLPARSE_ACTIONS_H

#include "sqlparse/ast.h"
#include "sqlparse/token.h"

/* A token as the grammar sees it. `word` is free for flags in actions. */
struct sql_tok {
    uint32_t off, end;
    uint16_t kind, word;
};

enum sql_check_id {
    SQL_CHECK_NONE = 0,
#define SQL_CHECK(NAME, code, msg, hint, flink) SQL_CHECK_##NAME,
#include "sqlparse/checks.def"
#undef SQL_CHECK
    SQL_CHECK_MAX_
};

struct sql_check_info {
    enum sl_code code;
    const char *name, *msg, *hint, *flink;
};
extern const struct sql_check_info sql_checks[SQL_CHECK_MAX_];

enum sql_complaint { SQL_FINE, SQL_COMPLAINT_CHECK, SQL_COMPLAINT_NEED, SQL_COMPLAINT_DEPTH };

struct sql_parse {
    struct sl_arena *arena;
    sl_str text;
    sql_version version;
    uint32_t end;  /* of the last token shifted: where every node made now ends */
    uint32_t next; /* offset of the token being looked at */
    struct sql_node *root;
    bool syntax_error;
    struct sql_node *slab; /* nodes are handed out from here */
    unsigned slab_left;
    /* rows with DEFAULT not yet seen to be rows of VALUES; the first one's place */
    unsigned defaults;
    uint32_t default_off;
    bool flat;              /* has a BETWEEN or an ESCAPE: sql_check_flat has to look */
    uint32_t between_twice; /* 1 + place of a BETWEEN that came before the AND of another one; 0: none */
    /* CURSOR( ) not yet seen to be an argument of a table function; the first one's place */
    unsigned cursors;
    uint32_t cursor_off;
    unsigned explain_details; /* bits */
    /* the first complaint */
    enum sql_complaint complaint;
    enum sql_check_id check;
    uint32_t at, at_end;
    sql_version need;
    const char *what;
    uint8_t *names; /* one bit per byte of the text: an identifier begins there; NULL: nobody asks */
};

/* ---- making nodes */
#define MK(KIND, START, ...)                                                                                 \
    sql_mk(p, SQL_N_##KIND, (START), (struct sql_node *[]){NULL __VA_OPT__(, ) __VA_ARGS__},                 \
           sizeof((struct sql_node *[]){NULL __VA_OPT__(, ) __VA_ARGS__}) / sizeof(void *))
struct sql_node *sql_mk(struct sql_parse *p, enum sql_node_kind kind, uint32_t off, struct sql_node **kids,
                        size_t n);
/* No more nodes: what is left of the memory for them is given back. */
void sql_nodes_end(struct sql_parse *p);
/* Appends (NULL: nothing) and stretches the parent to the end of the text read so far. */
struct sql_node *sql_add(struct sql_parse *p, struct sql_node *parent, struct sql_node *child);
/* Moves the children of `list` to the parent, then appends `more` itself; both may be NULL. */
struct sql_node *sql_adopt(struct sql_parse *p, struct sql_node *parent, struct sql_node *list,
                           struct sql_node *more);
/* The node stands alone: nothing will be added to it. */
struct sql_node *sql_root(struct sql_node *n);
struct sql_node *sql_respan(struct sql_parse *p, struct sql_node *n, uint32_t off);
static inline struct sql_node *sql_op(struct sql_node *n, unsigned op)
{
    n->op = (uint16_t)op;
    return n;
}
struct sql_node *sql_child(const struct sql_node *n, enum sql_node_kind kind);

struct sql_node *sql_ident(struct sql_parse *p, struct sql_tok t);
/* A name of one part, made when more has been read already. */
struct sql_node *sql_name(struct sql_parse *p, struct sql_node *ident);
struct sql_node *sql_literal(struct sql_parse *p, struct sql_tok t);
struct sql_node *sql_integer(struct sql_parse *p, struct sql_tok t);
struct sql_node *sql_string(struct sql_parse *p, struct sql_tok t);
struct sql_node *sql_string_more(struct sql_parse *p, struct sql_node *s, struct sql_tok t);
struct sql_node *sql_string_done(struct sql_parse *p, struct sql_node *s);
struct sql_node *sql_uescape(struct sql_parse *p, struct sql_node *s, struct sql_tok t);
struct sql_node *sql_typed(struct sql_parse *p, struct sql_tok t, struct sql_node *value);
struct sql_node *sql_binary(struct sql_parse *p, struct sql_node *a, struct sql_tok op, struct sql_node *b);
struct sql_node *sql_unary(struct sql_parse *p, struct sql_tok op, struct sql_node *a);
/* op.word: SQL_OP_NEGATED or 0. */
struct sql_node *sql_like(struct sql_parse *p, struct sql_node *a, struct sql_tok op, struct sql_node *b,
                          struct sql_node *escape);
struct sql_node *sql_row(struct sql_parse *p, struct sql_node *items, uint32_t off, bool word);
struct sql_node *sql_values_row(struct sql_parse *p, struct sql_node *e);
struct sql_node *sql_cursor(struct sql_parse *p, struct sql_node *query, struct sql_tok t);
/* Arguments of a table function: here CURSOR( ) is allowed, alone or in parentheses. */
void sql_take_cursors(struct sql_parse *p, const struct sql_node *args);
struct sql_node *sql_datetime_minus(struct sql_parse *p, struct sql_node *items, uint32_t off,
                                    struct sql_node *unit);
struct sql_node *sql_set_op(struct sql_parse *p, struct sql_node *a, struct sql_tok op, struct sql_tok quant,
                            struct sql_node *b);
struct sql_node *sql_join(struct sql_parse *p, struct sql_node *a, struct sql_tok op, unsigned natural,
                          struct sql_node *b, struct sql_node *cond);
struct sql_node *sql_alias(struct sql_parse *p, struct sql_node *table, struct sql_node *alias);
struct sql_node *sql_partitioned(struct sql_parse *p, struct sql_node *name, struct sql_node *e,
                                 struct sql_node *columns, struct sql_node *order);
struct sql_node *sql_collection(struct sql_parse *p, struct sql_node *element, struct sql_tok t);
struct sql_node *sql_nullity(struct sql_parse *p, struct sql_node *type, int nullity);
struct sql_node *sql_column(struct sql_parse *p, struct sql_node *columns, struct sql_node *column);
struct sql_node *sql_drop(struct sql_parse *p, struct sql_tok t, int flags, struct sql_tok object,
                          int if_exists, struct sql_node *name);

/* ---- complaints: the first is kept */
void check(struct sql_parse *p, enum sql_check_id id, uint32_t off, uint32_t end);
/* The construct exists from `since` on. */
void need(struct sql_parse *p, sql_version since, uint32_t off, const char *what);
/* The same, told at the first token behind `off`: where an older Flink stops. */
void need_behind(struct sql_parse *p, sql_version since, uint32_t off, const char *what);
void sql_parse_too_deep(struct sql_parse *p);

void check_non_query(struct sql_parse *p, const struct sql_node *e);
void check_non_query_list(struct sql_parse *p, const struct sql_node *list);
void check_non_query_first(struct sql_parse *p, const struct sql_node *list);
void check_ordered_paren(struct sql_parse *p, const struct sql_node *sub);
void sql_check_escape(struct sql_parse *p, const struct sql_node *escape);
/* The whole tree: does Flink come through with what stands around BETWEEN, LIKE and ESCAPE (flat.c)? */
void sql_check_flat(struct sql_parse *p);
void sql_check_row_query(struct sql_parse *p, const struct sql_node *sub);
void sql_check_ends_row_query(struct sql_parse *p, const struct sql_node *clause,
                              const struct sql_node *tail);
void sql_check_list(struct sql_parse *p, struct sql_tok word, const struct sql_node *list);
void sql_check_leaf_query(struct sql_parse *p, const struct sql_node *sub, const struct sql_node *around);
void sql_check_call(struct sql_parse *p, const struct sql_node *name, const struct sql_node *args);
void sql_check_ran(struct sql_parse *p, struct sql_tok word, const struct sql_node *what);
void sql_check_first_column(struct sql_parse *p, const struct sql_node *name);
void sql_check_decimal(struct sql_parse *p, const struct sql_node *n, const struct sql_node *value);
void check_not_join(struct sql_parse *p, const struct sql_node *table);
void check_simple_name(struct sql_parse *p, const struct sql_node *name);
void check_one_part(struct sql_parse *p, const struct sql_node *name);
void sql_check_interval(struct sql_parse *p, const struct sql_node *unit);
void sql_check_atomic(struct sql_parse *p, const struct sql_node *e);
void sql_check_method(struct sql_parse *p, const struct sql_node *of, struct sql_tok lp);
void sql_check_over(struct sql_parse *p, const struct sql_node *call, uint32_t off);
void sql_check_jdbc_type(struct sql_parse *p, const struct sql_node *name);
void sql_check_query_arg(struct sql_parse *p, const struct sql_node *query);
void sql_check_comment(struct sql_parse *p, const struct sql_node *s);
void sql_check_bang(struct sql_parse *p, struct sql_tok op);
void sql_check_value(struct sql_parse *p, struct sql_tok word);
void sql_check_angle(struct sql_parse *p, struct sql_tok op);
void sql_check_jdbc(struct sql_parse *p, struct sql_tok t, const struct sql_node *value);
void sql_check_sample(struct sql_parse *p, const struct sql_node *number);
/* numbers: one, a list of them, or NULL. */
void sql_check_reluctant(struct sql_parse *p, const struct sql_node *numbers);
void sql_check_buckets(struct sql_parse *p, const struct sql_node *number);
void sql_check_columns(struct sql_parse *p, const struct sql_node *columns);
void sql_check_create_table(struct sql_parse *p, const struct sql_node *n);
void sql_check_like_option(struct sql_parse *p, struct sql_tok how, struct sql_tok what);
void sql_check_mt_columns(struct sql_parse *p, const struct sql_node *columns);
void sql_check_mt_change(struct sql_parse *p, uint32_t off, bool distribution);
void sql_check_freshness(struct sql_parse *p, const struct sql_node *e);
void sql_check_unit_alias(struct sql_parse *p, const struct sql_node *e, const struct sql_node *alias);
void sql_check_start(struct sql_parse *p, struct sql_tok word, const struct sql_node *value);
void sql_check_first_name(struct sql_parse *p, const struct sql_node *column);
void sql_check_row(struct sql_parse *p, const struct sql_node *row);
void sql_check_jdbc_call(struct sql_parse *p, struct sql_tok brace, const struct sql_node *call);
void sql_check_named_match(struct sql_parse *p, const struct sql_node *table, const struct sql_node *match);
void sql_check_convert(struct sql_parse *p, const struct sql_node *values);
void sql_check_convert_names(struct sql_parse *p, const struct sql_node *what, const struct sql_node *names);
void sql_check_mt_head(struct sql_parse *p, struct sql_tok create, struct sql_tok word);
void sql_check_materialized(struct sql_parse *p, const struct sql_node *n);
void sql_check_table_call(struct sql_parse *p, struct sql_tok lp);
void sql_check_first_extended(struct sql_parse *p, struct sql_tok lp);
void sql_check_first_call(struct sql_parse *p, const struct sql_node *first, struct sql_tok word);
void sql_check_set_order(struct sql_parse *p, const struct sql_node *item);
void sql_check_trunc_unit(struct sql_parse *p, const struct sql_node *unit);
/* Behind `FROM name (`, where Flink reads a list of columns, a name and then its type: the first token that is
 * no name and no point. `off`: behind the parenthesis. */
struct sql_token sql_no_column(sl_str text, sql_version version, uint32_t off);
void sql_check_unit(struct sql_parse *p, const struct sql_node *unit, bool timestamp);
/* Is the word (an enum sql_word) a unit of EXTRACT, or of TIMESTAMPADD and its like, also before Flink 2.0? The
 * reserved ones are not among them. */
bool sql_is_old_unit(unsigned word, bool timestamp);
void sql_check_function(struct sql_parse *p, struct sql_tok language, const struct sql_node *resources,
                        const struct sql_node *options);
void sql_check_model(struct sql_parse *p, const struct sql_node *n, const struct sql_node *in,
                     const struct sql_node *out, const struct sql_node *options,
                     const struct sql_node *query);
void sql_check_connection(struct sql_parse *p, const struct sql_node *n, const struct sql_node *options);
void sql_check_insert(struct sql_parse *p, const struct sql_node *n);
void sql_check_limit(struct sql_parse *p, const struct sql_node *count);
void sql_check_desc_table(struct sql_parse *p, struct sql_tok word);
void sql_check_describe(struct sql_parse *p, struct sql_tok word, const struct sql_node *dml);
void sql_explain_detail(struct sql_parse *p, struct sql_tok word);

#define SQL_FEED_DEPTH 512 /* deeper than statements may nest; beyond it nothing is counted */
/* ---- the token source (parse.c) and the engine (grammar.c) */
struct sql_feed {
    struct sql_lexer lx;
    struct sql_token ring[4];
    unsigned head, filled;
    int prev, before;     /* kinds of the last token handed out and of the one in front of it */
    uint8_t interval;     /* behind INTERVAL and its sign 1, behind the name there 2 */
    uint16_t frame_depth; /* the same for ROWS BETWEEN that waits for its AND */
    bool update;          /* UPDATE has come */
    uint8_t assign;       /* behind its SET 1, where the left side of an = may stand 2 */
    uint16_t assign_depth;
    uint16_t pivot_depth;  /* 1 + depth inside the parentheses of PIVOT; 0: none */
    bool pivot_values;     /* its IN has come */
    uint16_t window_depth; /* 1 + depth of a WINDOW clause whose list may go on; 0: none */
    struct sql_token last; /* that token, as lexed */
    /* BETWEENs still waiting for their AND, per open parenthesis or CASE */
    uint16_t depth;
    uint8_t between[SQL_FEED_DEPTH];
};
void sql_feed_init(struct sql_feed *f, sl_str text, sql_version version);
/* The next token, with its kind decided by context. */
int sql_feed_next(struct sql_feed *f, struct sql_parse *p, struct sql_tok *t);

/* Runs the grammar over the feed until its end, a syntax error or a complaint that cannot be passed; stops
 * before token number `limit` (from 0) and then fills `want` (SQL_WANT_CODES entries; may be NULL) with the
 * terminals that could come. Returns the number of tokens taken in. */
size_t sql_engine_run(struct sql_parse *p, struct sql_feed *f, size_t limit, bool *want);

#endif
