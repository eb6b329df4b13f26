/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 (RFC 3629): validity, decoding, lengths in UTF-16 units. */
#ifndef SLUICE_BASE_UTF8_H
#define SLUICE_BASE_UTF8_H

#include "base/str.h"

/* Offset of the first byte that is not valid UTF-8, or s.n. */
size_t sl_utf8_valid_prefix(sl_str s);
/* Decodes the code point at p (p < end); *ret_n = its bytes. U+FFFD and 1 byte where it is invalid. */
uint32_t sl_utf8_decode(const char *p, const char *end, unsigned *ret_n);
unsigned sl_utf8_encode(uint32_t cp, char out[4]);
/* Length in UTF-16 units. */
size_t sl_utf16_len(sl_str s);

#endif
