/* SPDX-License-Identifier: Apache-2.0
 * Writes one value of one logical type in the wire form of docs/results-protocol.md section 3, without
 * losing anything. Takes Flink's internal data (rows of a sink) and its external classes (rows of
 * TableResult.collect); what it has no form for is sent as text. One per column, made once; children are
 * made with it. */
package org.sluice.runner;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.Period;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RawValueData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DistinctType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.MultisetType;
import org.apache.flink.table.types.logical.RawType;
import org.apache.flink.types.Row;

final class CellEncoder {
    private static final int NULL = 0;
    private static final int VALUE = 1;
    private static final int TEXT = 2;

    private final LogicalType type;
    private final LogicalTypeRoot root;
    private final CellEncoder[] children;
    private final RowData.FieldGetter[] fields; /* of a row's children */
    private final ArrayData.ElementGetter[] elements; /* of an array's, a map's or a multiset's children */

    CellEncoder(LogicalType declared) {
        type = source(declared);
        root = type.getTypeRoot();
        List<LogicalType> parts = new ArrayList<>();
        switch (root) {
            case ARRAY:
                parts.add(((ArrayType) type).getElementType());
                break;
            case MAP:
                parts.add(((MapType) type).getKeyType());
                parts.add(((MapType) type).getValueType());
                break;
            case MULTISET:
                parts.add(((MultisetType) type).getElementType());
                parts.add(new IntType(false));
                break;
            case ROW:
            case STRUCTURED_TYPE:
                parts.addAll(type.getChildren());
                break;
            default:
                break;
        }
        boolean rows = root == LogicalTypeRoot.ROW || root == LogicalTypeRoot.STRUCTURED_TYPE;
        children = new CellEncoder[parts.size()];
        fields = new RowData.FieldGetter[rows ? children.length : 0];
        elements = new ArrayData.ElementGetter[rows ? 0 : children.length];
        for (int i = 0; i < children.length; i++) {
            children[i] = new CellEncoder(parts.get(i));
            if (rows) {
                fields[i] = field(parts.get(i), i);
            } else if (parts.get(i).getTypeRoot() != LogicalTypeRoot.NULL) {
                elements[i] = ArrayData.createElementGetter(parts.get(i));
            }
        }
    }

    /** Reads field `at` of an internal row; the type of a bare NULL has no getter of its own. */
    static RowData.FieldGetter field(LogicalType type, int at) {
        if (type.getTypeRoot() == LogicalTypeRoot.NULL) {
            return row -> null;
        }
        return RowData.createFieldGetter(type, at);
    }

    private static LogicalType source(LogicalType type) {
        LogicalType t = type;
        while (t instanceof DistinctType) {
            t = ((DistinctType) t).getSourceType();
        }
        return t;
    }

    void write(Out out, Object v) {
        if (v == null) {
            out.u8(NULL);
            return;
        }
        int start = out.size();
        out.u8(VALUE);
        if (!value(out, v)) {
            out.truncate(start);
            out.u8(TEXT).str(text(v));
        }
    }

    /** False, with nothing of use written: this class of value has no form for this type. */
    private boolean value(Out out, Object v) {
        switch (root) {
            case BOOLEAN:
                return v instanceof Boolean && done(out.u8((Boolean) v ? 1 : 0));
            case TINYINT:
                return v instanceof Number && done(out.u8(((Number) v).byteValue()));
            case SMALLINT:
                return v instanceof Number && done(out.u16(((Number) v).shortValue()));
            case INTEGER:
                return v instanceof Number && done(out.i32(((Number) v).intValue()));
            case BIGINT:
                return v instanceof Number && done(out.i64(((Number) v).longValue()));
            case FLOAT:
            case DOUBLE:
                return v instanceof Number && done(out.str(v.toString()));
            case DECIMAL:
                return decimal(out, v);
            case CHAR:
            case VARCHAR:
                return v instanceof StringData
                        ? done(out.bytes(((StringData) v).toBytes()))
                        : v instanceof String && done(out.str((String) v));
            case BINARY:
            case VARBINARY:
                return v instanceof byte[] && done(out.bytes((byte[]) v));
            case DATE:
                return v instanceof Integer
                        ? done(out.i32((Integer) v))
                        : v instanceof LocalDate && done(out.i32((int) ((LocalDate) v).toEpochDay()));
            case TIME_WITHOUT_TIME_ZONE:
                return v instanceof Integer
                        ? done(out.i32((Integer) v))
                        : v instanceof LocalTime && done(out.i32((int) (((LocalTime) v).toNanoOfDay() / 1_000_000)));
            case TIMESTAMP_WITHOUT_TIME_ZONE:
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return timestamp(out, v);
            case INTERVAL_YEAR_MONTH:
                return v instanceof Integer
                        ? done(out.i32((Integer) v))
                        : v instanceof Period && done(out.i32((int) ((Period) v).toTotalMonths()));
            case INTERVAL_DAY_TIME:
                return v instanceof Long
                        ? done(out.i64((Long) v))
                        : v instanceof Duration && done(out.i64(((Duration) v).toMillis()));
            case ARRAY:
                return array(out, v);
            case MAP:
            case MULTISET:
                return map(out, v);
            case ROW:
            case STRUCTURED_TYPE:
                return row(out, v);
            default:
                return false;
        }
    }

    private static boolean done(Out out) {
        return out != null;
    }

    private static boolean decimal(Out out, Object v) {
        if (v instanceof DecimalData) {
            return done(out.str(((DecimalData) v).toBigDecimal().toPlainString()));
        }
        return v instanceof BigDecimal && done(out.str(((BigDecimal) v).toPlainString()));
    }

    private static boolean timestamp(Out out, Object v) {
        TimestampData t;
        if (v instanceof TimestampData) {
            t = (TimestampData) v;
        } else if (v instanceof LocalDateTime) {
            t = TimestampData.fromInstant(((LocalDateTime) v).toInstant(ZoneOffset.UTC));
        } else if (v instanceof Instant) {
            t = TimestampData.fromInstant((Instant) v);
        } else {
            return false;
        }
        return done(out.i64(t.getMillisecond()).i32(t.getNanoOfMillisecond()));
    }

    private boolean array(Out out, Object v) {
        if (v instanceof ArrayData) {
            ArrayData a = (ArrayData) v;
            out.i32(a.size());
            for (int i = 0; i < a.size(); i++) {
                element(out, 0, a, i);
            }
            return true;
        }
        if (v instanceof Object[]) {
            Object[] a = (Object[]) v;
            out.i32(a.length);
            for (Object o : a) {
                children[0].write(out, o);
            }
            return true;
        }
        return false;
    }

    private boolean map(Out out, Object v) {
        boolean counted = root == LogicalTypeRoot.MULTISET;
        if (v instanceof MapData) {
            MapData m = (MapData) v;
            ArrayData keys = m.keyArray();
            ArrayData values = m.valueArray();
            out.i32(m.size());
            for (int i = 0; i < m.size(); i++) {
                element(out, 0, keys, i);
                if (counted) {
                    out.i32(values.getInt(i));
                } else {
                    element(out, 1, values, i);
                }
            }
            return true;
        }
        if (v instanceof Map) {
            Map<?, ?> m = (Map<?, ?>) v;
            out.i32(m.size());
            for (Map.Entry<?, ?> e : m.entrySet()) {
                children[0].write(out, e.getKey());
                if (counted) {
                    out.i32(((Number) e.getValue()).intValue());
                } else {
                    children[1].write(out, e.getValue());
                }
            }
            return true;
        }
        return false;
    }

    private void element(Out out, int child, ArrayData a, int at) {
        children[child].write(out, elements[child] == null ? null : elements[child].getElementOrNull(a, at));
    }

    private boolean row(Out out, Object v) {
        if (v instanceof RowData) {
            RowData r = (RowData) v;
            for (int i = 0; i < children.length; i++) {
                children[i].write(out, fields[i].getFieldOrNull(r));
            }
            return true;
        }
        if (v instanceof Row && ((Row) v).getArity() == children.length) {
            for (int i = 0; i < children.length; i++) {
                children[i].write(out, ((Row) v).getField(i));
            }
            return true;
        }
        return false;
    }

    /** Text of a value without a form: RAW values are taken out of their envelope first. */
    private String text(Object v) {
        if (v instanceof RawValueData && type instanceof RawType) {
            return rawText((RawValueData<?>) v, (RawType<?>) type);
        }
        return String.valueOf(v);
    }

    @SuppressWarnings("unchecked")
    private static <T> String rawText(RawValueData<?> v, RawType<T> raw) {
        return String.valueOf(((RawValueData<T>) v).toObject(raw.getTypeSerializer()));
    }
}
