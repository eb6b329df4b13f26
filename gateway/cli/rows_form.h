/* SPDX-License-Identifier: Apache-2.0
 * Inside of the rows writer: what its forms (rows_*.c) share. The kind, where it is shown, is column 0 like
 * any other. Not for callers. */
#ifndef SLUICE_CLI_ROWS_FORM_H
#define SLUICE_CLI_ROWS_FORM_H

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/cli/rows.h"

enum rows_class {
    ROWS_TEXT,
    ROWS_NUMBER, /* right-aligned; a string in JSON: BIGINT, DECIMAL */
    ROWS_SMALL,  /* right-aligned; a number in JSON: TINYINT SMALLINT INT FLOAT DOUBLE */
    ROWS_BOOL
};

struct rows_column {
    sl_str name;
    enum rows_class cls;
    uint16_t fixed; /* the width every value of its type has or may have; 0: open */
    sl_str key;     /* name made unique, for JSON objects */
};

struct cli_rows {
    struct sl_arena arena; /* columns and the form's state */
    FILE *out;
    struct cli_rows_options o;
    const struct rows_form *form;
    void *state;
    struct rows_column *cols;
    size_t n;
    bool kinds; /* column 0 is the kind */
    bool has_columns, ended, gone;
    uint64_t count;
    sl_str *cells; /* one row with the kind in front */
    bool *nulls;
    struct sl_buf buf; /* what goes to the stream next */
};

struct rows_form {
    void (*columns)(struct cli_rows *r);
    void (*row)(struct cli_rows *r, const sl_str *cells, const bool *nulls);
    void (*flush)(struct cli_rows *r, bool last);                                   /* may be NULL */
    void (*end)(struct cli_rows *r, enum cli_rows_ending ending, const char *note); /* may be NULL */
};

extern const struct rows_form rows_form_table, rows_form_csv, rows_form_tsv, rows_form_json, rows_form_jsonl,
    rows_form_markdown, rows_form_vertical;

/* What stands for NULL: --null or the form's own. */
sl_str rows_null(const struct cli_rows *r, const char *own);
/* Writes out r->buf; after a failure everything is dropped. */
void rows_write(struct cli_rows *r);
/* "(3 rows)" and its relatives; nothing when the ending has no line. */
void rows_footer(struct cli_rows *r, enum cli_rows_ending ending, const char *note);

#endif
