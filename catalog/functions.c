/* SPDX-License-Identifier: Apache-2.0
 * Looking up what is said of a function. */
#include "catalog/functions.h"

/* clang-format off */
static const struct cat_function_help help[] = {
#include "catalog/functions-help.inc"
};
/* clang-format on */

size_t cat_function_help_count(void)
{
    return SL_ARRAY_LEN(help);
}

const struct cat_function_help *cat_function_help_at(size_t i)
{
    SL_BUG_ON(i >= SL_ARRAY_LEN(help));
    return &help[i];
}

const struct cat_function_help *cat_function_help(sql_version v, sl_str name)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(help); i++) {
        if (sl_str_ieqz(name, help[i].name)) {
            return help[i].since <= v ? &help[i] : NULL;
        }
    }
    return NULL;
}

bool cat_function_is_table(const struct cat_function_help *f)
{
    const char *paren = strchr(f->signature, '(');
    return paren && strncmp(paren, "(TABLE ", 7) == 0;
}
