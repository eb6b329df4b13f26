/* SPDX-License-Identifier: Apache-2.0
 * openapi.json, from the tables of routes and of the shapes of their answers. */
#include "gateway/api/dialect.h"

static void put_reference(struct sl_jw *w, const char *name)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    sl_jw_key(w, "$ref");
    sl_jw_str(w, sl_arena_printf(&a, "#/components/schemas/%s", name));
}

static void put_type(struct sl_jw *w, const char *type, bool or_null)
{
    sl_jw_key(w, "type");
    if (!or_null) {
        sl_jw_strz(w, type);
        return;
    }
    sl_jw_array(w);
    sl_jw_strz(w, type);
    sl_jw_strz(w, "null");
    sl_jw_end_array(w);
}

/* The members of the schema of "string", "time", "a|b". */
static void put_scalar(struct sl_jw *w, const char *type, bool or_null)
{
    char plain[16];
    size_t length = strlen(type);
    bool time = strcmp(type, "time") == 0, listed = strchr(type, '|') || (type[0] >= 'A' && type[0] <= 'Z');
    if (strcmp(type, "any") == 0) {
        return;
    }
    if (type[length - 1] == '?' && length < sizeof(plain)) {
        memcpy(plain, type, length - 1);
        plain[length - 1] = '\0';
        put_scalar(w, plain, true);
        return;
    }
    put_type(w, time || listed ? "string" : type, or_null);
    if (time) {
        sl_jw_kstrz(w, "format", "date-time");
    }
    if (listed) {
        sl_jw_key(w, "enum");
        sl_jw_array(w);
        for (const char *at = type; *at;) {
            size_t n = strcspn(at, "|");
            sl_jw_str(w, (sl_str){at, n});
            at += n + (at[n] == '|');
        }
        if (or_null) {
            sl_jw_null(w);
        }
        sl_jw_end_array(w);
    }
}

/* Of what comes in: "integer", "string:a|b", "array:Name"; `or_null`: null is as if it were not there. */
static void put_given(struct sl_jw *w, const char *type, bool or_null)
{
    const char *colon = strchr(type, ':'), *of = colon ? colon + 1 : type;
    if (type[0] != 'a') {
        put_scalar(w, of, or_null);
        return;
    }
    put_type(w, "array", or_null);
    sl_jw_key(w, "items");
    sl_jw_object(w);
    if (strcmp(of, "string") == 0) {
        sl_jw_kstrz(w, "type", "string");
    } else {
        put_reference(w, of);
    }
    sl_jw_end_object(w);
}

static void put_field(struct sl_jw *w, const struct api_field *f)
{
    sl_jw_key(w, f->name);
    sl_jw_object(w);
    if (f->text) {
        sl_jw_kstrz(w, "description", f->text);
    }
    if (f->list) {
        sl_jw_kstrz(w, "type", "array");
        sl_jw_key(w, "items");
        sl_jw_object(w);
    }
    if (f->of) {
        put_reference(w, f->of->name);
    } else {
        put_scalar(w, f->type, false);
    }
    if (f->list) {
        sl_jw_end_object(w);
    }
    sl_jw_end_object(w);
}

static void put_shape(struct sl_jw *w, const struct api_shape *s)
{
    sl_jw_key(w, s->name);
    sl_jw_object(w);
    sl_jw_kstrz(w, "type", "object");
    sl_jw_key(w, "properties");
    sl_jw_object(w);
    for (const struct api_field *f = s->fields; f->name; f++) {
        put_field(w, f);
    }
    sl_jw_end_object(w);
    sl_jw_key(w, "required");
    sl_jw_array(w);
    for (const struct api_field *f = s->fields; f->name; f++) {
        if (f->told == API_TOLD) {
            sl_jw_strz(w, f->name);
        }
    }
    sl_jw_end_array(w);
    if (s->open) {
        sl_jw_kbool(w, "additionalProperties", true);
    }
    sl_jw_end_object(w);
}

static void put_parameters(struct sl_jw *w, const struct api_route *r)
{
    sl_jw_key(w, "parameters");
    sl_jw_array(w);
    for (const struct api_param *p = r->params; p->name; p++) {
        if (p->in == API_IN_BODY || p->in == API_IN_BYTES) {
            continue;
        }
        sl_jw_object(w);
        sl_jw_kstrz(w, "name", p->name);
        sl_jw_kstrz(w, "in", p->in == API_IN_PATH ? "path" : "query");
        sl_jw_kbool(w, "required", p->required);
        sl_jw_kstrz(w, "description", p->text);
        sl_jw_key(w, "schema");
        sl_jw_object(w);
        put_given(w, p->type, false);
        sl_jw_end_object(w);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

/* `shape` NULL: a text. */
static void put_content(struct sl_jw *w, const char *type, const struct api_shape *shape)
{
    sl_jw_key(w, type);
    sl_jw_object(w);
    sl_jw_key(w, "schema");
    sl_jw_object(w);
    if (shape) {
        put_reference(w, shape->name);
    } else {
        sl_jw_kstrz(w, "type", "string");
    }
    sl_jw_end_object(w);
    sl_jw_end_object(w);
}

static void put_bytes(struct sl_jw *w)
{
    sl_jw_key(w, "content");
    sl_jw_object(w);
    sl_jw_key(w, "application/octet-stream");
    sl_jw_object(w);
    sl_jw_key(w, "schema");
    sl_jw_raw(w, SL_STR("{\"type\":\"string\",\"format\":\"binary\"}"));
    sl_jw_end_object(w);
    sl_jw_end_object(w);
}

static void put_body(struct sl_jw *w, const struct api_route *r)
{
    bool any = false, needed = false;
    if (r->given) {
        sl_jw_key(w, "requestBody");
        sl_jw_object(w);
        sl_jw_kbool(w, "required", r->given->fields[0].told == API_TOLD);
        sl_jw_key(w, "content");
        sl_jw_object(w);
        put_content(w, "application/json", r->given);
        sl_jw_end_object(w);
        sl_jw_end_object(w);
        return;
    }
    if (api_route_brings(r)) {
        sl_jw_key(w, "requestBody");
        sl_jw_object(w);
        sl_jw_kbool(w, "required", true);
        put_bytes(w);
        sl_jw_end_object(w);
        return;
    }
    for (const struct api_param *p = r->params; p->name; p++) {
        any |= p->in == API_IN_BODY;
        needed |= p->in == API_IN_BODY && p->required;
    }
    if (!any) {
        return;
    }
    sl_jw_key(w, "requestBody");
    sl_jw_object(w);
    sl_jw_kbool(w, "required", needed);
    sl_jw_key(w, "content");
    sl_jw_object(w);
    sl_jw_key(w, "application/json");
    sl_jw_object(w);
    sl_jw_key(w, "schema");
    sl_jw_object(w);
    sl_jw_kstrz(w, "type", "object");
    sl_jw_kbool(w, "additionalProperties", false);
    sl_jw_key(w, "properties");
    sl_jw_object(w);
    for (const struct api_param *p = r->params; p->name; p++) {
        if (p->in == API_IN_BODY) {
            sl_jw_key(w, p->name);
            sl_jw_object(w);
            sl_jw_kstrz(w, "description", p->text);
            put_given(w, p->type, !p->required);
            sl_jw_end_object(w);
        }
    }
    sl_jw_end_object(w);
    sl_jw_key(w, "required");
    sl_jw_array(w);
    for (const struct api_param *p = r->params; p->name; p++) {
        if (p->in == API_IN_BODY && p->required) {
            sl_jw_strz(w, p->name);
        }
    }
    sl_jw_end_array(w);
    for (int i = 0; i < 4; i++) {
        sl_jw_end_object(w);
    }
}

static void put_error(struct sl_jw *w, const struct api_dialect *d)
{
    sl_jw_key(w, "default");
    sl_jw_object(w);
    sl_jw_kstrz(w, "description", "what went wrong");
    sl_jw_key(w, "content");
    sl_jw_object(w);
    put_content(w, d->error_type, d->error);
    sl_jw_end_object(w);
    sl_jw_end_object(w);
}

static void put_answers(struct sl_jw *w, const struct api_dialect *d, const struct api_route *r)
{
    sl_jw_key(w, "responses");
    sl_jw_object(w);
    sl_jw_key(w, "200");
    sl_jw_object(w);
    sl_jw_kstrz(w, "description", "done");
    if (r->answer == &api_bytes_answer) {
        put_bytes(w);
    } else {
        sl_jw_key(w, "content");
        sl_jw_object(w);
        put_content(w, "application/json", r->answer);
        if (r->events) {
            put_content(w, "text/event-stream", NULL);
        }
        sl_jw_end_object(w);
    }
    sl_jw_end_object(w);
    if (api_route_waits(r)) {
        sl_jw_key(w, "202");
        sl_jw_object(w);
        sl_jw_kstrz(w, "description", "it goes on: the header Location says where to ask");
        sl_jw_key(w, "content");
        sl_jw_object(w);
        put_content(w, "application/json", &api_accepted_answer);
        sl_jw_end_object(w);
        sl_jw_end_object(w);
    }
    put_error(w, d);
    sl_jw_end_object(w);
}

/* The operations of a path: routes of one stand together. */
static void put_path(struct sl_jw *w, const struct api_dialect *d, const struct api_route *first)
{
    static const char *const names[] = {"get", "head", "post", "put", "patch", "delete", "options"};
    sl_jw_key(w, first->path);
    sl_jw_object(w);
    for (const struct api_route *r = first; r->path; r++) {
        if (strcmp(r->path, first->path) != 0) {
            continue;
        }
        sl_jw_key(w, names[r->method]);
        sl_jw_object(w);
        sl_jw_kstrz(w, "operationId", r->call);
        sl_jw_kstrz(w, "summary", api_method_find(d->methods, sl_str_of(r->call))->summary);
        sl_jw_key(w, "tags");
        sl_jw_array(w);
        sl_jw_strz(w, r->tag);
        sl_jw_end_array(w);
        sl_jw_kstrz(w, "x-role", auth_role_names[r->role]);
        put_parameters(w, r);
        put_body(w, r);
        put_answers(w, d, r);
        sl_jw_end_object(w);
    }
    sl_jw_end_object(w);
}

void api_openapi(const struct api_dialect *d, struct sl_buf *out)
{
    struct sl_jw w;
    sl_jw_init(&w, out);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "openapi", "3.1.0");
    sl_jw_key(&w, "info");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "title", d->title);
    sl_jw_kstrz(&w, "version", SLUICE_VERSION);
    sl_jw_end_object(&w);
    if (d->servers) {
        sl_jw_key(&w, "servers");
        sl_jw_raw(&w, sl_str_of(d->servers));
    }
    sl_jw_key(&w, "paths");
    sl_jw_object(&w);
    for (const struct api_route *r = d->routes; r->path; r++) {
        bool first = true;
        for (const struct api_route *o = d->routes; o != r && first; o++) {
            first = strcmp(o->path, r->path) != 0;
        }
        if (first) {
            put_path(&w, d, r);
        }
    }
    sl_jw_end_object(&w);
    sl_jw_key(&w, "components");
    sl_jw_object(&w);
    sl_jw_key(&w, "schemas");
    sl_jw_object(&w);
    for (const struct api_shape *const *s = d->shapes; *s; s++) {
        put_shape(&w, *s);
    }
    sl_jw_end_object(&w);
    sl_jw_key(&w, "securitySchemes");
    sl_jw_raw(&w, SL_STR("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
    sl_jw_end_object(&w);
    sl_jw_key(&w, "security");
    sl_jw_raw(&w, SL_STR("[{\"token\":[]}]"));
    sl_jw_end_object(&w);
}
