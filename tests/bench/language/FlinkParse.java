// SPDX-License-Identifier: Apache-2.0
// Flink's own parser over a file of {"sql": ...} lines (or over one script, as a list of statements) for `make bench`: a JSON
// line a pass, CPU seconds of the one thread that parses. The configuration is the planner's.

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.config.Lex;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.sql.parser.impl.FlinkSqlParserImpl;
import org.apache.flink.sql.parser.validate.FlinkSqlConformance;

public final class FlinkParse {
    private static final SqlParser.Config CONFIG =
            SqlParser.config()
                    .withParserFactory(FlinkSqlParserImpl.FACTORY)
                    .withLex(Lex.JAVA)
                    .withConformance(FlinkSqlConformance.DEFAULT)
                    .withIdentifierMaxLength(256);

    public static void main(String[] args) throws Exception {
        boolean script = args[0].equals("script");
        List<String> texts = new ArrayList<>();
        long bytes = 0;
        if (script) {
            texts.add(Files.readString(Paths.get(args[1])));
            bytes = Files.size(Paths.get(args[1]));
        } else {
            ObjectMapper json = new ObjectMapper();
            for (String line : Files.readAllLines(Paths.get(args[1]), StandardCharsets.UTF_8)) {
                String sql = json.readTree(line).get("sql").asText();
                texts.add(sql);
                bytes += sql.getBytes(StandardCharsets.UTF_8).length;
            }
        }
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        long end = clock.getCurrentThreadCpuTime() + (long) (Double.parseDouble(args[2]) * 1e9);
        for (int pass = 1; pass <= 3 || clock.getCurrentThreadCpuTime() < end; pass++) {
            long start = clock.getCurrentThreadCpuTime();
            long statements = 0;
            long taken = 0;
            for (String text : texts) {
                try {
                    int n = SqlParser.create(text, CONFIG).parseStmtList().size();
                    statements += n;
                    taken += n;
                } catch (SqlParseException refused) {
                    statements++;
                }
            }
            double seconds = (clock.getCurrentThreadCpuTime() - start) / 1e9;
            System.out.println("{\"seconds\":" + seconds + ",\"statements\":" + statements + ",\"taken\":" + taken + ",\"bytes\":" + bytes + "}");
        }
    }
}
