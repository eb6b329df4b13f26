/* SPDX-License-Identifier: Apache-2.0
 * The rows of one result, written to a stream in one of seven forms as they come. The writer knows columns by
 * name and type text ("DECIMAL(38, 2) NOT NULL") and cells as plain text or NULL; it knows nothing of the
 * wire. One writer belongs to one thread. The process must ignore SIGPIPE: a reader that has gone is told by
 * `false`, quietly. */
#ifndef SLUICE_CLI_ROWS_H
#define SLUICE_CLI_ROWS_H

#include <stdio.h>

#include "base/err.h"

enum cli_format {
    CLI_TABLE,    /* for people: aligned columns, "(3 rows)" at the end */
    CLI_CSV,      /* RFC 4180 with LF; NULL is an empty field, an empty text is "" */
    CLI_TSV,      /* \t \n \r \\ escaped; NULL is \N */
    CLI_JSON,     /* one array of objects */
    CLI_JSONL,    /* one object a line, {"op":"+I",...} */
    CLI_MARKDOWN, /* a pipe table */
    CLI_VERTICAL, /* one line a cell, as psql's \x */
    CLI_FORMAT_MAX_
};
enum cli_changelog {
    CLI_CHANGELOG_AUTO, /* the kind column only when a row that is no insert can come */
    CLI_CHANGELOG_ON,
    CLI_CHANGELOG_OFF
};

/* "table", "csv" ... ; error: SL_USAGE with the list. */
SL_MUST_CHECK bool cli_format_parse(const char *name, enum cli_format *ret, struct sl_err *err);
const char *cli_format_name(enum cli_format f);
SL_MUST_CHECK bool cli_changelog_parse(const char *name, enum cli_changelog *ret, struct sl_err *err);

struct cli_rows_options {
    enum cli_format format;
    bool no_header;
    const char *null_text; /* --null; NULL: the form's own (JSON forms always write null) */
    enum cli_changelog changelog;
    bool terminal; /* table form: long values are cut to `width`, others never */
    int width;     /* columns of the terminal; 0: not known, nothing is cut */
};
/* Table on a terminal, csv otherwise; `terminal` and `width` as the stream is. */
void cli_rows_defaults(struct cli_rows_options *o, FILE *out);

enum cli_rows_ending {
    CLI_ROWS_COMPLETE, /* every row came */
    CLI_ROWS_PARTIAL,  /* the rows ended before the result did */
    CLI_ROWS_STOPPED   /* the person ended it */
};

struct cli_rows;
struct cli_rows *cli_rows_new(FILE *out, const struct cli_rows_options *o);
/* Once, before the first row; names and types are copied. insert_only: no row but +I can come. */
bool cli_rows_columns(struct cli_rows *r, const sl_str *names, const sl_str *types, size_t n,
                      bool insert_only);
/* kind: "+I" "-U" "+U" "-D". `cells[i]` is not looked at where nulls[i]; nulls may be NULL (none is). False
 * when the stream's reader has gone: nothing is written any more. */
bool cli_rows_row(struct cli_rows *r, const char *kind, const sl_str *cells, const bool *nulls);
/* No more rows are at hand now: what is held back (table form: the first rows, whose widths make the columns)
 * is printed and the stream flushed. */
bool cli_rows_flush(struct cli_rows *r);
/* The last call but free. `note` goes into the table's last line, "(2 rows, note)"; NULL: the form's own
 * words (COMPLETE "(2 rows)", PARTIAL "(2 rows, not all)", STOPPED no line). Says whether everything was
 * written. */
bool cli_rows_end(struct cli_rows *r, enum cli_rows_ending ending, const char *note);
uint64_t cli_rows_count(const struct cli_rows *r);
bool cli_rows_gone(const struct cli_rows *r); /* the reader has gone (EPIPE) or the disk is full */
void cli_rows_free(struct cli_rows *r);       /* NULL is fine */

#endif
