/* SPDX-License-Identifier: Apache-2.0
 * Looking up built-in functions: sorted tables, binary search. */
#include "catalog/builtins.h"

/* clang-format off */
static const struct cat_function functions_1_20[] = {
#include "catalog/builtins-1.20.inc"
};
static const struct cat_function functions_2_2[] = {
#include "catalog/builtins-2.2.inc"
};
static const struct cat_function functions_2_3[] = {
#include "catalog/builtins-2.3.inc"
};
/* clang-format on */

const struct cat_function *cat_functions(sql_version v, size_t *ret_n)
{
    if (v < SQL_FLINK_2_2) {
        *ret_n = SL_ARRAY_LEN(functions_1_20);
        return functions_1_20;
    }
    *ret_n = v < SQL_FLINK_2_3 ? SL_ARRAY_LEN(functions_2_2) : SL_ARRAY_LEN(functions_2_3);
    return v < SQL_FLINK_2_3 ? functions_2_2 : functions_2_3;
}

bool cat_functions_have(sql_version v)
{
    return v == SQL_FLINK_1_20 || v == SQL_FLINK_2_2 || v == SQL_FLINK_2_3;
}

/* Order of `name` and an upper case key. */
static int compare(sl_str name, const char *key)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i], k = (unsigned char)key[i];
        c = c >= 'a' && c <= 'z' ? (unsigned char)(c - 'a' + 'A') : c;
        if (c != k) {
            return c < k ? -1 : 1;
        }
    }
    return key[name.n] ? -1 : 0;
}

const struct cat_function *cat_function(sql_version v, sl_str name)
{
    size_t n, low = 0;
    const struct cat_function *list = cat_functions(v, &n);
    while (low < n) {
        size_t mid = low + (n - low) / 2;
        int c = compare(name, list[mid].name);
        if (c == 0) {
            return &list[mid];
        }
        if (c < 0) {
            n = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

static const struct cat_type *type_named(const char *name)
{
    for (unsigned k = CAT_T_BOOLEAN; k < CAT_T_ARRAY; k++) {
        if (strcmp(cat_kind_name(k), name) == 0) {
            return cat_type_of(k);
        }
    }
    return cat_type_of(CAT_T_UNKNOWN);
}

/* The widest type of a family, where the family alone is known; integers differ too much. */
static const struct cat_type *type_of_family(char family)
{
    switch (family) {
    case 'B':
        return cat_type_of(CAT_T_BOOLEAN);
    case 'D':
        return cat_type_of(CAT_T_DECIMAL);
    case 'F':
        return cat_type_of(CAT_T_DOUBLE);
    case 'S':
        return cat_type_of(CAT_T_VARCHAR);
    case 'X':
        return cat_type_of(CAT_T_VARBINARY);
    case 'd':
        return cat_type_of(CAT_T_DATE);
    case 't':
        return cat_type_of(CAT_T_TIME);
    case 'T':
        return cat_type_of(CAT_T_TIMESTAMP);
    case 'L':
        return cat_type_of(CAT_T_TIMESTAMP_LTZ);
    case 'A':
        return cat_type_of(CAT_T_ARRAY);
    case 'M':
        return cat_type_of(CAT_T_MAP);
    default:
        return cat_type_of(CAT_T_UNKNOWN);
    }
}

/* A collection as the first argument: its elements decide on what else is taken and on the result. */
static bool of_elements(const struct cat_function *f)
{
    const char *first = f->two[0] != ';' ? f->two : f->one;
    return (first[0] == 'A' || first[0] == 'M') && (first[1] == '\0' || first[1] == ';' || first[1] == 'M');
}

const struct cat_type *cat_function_result(const struct cat_function *f, const struct cat_type *const *args,
                                           size_t n)
{
    if (f->result[0] == '=') {
        size_t at = (size_t)(f->result[1] - '0');
        return at < n ? cat_type_of(args[at]->kind) : cat_type_of(CAT_T_UNKNOWN);
    }
    if (f->result[0] == '~') {
        char c = f->result[1];
        return of_elements(f) && c != 'A' && c != 'M' ? cat_type_of(CAT_T_UNKNOWN) : type_of_family(c);
    }
    return type_named(f->result);
}

static bool takes(const char *families, const struct cat_type *t)
{
    char family = cat_type_family(t);
    for (const char *c = families; *c && *c != ';'; c++) {
        if (*c == family) {
            return true;
        }
    }
    return !family || !*families || *families == ';';
}

size_t cat_function_refuses(const struct cat_function *f, const struct cat_type *const *args, size_t n)
{
    if (n == 1 && !takes(f->one, args[0])) {
        return 0;
    }
    if (n == 2) {
        const char *second = strchr(f->two, ';');
        if (!takes(f->two, args[0])) {
            return 0;
        }
        if (second && !of_elements(f) && !takes(second + 1, args[1])) {
            return 1;
        }
    }
    return n;
}
