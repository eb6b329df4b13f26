/* SPDX-License-Identifier: Apache-2.0
 * The part of math.h that base needs. */
#ifndef SLUICE_WASM_MATH_H
#define SLUICE_WASM_MATH_H
#define isfinite(x) __builtin_isfinite(x)
#define isnan(x)    __builtin_isnan(x)
#endif
