// SPDX-License-Identifier: Apache-2.0
package shop;

import java.util.BitSet;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.types.Row;

/** Functions of the e2e tests; the dollar in a nested class's name is part of what is tested. */
public final class Functions {
    private Functions() {}

    public static class Shout extends ScalarFunction {
        public String eval(String s) {
            return s == null ? null : s.toUpperCase() + "!";
        }
    }

    @FunctionHint(output = @DataTypeHint("ROW<letter STRING, nr INT>"))
    public static class Letters extends TableFunction<Row> {
        public void eval(String s) {
            if (s != null) {
                for (int i = 0; i < s.length(); i++) {
                    collect(Row.of(s.substring(i, i + 1), i));
                }
            }
        }
    }

    /** A value that Flink knows nothing about. */
    public static class Opaque extends ScalarFunction {
        @DataTypeHint(value = "RAW", bridgedTo = BitSet.class)
        public BitSet eval(Integer bit) {
            BitSet set = new BitSet();
            set.set(bit);
            set.set(bit + 2);
            return set;
        }
    }

    /** Ends the JVM it runs in, if that lets it. */
    public static class Bye extends ScalarFunction {
        public Integer eval(Integer code) {
            System.exit(code);
            return code;
        }
    }

    /** A class of one's own, as a structured type. */
    public static class Person extends ScalarFunction {
        public static class Who {
            public Integer age;
            public String name;
        }

        public Who eval(Integer age, String name) {
            Who who = new Who();
            who.age = age;
            who.name = name;
            return who;
        }
    }

    public static class Spread extends AggregateFunction<Long, Spread.Ends> {
        public static class Ends {
            public Long low;
            public Long high;
        }

        @Override
        public Ends createAccumulator() {
            return new Ends();
        }

        public void accumulate(Ends ends, Long v) {
            if (v != null) {
                ends.low = ends.low == null ? v : Long.valueOf(Math.min(ends.low, v));
                ends.high = ends.high == null ? v : Long.valueOf(Math.max(ends.high, v));
            }
        }

        @Override
        public Long getValue(Ends ends) {
            return ends.low == null ? null : Long.valueOf(ends.high - ends.low);
        }
    }
}
