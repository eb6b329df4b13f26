// SPDX-License-Identifier: Apache-2.0
// Reads or fills a topic of the tests' broker:
//   java -cp JARS KafkaTopic read HOST:PORT TOPIC     every record so far: key, tab, value; "(none)" for null
//   java -cp JARS KafkaTopic write HOST:PORT TOPIC    one record per line of stdin
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public final class KafkaTopic {
    private KafkaTopic() {}

    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", args[1]);
        p.put("default.api.timeout.ms", "20000");
        if (args[0].equals("write")) {
            write(p, args[2]);
        } else {
            read(p, args[2]);
        }
    }

    private static void write(Properties p, String topic) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer());
             BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                producer.send(new ProducerRecord<>(topic, line)).get();
            }
        }
    }

    private static void read(Properties p, String topic) {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        p.put("isolation.level", "read_committed");
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> parts = consumer.partitionsFor(topic).stream()
                    .map(i -> new TopicPartition(topic, i.partition())).collect(Collectors.toList());
            Map<TopicPartition, Long> ends = consumer.endOffsets(parts);
            consumer.assign(parts);
            consumer.seekToBeginning(parts);
            while (parts.stream().anyMatch(t -> consumer.position(t) < ends.get(t))) {
                for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(500))) {
                    if (r.offset() < ends.get(new TopicPartition(topic, r.partition()))) {
                        out.println((r.key() == null ? "(none)" : r.key()) + "\t" + (r.value() == null ? "(none)" : r.value()));
                    }
                }
            }
        }
        out.flush();
    }
}
