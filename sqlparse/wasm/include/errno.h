/* SPDX-License-Identifier: Apache-2.0
 * The numbers that base asks for; nothing sets them here. */
#ifndef SLUICE_SQLPARSE_WASM_ERRNO_H
#define SLUICE_SQLPARSE_WASM_ERRNO_H

#define ENOSPC 28
#define EDQUOT 122

#endif
