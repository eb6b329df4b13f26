/* SPDX-License-Identifier: Apache-2.0
 * Lemon's template wants it; with NDEBUG its checks are off. */
#ifndef SLUICE_WASM_ASSERT_H
#define SLUICE_WASM_ASSERT_H
#define assert(condition) ((void)0)
#endif
