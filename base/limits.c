/* SPDX-License-Identifier: Apache-2.0
 * The limits in force. */
#include "base/limits.h"

struct sl_limits sl_limits = {
#define SL_LIMIT_LINE(name, type, key, number, ...) .name = (SL_LIMIT_C_##type)(number),
#include "base/limits.def"
#undef SL_LIMIT_LINE
};
