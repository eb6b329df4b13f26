/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as YAML: every position of the tree and of errors lies inside the text, and keys are unique. */
#include "base/limits.h"
#include "base/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct sl_yaml *v, size_t size, unsigned depth)
{
    SL_BUG_ON(depth > SL_LIMIT_YAML_DEPTH || v->pos.off > size || v->pos.len > size - v->pos.off);
    SL_BUG_ON(v->pos.line == 0 || v->pos.col == 0 || v->pos.end_line < v->pos.line);
    size_t n = 0;
    SL_YAML_EACH(it, v)
    {
        n++;
        if (v->type == SL_YAML_MAP) {
            SL_BUG_ON(it->key_pos.off > size || it->key_pos.len > size - it->key_pos.off);
            char key[64];
            if (it->key.n < sizeof(key) && (it->key.n == 0 || !memchr(it->key.p, 0, it->key.n))) {
                memcpy(key, it->key.p, it->key.n);
                key[it->key.n] = '\0';
                SL_BUG_ON(sl_yaml_get(v, key) != it);
            }
        }
        walk(it, size, depth + 1);
    }
    SL_BUG_ON(n != v->n);
    int64_t i;
    bool b;
    sl_str s;
    (void)(sl_yaml_i64(v, &i, NULL) && sl_yaml_bool(v, &b, NULL) && sl_yaml_str(v, &s, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    char *exact = malloc(size);
    memcpy(exact, data, size);
    struct sl_yaml *v = sl_yaml_parse(&a, (sl_str){exact, size}, &err);
    free(exact);
    if (v) {
        walk(v, size, 0);
    } else {
        SL_BUG_ON(err.code != SL_YAML && err.code != SL_LIMIT);
        SL_BUG_ON(err.pos.off > size || err.pos.len > size - err.pos.off || err.pos.line == 0);
    }
    return 0;
}
