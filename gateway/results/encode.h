/* SPDX-License-Identifier: Apache-2.0
 * Pieces that the encoders of rows share. Pure. */
#ifndef SLUICE_RESULTS_ENCODE_H
#define SLUICE_RESULTS_ENCODE_H

#include "base/buf.h"
#include "base/err.h"
#include "gateway/results/types.h"

/* Text as Java decodes it: what is not UTF-8 becomes U+FFFD, once per malformed sequence. */
void res_put_utf8(struct sl_buf *b, sl_str s);
/* A quoted JSON string with the escapes of Jackson (only what must be, hex in upper case). */
void res_put_json_str(struct sl_buf *b, sl_str s);
void res_put_base64(struct sl_buf *b, sl_str bytes);
void res_put_hex(struct sl_buf *b, sl_str bytes);
/* A plain decimal number as BigDecimal.stripTrailingZeros().toString() writes it. */
void res_put_stripped(struct sl_buf *b, sl_str decimal);

/* Flink's SQL text of dates and times (its CAST to STRING). */
void res_put_sql_date(struct sl_buf *b, int64_t days);
void res_put_sql_time(struct sl_buf *b, int32_t ms, unsigned precision);
void res_put_sql_timestamp(struct sl_buf *b, int64_t local_ms, uint32_t nanos_of_ms, unsigned precision);
void res_put_sql_months(struct sl_buf *b, int32_t months);
void res_put_sql_millis(struct sl_buf *b, int64_t ms);

/* ISO 8601 as java.time writes it: a fraction only as long as it must be, at least `digits` long. */
void res_put_iso_date(struct sl_buf *b, int64_t days);
void res_put_iso_time(struct sl_buf *b, int64_t nanos_of_day, unsigned digits);
void res_put_iso_timestamp(struct sl_buf *b, int64_t local_ms, uint32_t nanos_of_ms, unsigned digits);
/* P1Y2M; P1DT2H3M4.005S */
void res_put_iso_months(struct sl_buf *b, int32_t months);
void res_put_iso_millis(struct sl_buf *b, int64_t ms);

#endif
