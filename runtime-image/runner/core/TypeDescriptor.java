/* SPDX-License-Identifier: Apache-2.0
 * Writes the COLUMNS frame and the descriptors of Flink's logical types in it. Roots that only newer
 * versions know become OTHER with their SQL text, so one class file serves every version. */
package org.sluice.runner;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BinaryType;
import org.apache.flink.table.types.logical.CharType;
import org.apache.flink.table.types.logical.DayTimeIntervalType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.DistinctType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.MultisetType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.StructuredType;
import org.apache.flink.table.types.logical.TimeType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarBinaryType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.table.types.logical.YearMonthIntervalType;

final class TypeDescriptor {
    static final int INSERT_ONLY = 1;
    private static final int OTHER = 24;

    private TypeDescriptor() {}

    /** The body of COLUMNS. */
    static byte[] columns(List<String> names, List<LogicalType> types, boolean insertOnly) {
        Out out = new Out(256);
        out.u8(insertOnly ? INSERT_ONLY : 0).u16(names.size());
        for (int i = 0; i < names.size(); i++) {
            out.str(names.get(i)).str(sql(types.get(i)));
            write(out, types.get(i));
        }
        return out.copy();
    }

    /** SQL text of a type as Flink's own DESCRIBE prints it: STRING, TIMESTAMP_LTZ(3), BIGINT NOT NULL. */
    static String sql(LogicalType type) {
        return type.asSummaryString();
    }

    private static Out head(Out out, int code, LogicalType type) {
        return out.u8(code).u8(type.isNullable() ? 1 : 0);
    }

    static void write(Out out, LogicalType type) {
        switch (type.getTypeRoot()) {
            case CHAR:
                head(out, 1, type).i32(((CharType) type).getLength());
                break;
            case VARCHAR:
                head(out, 2, type).i32(((VarCharType) type).getLength());
                break;
            case BINARY:
                head(out, 3, type).i32(((BinaryType) type).getLength());
                break;
            case VARBINARY:
                head(out, 4, type).i32(((VarBinaryType) type).getLength());
                break;
            case BOOLEAN:
                head(out, 5, type);
                break;
            case TINYINT:
                head(out, 6, type);
                break;
            case SMALLINT:
                head(out, 7, type);
                break;
            case INTEGER:
                head(out, 8, type);
                break;
            case BIGINT:
                head(out, 9, type);
                break;
            case FLOAT:
                head(out, 10, type);
                break;
            case DOUBLE:
                head(out, 11, type);
                break;
            case DATE:
                head(out, 12, type);
                break;
            case DECIMAL:
                DecimalType decimal = (DecimalType) type;
                head(out, 13, type).u8(decimal.getPrecision()).u8(decimal.getScale());
                break;
            case TIME_WITHOUT_TIME_ZONE:
                head(out, 14, type).u8(((TimeType) type).getPrecision());
                break;
            case TIMESTAMP_WITHOUT_TIME_ZONE:
                head(out, 15, type).u8(((TimestampType) type).getPrecision());
                break;
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                head(out, 16, type).u8(((LocalZonedTimestampType) type).getPrecision());
                break;
            case INTERVAL_YEAR_MONTH:
                YearMonthIntervalType months = (YearMonthIntervalType) type;
                head(out, 17, type).u8(months.getResolution().ordinal()).u8(months.getYearPrecision()).u8(0);
                break;
            case INTERVAL_DAY_TIME:
                DayTimeIntervalType time = (DayTimeIntervalType) type;
                head(out, 18, type).u8(time.getResolution().ordinal()).u8(time.getDayPrecision());
                out.u8(time.getFractionalPrecision());
                break;
            case ARRAY:
                head(out, 19, type);
                write(out, ((ArrayType) type).getElementType());
                break;
            case MULTISET:
                head(out, 20, type);
                write(out, ((MultisetType) type).getElementType());
                break;
            case MAP:
                head(out, 21, type);
                write(out, ((MapType) type).getKeyType());
                write(out, ((MapType) type).getValueType());
                break;
            case ROW:
                RowType row = (RowType) type;
                fields(head(out, 22, type), row.getFieldNames(), row.getChildren());
                break;
            case STRUCTURED_TYPE:
                fields(head(out, 23, type), attributes((StructuredType) type), type.getChildren());
                break;
            case DISTINCT_TYPE:
                write(out, ((DistinctType) type).getSourceType());
                break;
            default:
                head(out, OTHER, type).str(sql(type));
                break;
        }
    }

    private static void fields(Out out, List<String> names, List<LogicalType> types) {
        out.u16(names.size());
        for (int i = 0; i < names.size(); i++) {
            out.str(names.get(i));
            write(out, types.get(i));
        }
    }

    private static List<String> attributes(StructuredType type) {
        List<String> names = new ArrayList<>();
        for (StructuredType.StructuredAttribute a : type.getAttributes()) {
            names.add(a.getName());
        }
        return names;
    }
}
