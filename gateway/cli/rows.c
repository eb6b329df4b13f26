/* SPDX-License-Identifier: Apache-2.0
 * The rows writer: options, columns with the kind in front, and the way to the stream. The forms are in
 * rows_*.c. */
#include "gateway/cli/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/cli/rows_form.h"
#include "gateway/cli/table.h"

static const struct {
    const char *name;
    const struct rows_form *form;
} forms[CLI_FORMAT_MAX_] = {
    [CLI_TABLE] = {"table", &rows_form_table},
    [CLI_CSV] = {"csv", &rows_form_csv},
    [CLI_TSV] = {"tsv", &rows_form_tsv},
    [CLI_JSON] = {"json", &rows_form_json},
    [CLI_JSONL] = {"jsonl", &rows_form_jsonl},
    [CLI_MARKDOWN] = {"markdown", &rows_form_markdown},
    [CLI_VERTICAL] = {"vertical", &rows_form_vertical},
};

bool cli_format_parse(const char *name, enum cli_format *ret, struct sl_err *err)
{
    for (int i = 0; i < CLI_FORMAT_MAX_; i++) {
        if (sl_str_ieqz(sl_str_of(name), forms[i].name)) {
            *ret = (enum cli_format)i;
            return true;
        }
    }
    sl_fail(err, SL_USAGE, "there is no output form '%s'", name);
    return sl_hint(err, "table, csv, tsv, json, jsonl, markdown or vertical");
}

const char *cli_format_name(enum cli_format f)
{
    SL_BUG_ON((unsigned)f >= CLI_FORMAT_MAX_);
    return forms[f].name;
}

bool cli_changelog_parse(const char *name, enum cli_changelog *ret, struct sl_err *err)
{
    static const char *const names[] = {"auto", "on", "off"};
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        if (sl_str_ieqz(sl_str_of(name), names[i])) {
            *ret = (enum cli_changelog)i;
            return true;
        }
    }
    sl_fail(err, SL_USAGE, "--changelog cannot be '%s'", name);
    return sl_hint(err, "--changelog auto, on or off");
}

void cli_rows_defaults(struct cli_rows_options *o, FILE *out)
{
    *o = (struct cli_rows_options){.terminal = isatty(fileno(out)) == 1};
    o->format = o->terminal ? CLI_TABLE : CLI_CSV;
    o->width = cli_terminal_width(out);
}

struct cli_rows *cli_rows_new(FILE *out, const struct cli_rows_options *o)
{
    SL_BUG_ON((unsigned)o->format >= CLI_FORMAT_MAX_);
    struct sl_arena arena = {0};
    struct cli_rows *r = sl_new(&arena, struct cli_rows);
    r->out = out;
    r->o = *o;
    if (o->null_text) {
        r->o.null_text = sl_arena_strdupz(&arena, sl_str_of(o->null_text));
    }
    r->form = forms[o->format].form;
    sl_buf_init(&r->buf, 0);
    r->arena = arena;
    return r;
}

/* What a type text says about its values: the class, and the width they have at most when that is short. */
static void read_type(sl_str type, struct rows_column *c)
{
    static const struct {
        const char *root;
        enum rows_class cls;
        uint16_t fixed;
    } known[] = {
        {"TINYINT", ROWS_SMALL, 0},   {"SMALLINT", ROWS_SMALL, 0},      {"INT", ROWS_SMALL, 0},
        {"INTEGER", ROWS_SMALL, 0},   {"FLOAT", ROWS_SMALL, 0},         {"DOUBLE", ROWS_SMALL, 0},
        {"BIGINT", ROWS_NUMBER, 0},   {"DECIMAL", ROWS_NUMBER, 0},      {"NUMERIC", ROWS_NUMBER, 0},
        {"BOOLEAN", ROWS_BOOL, 5},    {"DATE", ROWS_TEXT, 10},          {"TIME", ROWS_TEXT, 8},
        {"TIMESTAMP", ROWS_TEXT, 19}, {"TIMESTAMP_LTZ", ROWS_TEXT, 19},
    };
    size_t n = 0;
    while (n < type.n && type.p[n] != '(' && type.p[n] != ' ' && type.p[n] != '<') {
        n++;
    }
    sl_str root = {type.p, n};
    for (size_t i = 0; i < SL_ARRAY_LEN(known); i++) {
        if (!sl_str_ieqz(root, known[i].root)) {
            continue;
        }
        c->cls = known[i].cls;
        c->fixed = known[i].fixed;
        /* TIME(p) and TIMESTAMP(p) have p digits of a second behind a point. */
        if (root.n >= 4 && sl_str_ieq(sl_str_sub(root, 0, 4), SL_STR("TIME")) && n + 1 < type.n &&
            type.p[n] == '(' && type.p[n + 1] > '0' && type.p[n + 1] <= '9') {
            c->fixed = (uint16_t)(c->fixed + 1 + type.p[n + 1] - '0');
        }
        return;
    }
}

/* A column's name may be there twice; the keys of an object may not. */
static void unique_key(struct cli_rows *r, size_t at)
{
    sl_str name = r->cols[at].name, key = name;
    for (unsigned k = 2;; k++) {
        bool taken = false;
        for (size_t i = 0; i < at && !taken; i++) {
            taken = sl_str_eq(r->cols[i].key, key);
        }
        if (!taken) {
            break;
        }
        key = sl_arena_printf(&r->arena, "%.*s_%u", SL_S(name), k);
    }
    r->cols[at].key = key;
}

bool cli_rows_columns(struct cli_rows *r, const sl_str *names, const sl_str *types, size_t n,
                      bool insert_only)
{
    SL_BUG_ON(r->has_columns);
    r->has_columns = true;
    r->kinds = r->o.changelog == CLI_CHANGELOG_ON || (r->o.changelog == CLI_CHANGELOG_AUTO && !insert_only);
    r->n = n + r->kinds;
    r->cols = sl_new_n(&r->arena, struct rows_column, r->n + 1);
    r->cells = sl_new_n(&r->arena, sl_str, r->n + 1);
    r->nulls = sl_new_n(&r->arena, bool, r->n + 1);
    if (r->kinds) {
        r->cols[0] = (struct rows_column){.name = SL_STR("op"), .fixed = 2, .key = SL_STR("op")};
    }
    for (size_t i = 0; i < n; i++) {
        struct rows_column *c = &r->cols[i + r->kinds];
        c->name = sl_str_dup(&r->arena, names[i]);
        read_type(types[i], c);
        unique_key(r, i + r->kinds);
    }
    r->form->columns(r);
    rows_write(r);
    return !r->gone;
}

bool cli_rows_row(struct cli_rows *r, const char *kind, const sl_str *cells, const bool *nulls)
{
    SL_BUG_ON(!r->has_columns || r->ended);
    if (r->gone) {
        return false;
    }
    if (r->kinds) {
        r->cells[0] = sl_str_of(kind);
    }
    for (size_t i = r->kinds; i < r->n; i++) {
        r->nulls[i] = nulls && nulls[i - r->kinds];
        r->cells[i] = r->nulls[i] ? SL_STR_NONE : cells[i - r->kinds];
    }
    r->form->row(r, r->cells, r->nulls);
    r->count++;
    rows_write(r);
    return !r->gone;
}

bool cli_rows_flush(struct cli_rows *r)
{
    if (r->gone || !r->has_columns) {
        return !r->gone;
    }
    if (r->form->flush) {
        r->form->flush(r, false);
        rows_write(r);
    }
    if (!r->gone && fflush(r->out) != 0) {
        r->gone = true;
    }
    return !r->gone;
}

bool cli_rows_end(struct cli_rows *r, enum cli_rows_ending ending, const char *note)
{
    SL_BUG_ON(r->ended);
    r->ended = true;
    if (r->has_columns && !r->gone) {
        if (r->form->flush) {
            r->form->flush(r, ending == CLI_ROWS_COMPLETE);
        }
        if (r->form->end) {
            r->form->end(r, ending, note);
        }
        rows_write(r);
    }
    if (!r->gone && fflush(r->out) != 0) {
        r->gone = true;
    }
    return !r->gone;
}

uint64_t cli_rows_count(const struct cli_rows *r)
{
    return r->count;
}

bool cli_rows_gone(const struct cli_rows *r)
{
    return r->gone;
}

void cli_rows_free(struct cli_rows *r)
{
    if (r) {
        sl_buf_release(&r->buf);
        struct sl_arena arena = r->arena; /* r lives in it */
        sl_arena_release(&arena);
    }
}

sl_str rows_null(const struct cli_rows *r, const char *own)
{
    return sl_str_of(r->o.null_text ? r->o.null_text : own);
}

void rows_write(struct cli_rows *r)
{
    if (!r->gone && r->buf.n > 0 && fwrite(r->buf.p, 1, r->buf.n, r->out) != r->buf.n) {
        r->gone = true;
    }
    sl_buf_clear(&r->buf);
}

void rows_footer(struct cli_rows *r, enum cli_rows_ending ending, const char *note)
{
    if (!note && ending == CLI_ROWS_STOPPED) {
        return;
    }
    if (!note && ending == CLI_ROWS_PARTIAL) {
        note = "not all";
    }
    sl_buf_printf(&r->buf, "(%" PRIu64 " row%s%s%s)\n", r->count, r->count == 1 ? "" : "s", note ? ", " : "",
                  note ? note : "");
}
