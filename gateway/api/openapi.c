/* SPDX-License-Identifier: Apache-2.0
 * openapi.json, from the table of routes. */
#include "gateway/api/flink.h"

static void put_schema(struct sl_jw *w, const char *type)
{
    sl_jw_key(w, "schema");
    sl_jw_object(w);
    sl_jw_kstrz(w, "type", type);
    sl_jw_end_object(w);
}

static void put_parameters(struct sl_jw *w, const struct api_route *r)
{
    sl_jw_key(w, "parameters");
    sl_jw_array(w);
    for (const struct api_param *p = r->params; p->name; p++) {
        if (p->in == API_IN_BODY) {
            continue;
        }
        sl_jw_object(w);
        sl_jw_kstrz(w, "name", p->name);
        sl_jw_kstrz(w, "in", p->in == API_IN_PATH ? "path" : "query");
        sl_jw_kbool(w, "required", p->required);
        sl_jw_kstrz(w, "description", p->text);
        put_schema(w, p->type);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_body(struct sl_jw *w, const struct api_route *r)
{
    bool any = false;
    for (const struct api_param *p = r->params; p->name; p++) {
        any |= p->in == API_IN_BODY;
    }
    if (!any) {
        return;
    }
    sl_jw_key(w, "requestBody");
    sl_jw_object(w);
    sl_jw_kbool(w, "required", true);
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
            sl_jw_kstrz(w, "type", p->type);
            sl_jw_kstrz(w, "description", p->text);
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

static void put_content(struct sl_jw *w, const char *type, const char *schema)
{
    sl_jw_key(w, type);
    sl_jw_object(w);
    sl_jw_key(w, "schema");
    sl_jw_raw(w, sl_str_of(schema));
    sl_jw_end_object(w);
}

static void put_answers(struct sl_jw *w, const struct api_route *r)
{
    sl_jw_key(w, "responses");
    sl_jw_object(w);
    sl_jw_key(w, "200");
    sl_jw_object(w);
    sl_jw_kstrz(w, "description", "done");
    sl_jw_key(w, "content");
    sl_jw_object(w);
    put_content(w, "application/json", "{\"type\":\"object\"}");
    if (r->events) {
        put_content(w, "text/event-stream", "{\"type\":\"string\"}");
    }
    sl_jw_end_object(w);
    sl_jw_end_object(w);
    sl_jw_key(w, "default");
    sl_jw_object(w);
    sl_jw_kstrz(w, "description", "what went wrong (RFC 9457)");
    sl_jw_key(w, "content");
    sl_jw_object(w);
    put_content(w, "application/problem+json", "{\"$ref\":\"#/components/schemas/Problem\"}");
    sl_jw_end_object(w);
    sl_jw_end_object(w);
    sl_jw_end_object(w);
}

static const char problem[] =
    "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"code\"],\"properties\":{"
    "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
    "\"code\":{\"type\":\"string\"},\"hint\":{\"type\":\"string\"},\"line\":{\"type\":\"integer\"},"
    "\"column\":{\"type\":\"integer\"}}}";

void api_openapi(struct sl_buf *out)
{
    struct sl_jw w;
    sl_jw_init(&w, out);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "openapi", "3.1.0");
    sl_jw_key(&w, "info");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "title", "Sluice");
    sl_jw_kstrz(&w, "version", SLUICE_VERSION);
    sl_jw_end_object(&w);
    sl_jw_key(&w, "paths");
    sl_jw_object(&w);
    for (const struct api_route *r = api_routes; r->path; r++) {
        bool first = !flink_since(
            r); /* Flink's own protocol is not ours to describe; routes of one path stand together */
        for (const struct api_route *o = api_routes; o != r && first; o++) {
            first = strcmp(o->path, r->path) != 0;
        }
        if (!first) {
            continue;
        }
        sl_jw_key(&w, r->path);
        sl_jw_object(&w);
        for (const struct api_route *o = r; o->path; o++) {
            if (strcmp(o->path, r->path) != 0) {
                continue;
            }
            static const char *const names[] = {"get", "head", "post", "put", "patch", "delete", "options"};
            const struct api_method *m = api_method_find(sl_str_of(o->call));
            sl_jw_key(&w, names[o->method]);
            sl_jw_object(&w);
            sl_jw_kstrz(&w, "operationId", o->call);
            sl_jw_kstrz(&w, "summary", m->summary);
            sl_jw_key(&w, "tags");
            sl_jw_array(&w);
            sl_jw_strz(&w, o->tag);
            sl_jw_end_array(&w);
            sl_jw_kstrz(&w, "x-role", auth_role_names[o->role]);
            put_parameters(&w, o);
            put_body(&w, o);
            put_answers(&w, o);
            sl_jw_end_object(&w);
        }
        sl_jw_end_object(&w);
    }
    sl_jw_end_object(&w);
    sl_jw_key(&w, "components");
    sl_jw_object(&w);
    sl_jw_key(&w, "schemas");
    sl_jw_object(&w);
    sl_jw_key(&w, "Problem");
    sl_jw_raw(&w, sl_str_of(problem));
    sl_jw_end_object(&w);
    sl_jw_key(&w, "securitySchemes");
    sl_jw_raw(&w, SL_STR("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
    sl_jw_end_object(&w);
    sl_jw_key(&w, "security");
    sl_jw_raw(&w, SL_STR("[{\"token\":[]}]"));
    sl_jw_end_object(&w);
}
