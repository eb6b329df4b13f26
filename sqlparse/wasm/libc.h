/* SPDX-License-Identifier: Apache-2.0
 * Beside the standard headers of sqlparse/wasm/include: giving all memory back at once. */
#ifndef SLUICE_SQLPARSE_WASM_LIBC_H
#define SLUICE_SQLPARSE_WASM_LIBC_H

void wasm_libc_reset(void);

#endif
