/* SPDX-License-Identifier: Apache-2.0
 * Cutting a text into statements in one pass over the lexer, private to sqlparse. A piece is what stands
 * between two ';' tokens; a statement set with all its INSERTs is one piece. Nothing is refused here: a piece
 * carries what the lexer and the limits found wrong with it. One thread per splitter. */
#ifndef SLUICE_SQLPARSE_SPLIT_H
#define SLUICE_SQLPARSE_SPLIT_H

#include "sqlparse/token.h"

#define SQL_HEAD_TOKENS 24
/* The first tokens of a statement: enough to know what it is and what it is about. */
struct sql_head {
    const char *text; /* token offsets count from here */
    size_t n;
    struct sql_token t[SQL_HEAD_TOKENS];
    bool as; /* AS outside parentheses: CREATE TABLE ... AS */
};

/* Where a variable stands, from the tokens around it. */
enum sql_hole_place {
    SQL_HOLE_VALUE,  /* a number stays one, everything else is a string */
    SQL_HOLE_STRING, /* behind 'key' = : always a string */
    SQL_HOLE_NAME,   /* behind FROM and BY: an identifier, unless it is a number */
    SQL_HOLE_PART,   /* a part of a dotted name, or behind a word that names follow: an identifier */
};
/* A token that holds a variable, or is one. */
struct sql_hole {
    uint32_t off, len;
    uint16_t kind;             /* TK_... */
    uint8_t place;             /* enum sql_hole_place */
    bool glued;                /* a name, number or literal touches it */
    uint32_t key_off, key_len; /* the string before '=' in front of it; len 0: none */
};

struct sql_inner {
    uint32_t off, end, first_len; /* length of the first token */
    bool terminated;
};

struct sql_piece {
    uint32_t off, end; /* first token to the end of the last, without the ';' */
    bool terminated;
    struct sql_head head;
    SL_VEC(struct sql_hole) holes;
    SL_VEC(struct sql_inner) inner;
    struct sql_token fault;  /* the first lexical fault; fault.fault == SQL_LEX_OK: none */
    bool forced;             /* the lexer alone would not see that fault: the string does close, far away */
    struct sql_token deep;   /* the token that passes SL_LIMIT_NESTING; len 0: none */
    struct sql_token chain;  /* the operator that passes SL_LIMIT_CHAIN_TERMS; len 0: none */
    struct sql_token opener; /* the SET or BEGIN that opens a statement set; len 0: no set */
    bool set_closed;         /* its END was there */
    /* SET k = v and RESET k as Flink's client commands read them, unquoted */
    bool command;
    sl_str key, value;
    bool value_cut; /* Flink takes less than what was written: SET k = 'it''s' */
};

struct sql_splitter {
    struct sl_arena *arena;
    sl_str text;
    struct sql_lexer lx;
};
void sql_splitter_init(struct sql_splitter *sp, struct sl_arena *a, sl_str text, sql_version version,
                       bool variables);
/* false at the end of the text. Empty statements are passed over. */
bool sql_splitter_next(struct sql_splitter *sp, struct sql_piece *ret);

/* What a statement is (kind.c). */
enum sql_kind sql_head_kind(const struct sql_head *h);
/* Fills object and temporary of st from the head. */
void sql_head_object(const struct sql_head *h, enum sql_kind kind, struct sl_arena *a, struct sql_stmt *st);
/* Reads the head of one statement. */
void sql_head_read(struct sql_head *h, sl_str text, sql_version version, bool variables);

#endif
