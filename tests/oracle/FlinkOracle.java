// SPDX-License-Identifier: Apache-2.0
// Flink's own parser as a co-process of the tests: a line of JSON in, {"sql": ...}, a line of JSON out. Compiled by
// oracle.py against one distribution and run on it; the configuration is the planner's, and so is the order: client
// commands by regular expression, the grammar, exactly one statement, and then what a node checks about itself.

import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;

import org.apache.calcite.config.Lex;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlExplain;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.flink.sql.parser.ExtendedSqlNode;
import org.apache.flink.sql.parser.impl.FlinkSqlParserImpl;
import org.apache.flink.sql.parser.validate.FlinkSqlConformance;
import org.apache.flink.table.planner.parse.ExtendedParser;

public final class FlinkOracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SqlParser.Config CONFIG =
            SqlParser.config()
                    .withParserFactory(FlinkSqlParserImpl.FACTORY)
                    .withLex(Lex.JAVA)
                    .withConformance(FlinkSqlConformance.DEFAULT)
                    .withIdentifierMaxLength(256);

    public static void main(String[] args) throws Exception {
        boolean trees = args.length > 0 && args[0].equals("tree");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        System.setOut(System.err); // what loggers say must not come between the answers
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            judge(JSON.readTree(line).get("sql").asText(), trees, answer);
            out.write(JSON.writeValueAsString(answer));
            out.write('\n');
            if (!in.ready()) {
                out.flush();
            }
        }
        out.flush();
    }

    private static void judge(String sql, boolean trees, ObjectNode answer) {
        SqlNode node;
        try {
            if (ExtendedParser.INSTANCE.parse(sql).isPresent()) {
                answer.put("ok", true).put("stage", "command");
                return;
            }
            SqlNodeList all = SqlParser.create(sql, CONFIG).parseStmtList();
            if (all.size() != 1) {
                refuse(answer, "count", all.size() + " statements", null);
                return;
            }
            node = all.get(0);
        } catch (SqlParseException e) {
            String message = String.valueOf(e.getMessage());
            // a stack that overflowed inside comes out as a parse exception without a text
            refuse(answer, e.getMessage() == null ? "crash" : "grammar", message, e.getPos());
            if (message.contains("Encountered \"<EOF>\"")) {
                answer.put("eof", true);
            }
            return;
        } catch (RuntimeException e) {
            refuse(answer, "command", String.valueOf(e.getMessage()), null);
            return;
        } catch (StackOverflowError e) {
            refuse(answer, "crash", "stack overflow", null);
            return;
        }
        SqlNode inner = node instanceof SqlExplain ? ((SqlExplain) node).getExplicandum() : node;
        if (inner instanceof ExtendedSqlNode) {
            try {
                ((ExtendedSqlNode) inner).validate();
            } catch (Exception e) {
                refuse(answer, "check", String.valueOf(e.getMessage()), placeOf(e));
                return;
            }
        }
        answer.put("ok", true).put("stage", "grammar").put("node", node.getClass().getSimpleName());
        if (trees) {
            StringBuilder text = new StringBuilder();
            try {
                print(node, text);
                answer.put("tree", text.toString());
            } catch (RuntimeException | AssertionError e) {
                answer.put("unprinted", String.valueOf(e)); // some nodes cannot print themselves
            }
        }
    }

    private static SqlParserPos placeOf(Exception e) {
        try {
            return (SqlParserPos) e.getClass().getMethod("getErrorPosition").invoke(e);
        } catch (ReflectiveOperationException none) {
            return null;
        }
    }

    private static void refuse(ObjectNode answer, String stage, String message, SqlParserPos at) {
        int list = message.indexOf("\nWas expecting");
        answer.put("ok", false).put("stage", stage).put("msg", list < 0 ? message : message.substring(0, list));
        if (at != null) {
            answer.put("line", at.getLineNum()).put("col", at.getColumnNum());
        }
    }

    /** (operator operands), names as `a`.`b`, lists in brackets, what is absent as -. */
    private static void print(SqlNode node, StringBuilder text) {
        if (node == null) {
            text.append('-');
        } else if (node instanceof SqlNodeList) {
            text.append('[');
            String between = "";
            for (SqlNode one : (SqlNodeList) node) {
                text.append(between);
                print(one, text);
                between = " ";
            }
            text.append(']');
        } else if (node instanceof SqlIdentifier) {
            String between = "";
            for (String part : ((SqlIdentifier) node).names) {
                text.append(between).append(part.isEmpty() ? "*" : "`" + part.replace("`", "``") + "`");
                between = ".";
            }
        } else if (node instanceof SqlCall) {
            SqlCall call = (SqlCall) node;
            text.append('(').append(call.getOperator().getName());
            for (SqlNode operand : call.getOperandList()) {
                text.append(' ');
                print(operand, text);
            }
            text.append(')');
        } else {
            text.append(node.toString());
        }
    }
}
