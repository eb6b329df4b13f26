/* SPDX-License-Identifier: Apache-2.0
 * Lineage of a script from the movements of its statements. */
#include "catalog/lineage.h"

#include <stdlib.h>

#include "base/json.h"
#include "catalog/flow.h"

static const struct {
    unsigned bit;
    const char *name;
} hows[] = {{CAT_HOW_IDENTITY, "identity"},
            {CAT_HOW_TRANSFORMATION, "transformation"},
            {CAT_HOW_AGGREGATION, "aggregation"},
            {CAT_HOW_CONDITION, "condition"},
            {CAT_HOW_WINDOW, "window"},
            {CAT_HOW_JOIN, "join"},
            {CAT_HOW_FILTER, "filter"},
            {CAT_HOW_GROUP, "group"},
            {CAT_HOW_SORT, "sort"}};

struct edge {
    const struct cat_object *from, *to;
    const struct cat_movement *m;
};
struct lineage {
    struct sl_arena *a;
    const struct sql_script *s;
    struct cat_flow *flow;
    SL_VEC(const struct cat_movement *) movements;
    SL_VEC(const struct cat_object *) objects; /* every version that is named anywhere */
};

static void keep_movement(void *ctx, const struct cat_movement *m)
{
    struct lineage *l = ctx;
    struct cat_movement *copy = sl_new(l->a, struct cat_movement);
    *copy = *m;
    sl_vec_push(l->a, &l->movements, copy);
    if (m->target) {
        sl_vec_push(l->a, &l->objects, m->target);
    }
    for (size_t i = 0; i < m->reads.n; i++) {
        sl_vec_push(l->a, &l->objects, m->reads.v[i].object);
    }
    for (size_t i = 0; i < m->inputs.n; i++) {
        sl_vec_push(l->a, &l->objects, m->inputs.v[i]);
    }
}

static void keep_object(void *ctx, const struct cat_object *o)
{
    struct lineage *l = ctx;
    sl_vec_push(l->a, &l->objects, o);
}

static int by_name(const void *x, const void *y)
{
    const struct cat_object *a = *(const struct cat_object *const *)x,
                            *b = *(const struct cat_object *const *)y;
    int c = sl_str_cmp(a->name, b->name);
    c = c ? c : sl_str_cmp(a->database, b->database);
    c = c ? c : sl_str_cmp(a->catalog, b->catalog);
    return c ? c : (a->since > b->since) - (a->since < b->since);
}

static int by_creation(const void *x, const void *y)
{
    const struct cat_object *a = *(const struct cat_object *const *)x,
                            *b = *(const struct cat_object *const *)y;
    int c = (a->since > b->since) - (a->since < b->since);
    return c ? c : by_name(x, y);
}

static bool same_name(const struct cat_object *a, const struct cat_object *b)
{
    return sl_str_eq(a->name, b->name) && sl_str_eq(a->database, b->database) &&
           sl_str_eq(a->catalog, b->catalog);
}

/* The newest version of each name is left, in the order of creation. */
static void unique_objects(struct lineage *l)
{
    size_t n = 0;
    if (!l->objects.n) {
        return;
    }
    qsort(l->objects.v, l->objects.n, sizeof(*l->objects.v), by_name);
    for (size_t i = 0; i < l->objects.n; i++) {
        const struct cat_object *o = l->objects.v[i];
        bool newest = i + 1 == l->objects.n || !same_name(o, l->objects.v[i + 1]);
        if (newest) {
            l->objects.v[n++] = o;
        }
    }
    l->objects.n = n;
    qsort(l->objects.v, n, sizeof(*l->objects.v), by_creation);
}

static void walk(struct lineage *l, struct sl_arena *a, const struct sql_script *s)
{
    *l = (struct lineage){.a = a, .s = s, .flow = cat_flow_new(a, s, 0)};
    for (size_t i = 0; i < s->stmts.n; i++) {
        cat_flow_movements(l->flow, &s->stmts.v[i], keep_movement, l);
    }
    cat_flow_each(l->flow, UINT32_MAX, keep_object, l);
    unique_objects(l);
}

/* ------------------------------------------------------------------ JSON */

static void put_name(struct sl_jw *w, struct lineage *l, const char *key, const struct cat_object *o)
{
    if (o) {
        sl_jw_kstr(w, key, cat_object_name(l->a, o));
    } else {
        sl_jw_kstrz(w, key, NULL);
    }
}

static void put_froms(struct sl_jw *w, struct lineage *l, const char *key, const struct cat_froms *from)
{
    sl_jw_key(w, key);
    sl_jw_array(w);
    for (size_t i = 0; i < from->list.n; i++) {
        const struct cat_from *at = &from->list.v[i];
        sl_jw_object(w);
        put_name(w, l, "table", at->object);
        sl_jw_kstr(w, "column", at->column);
        sl_jw_kbool(w, "direct", (at->how & CAT_HOW_DIRECT) != 0);
        sl_jw_key(w, "how");
        sl_jw_array(w);
        for (size_t k = 0; k < SL_ARRAY_LEN(hows); k++) {
            if (at->how & hows[k].bit) {
                sl_jw_strz(w, hows[k].name);
            }
        }
        sl_jw_end_array(w);
        if (at->how & CAT_HOW_MAYBE) {
            sl_jw_kbool(w, "certain", false);
        }
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_table(struct sl_jw *w, struct lineage *l, const struct cat_object *o)
{
    static const char *const kinds[] = {"table", "view", "materialized table", "outside", "dropped"};
    static const char *const column_kinds[] = {"physical", "metadata", "virtual metadata", "computed",
                                               "result"};
    const struct cat_columns *c = cat_flow_columns(l->flow, o);
    sl_jw_object(w);
    put_name(w, l, "name", o);
    sl_jw_kstrz(w, "kind", kinds[o->kind]);
    if (o->stmt) {
        struct sl_pos pos = o->stmt->pos;
        sl_jw_kbool(w, "temporary", o->temporary);
        sl_jw_ki64(w, "statement", o->stmt->number);
        sl_jw_kstr(w, "file", l->s->files.v[o->stmt->file].name);
        sl_jw_ki64(w, "line", pos.line);
    }
    sl_jw_key(w, "columns");
    if (c->open && !c->list.n) {
        sl_jw_null(w);
    } else {
        sl_jw_array(w);
        for (size_t i = 0; i < c->list.n; i++) {
            const struct cat_column *at = &c->list.v[i];
            sl_jw_object(w);
            sl_jw_kstr(w, "name", at->name);
            if (at->type.n) {
                sl_jw_kstr(w, "type", at->type);
            }
            sl_jw_kstrz(w, "kind", column_kinds[at->kind]);
            if (at->kind == CAT_COMPUTED) {
                put_froms(w, l, "from", &at->from);
            }
            sl_jw_end_object(w);
        }
        sl_jw_end_array(w);
    }
    if (c->open && c->list.n) {
        sl_jw_kbool(w, "complete", false);
    }
    sl_jw_end_object(w);
}

static int by_column(const void *x, const void *y)
{
    const struct cat_from *a = x, *b = y;
    int c = (a->object > b->object) - (a->object < b->object);
    return c ? c : sl_str_cmp(a->column, b->column);
}

/* Each input with the columns of it that are used for anything. */
static void put_inputs(struct sl_jw *w, struct lineage *l, const struct cat_movement *m)
{
    SL_VEC(struct cat_from) all = {0};
    const struct cat_froms *lists[] = {&m->rest, &m->rows};
    for (size_t i = 0; i < m->columns.n + SL_ARRAY_LEN(lists); i++) {
        const struct cat_froms *from = i < m->columns.n ? m->columns.v[i].from : lists[i - m->columns.n];
        for (size_t k = 0; k < from->list.n; k++) {
            sl_vec_push(l->a, &all, from->list.v[k]);
        }
    }
    if (all.n) {
        qsort(all.v, all.n, sizeof(*all.v), by_column);
    }
    sl_jw_key(w, "inputs");
    sl_jw_array(w);
    for (size_t i = 0; i < m->inputs.n; i++) {
        const struct cat_object *o = m->inputs.v[i];
        sl_jw_object(w);
        put_name(w, l, "table", o);
        sl_jw_kbool(w, "columnsKnown", !cat_flow_columns(l->flow, o)->open);
        sl_jw_key(w, "used");
        sl_jw_array(w);
        size_t low = 0, high = all.n;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (all.v[mid].object < o) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        for (size_t k = low; k < all.n && all.v[k].object == o; k++) {
            if (k == low || !sl_str_eq(all.v[k].column, all.v[k - 1].column)) {
                sl_jw_str(w, all.v[k].column);
            }
        }
        sl_jw_end_array(w);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_movement(struct sl_jw *w, struct lineage *l, const struct cat_movement *m)
{
    sl_jw_object(w);
    sl_jw_ki64(w, "statement", m->stmt->number);
    sl_jw_kstrz(w, "kind", sql_kind_name(m->stmt->kind));
    sl_jw_kstr(w, "file", l->s->files.v[m->stmt->file].name);
    sl_jw_ki64(w, "line", m->stmt->pos.line);
    sl_jw_ki64(w, "column", m->stmt->pos.col);
    put_name(w, l, "output", m->target);
    sl_jw_key(w, "reads");
    sl_jw_array(w);
    for (size_t i = 0; i < m->reads.n; i++) {
        sl_jw_str(w, cat_object_name(l->a, m->reads.v[i].object));
    }
    sl_jw_end_array(w);
    put_inputs(w, l, m);
    sl_jw_key(w, "columns");
    sl_jw_array(w);
    for (size_t i = 0; i < m->columns.n; i++) {
        const struct cat_target_column *c = &m->columns.v[i];
        sl_jw_object(w);
        sl_jw_key(w, "name");
        if (c->name.n) {
            sl_jw_str(w, c->name);
        } else {
            sl_jw_null(w);
        }
        sl_jw_kstr(w, "as", c->as);
        if (c->type.n) {
            sl_jw_kstr(w, "type", c->type);
        }
        put_froms(w, l, "from", c->from);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
    sl_jw_kbool(w, "complete", !m->open);
    if (m->open) {
        put_froms(w, l, "rest", &m->rest);
    }
    put_froms(w, l, "rows", &m->rows);
    sl_jw_end_object(w);
}

void cat_lineage_json(const struct sql_script *s, struct sl_buf *out)
{
    SL_ARENA_AUTO arena = {0};
    struct lineage l;
    struct sl_jw w;
    walk(&l, &arena, s);
    sl_jw_init(&w, out);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "flink", sql_version_name(s->flink));
    sl_jw_key(&w, "tables");
    sl_jw_array(&w);
    for (size_t i = 0; i < l.objects.n; i++) {
        put_table(&w, &l, l.objects.v[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "statements");
    sl_jw_array(&w);
    for (size_t i = 0; i < l.movements.n; i++) {
        put_movement(&w, &l, l.movements.v[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "edges");
    sl_jw_array(&w);
    for (size_t i = 0; i < l.movements.n; i++) {
        const struct cat_movement *m = l.movements.v[i];
        for (size_t k = 0; m->target && k < m->reads.n; k++) {
            sl_jw_object(&w);
            put_name(&w, &l, "from", m->reads.v[k].object);
            put_name(&w, &l, "to", m->target);
            sl_jw_ki64(&w, "statement", m->stmt->number);
            sl_jw_end_object(&w);
        }
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "unread");
    sl_jw_array(&w);
    for (size_t i = 0; i < s->stmts.n; i++) {
        if (s->stmts.v[i].bad) {
            sl_jw_i64(&w, s->stmts.v[i].number);
        }
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_buf_putc(out, '\n');
}

/* ------------------------------------------------------------------ DOT */

static void put_quoted(struct sl_buf *b, sl_str s)
{
    sl_buf_putc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\') {
            sl_buf_putc(b, '\\');
        }
        sl_buf_putc(b, s.p[i] == '\n' || s.p[i] == '\r' ? ' ' : s.p[i]);
    }
    sl_buf_putc(b, '"');
}

static void put_html(struct sl_buf *b, sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '&') {
            sl_buf_putz(b, "&amp;");
        } else if (c == '<') {
            sl_buf_putz(b, "&lt;");
        } else if (c == '>') {
            sl_buf_putz(b, "&gt;");
        } else if (c == '"') {
            sl_buf_putz(b, "&quot;");
        } else {
            sl_buf_putc(b, c < 0x20 || c == 0x7f ? ' ' : (char)c);
        }
    }
}

static void put_node(struct sl_buf *b, struct lineage *l, sl_str id, const struct cat_object *o, sl_str title,
                     const struct cat_target_column *columns, size_t n)
{
    sl_buf_putz(b, "  ");
    put_quoted(b, id);
    sl_buf_putz(b, " [shape=plain, label=<<TABLE BORDER=\"0\" CELLBORDER=\"1\" CELLSPACING=\"0\"><TR><TD "
                   "PORT=\"t\"><B>");
    put_html(b, title);
    sl_buf_putz(b, "</B></TD></TR>");
    const struct cat_columns *c = o ? cat_flow_columns(l->flow, o) : NULL;
    for (size_t i = 0; i < (c ? c->list.n : n); i++) {
        sl_buf_printf(b, "<TR><TD ALIGN=\"LEFT\" PORT=\"c%zu\">", i);
        put_html(b, c ? c->list.v[i].name : columns[i].as);
        sl_buf_putz(b, "</TD></TR>");
    }
    if (c && c->open) {
        sl_buf_putz(b, "<TR><TD ALIGN=\"LEFT\">columns not known</TD></TR>");
    }
    sl_buf_putz(b, "</TABLE>>];\n");
}

static size_t port_of(struct lineage *l, const struct cat_object *o, sl_str column)
{
    const struct cat_columns *c = cat_flow_columns(l->flow, o);
    for (size_t i = 0; i < c->list.n; i++) {
        if (sl_str_eq(c->list.v[i].name, column)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void put_port(struct sl_buf *b, size_t port)
{
    if (port == SIZE_MAX) {
        sl_buf_putz(b, ":t");
    } else {
        sl_buf_printf(b, ":c%zu", port);
    }
}

static sl_str movement_id(struct lineage *l, const struct cat_movement *m, size_t i)
{
    return m->target ? cat_object_name(l->a, m->target) : sl_arena_printf(l->a, "query %zu", i + 1);
}

static void put_column_edges(struct sl_buf *b, struct lineage *l, const struct cat_movement *m, sl_str id)
{
    for (size_t i = 0; i < m->columns.n; i++) {
        const struct cat_target_column *c = &m->columns.v[i];
        size_t to = m->target ? port_of(l, m->target, c->name) : i;
        for (size_t k = 0; k < c->from->list.n; k++) {
            const struct cat_from *from = &c->from->list.v[k];
            sl_buf_putz(b, "  ");
            put_quoted(b, cat_object_name(l->a, from->object));
            put_port(b, port_of(l, from->object, from->column));
            sl_buf_putz(b, " -> ");
            put_quoted(b, id);
            put_port(b, to);
            sl_buf_putz(b, from->how & CAT_HOW_DIRECT ? ";\n" : " [style=dashed];\n");
        }
    }
    for (size_t k = 0; k < m->rows.list.n; k++) {
        const struct cat_from *from = &m->rows.list.v[k];
        sl_buf_putz(b, "  ");
        put_quoted(b, cat_object_name(l->a, from->object));
        put_port(b, port_of(l, from->object, from->column));
        sl_buf_putz(b, " -> ");
        put_quoted(b, id);
        sl_buf_putz(b, ":t [style=dashed];\n");
    }
}

void cat_lineage_dot(const struct sql_script *s, bool columns, struct sl_buf *out)
{
    static const char *const shapes[] = {"box", "box, style=rounded", "box, style=bold", "box, style=dashed",
                                         "box, style=dotted"};
    SL_ARENA_AUTO arena = {0};
    struct lineage l;
    walk(&l, &arena, s);
    sl_buf_putz(out, "digraph lineage {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
    for (size_t i = 0; i < l.objects.n; i++) {
        const struct cat_object *o = l.objects.v[i];
        sl_str name = cat_object_name(l.a, o);
        if (columns) {
            put_node(out, &l, name, o, name, NULL, 0);
        } else {
            sl_buf_putz(out, "  ");
            put_quoted(out, name);
            sl_buf_printf(out, " [shape=%s];\n", shapes[o->kind]);
        }
    }
    for (size_t i = 0; i < l.movements.n; i++) {
        const struct cat_movement *m = l.movements.v[i];
        sl_str id = movement_id(&l, m, i);
        if (!m->target) {
            sl_str title =
                sl_arena_printf(l.a, "%s, line %u", sql_kind_name(m->stmt->kind), m->stmt->pos.line);
            if (columns) {
                put_node(out, &l, id, NULL, title, m->columns.v, m->columns.n);
            } else {
                sl_buf_putz(out, "  ");
                put_quoted(out, id);
                sl_buf_putz(out, " [shape=note, label=");
                put_quoted(out, title);
                sl_buf_putz(out, "];\n");
            }
        }
        if (columns) {
            put_column_edges(out, &l, m, id);
        }
        for (size_t k = 0; !columns && k < m->reads.n; k++) {
            sl_buf_putz(out, "  ");
            put_quoted(out, cat_object_name(l.a, m->reads.v[k].object));
            sl_buf_putz(out, " -> ");
            put_quoted(out, id);
            sl_buf_printf(out, " [label=\"line %u\"];\n", m->stmt->pos.line);
        }
    }
    sl_buf_putz(out, "}\n");
}
