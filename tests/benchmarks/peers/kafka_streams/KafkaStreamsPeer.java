import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * Kafka Streams 4.3.1, exactly_once_v2: stores with changelogs, as its documentation sets it up.
 *
 * <p>Settings: `store` (rocksdb, or memory), `member_cache` (true; false leaves the record cache
 * away for the store of members, which is faster), `cache_bytes` (10485760), `threads` (1),
 * `commit_interval_ms` (100, its default with exactly-once).
 */
final class KafkaStreamsPeer {
  private static final long LOOK_MS = 5;
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(20);

  private final Job job;
  private final AtomicLong inputs = new AtomicLong();
  private final AtomicLong outputs = new AtomicLong();

  private KafkaStreamsPeer(Job job) {
    this.job = job;
  }

  public static void main(String[] arguments) throws Exception {
    Job job;
    try {
      job = Job.of(arguments[0]);
    } catch (IllegalArgumentException refused) {
      System.err.println("Kafka Streams " + refused.getMessage());
      System.exit(1);
      return;
    }
    new KafkaStreamsPeer(job).run();
  }

  private void run() throws Exception {
    LikesTopology topology = new LikesTopology(job, this::onInput, outputs::incrementAndGet);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", job.text("bootstrap")));
        KafkaStreams streams = new KafkaStreams(topology.build(), job.config())) {
      streams.setUncaughtExceptionHandler(KafkaStreamsPeer::die);
      streams.start();
      while (inputs.get() < job.events() || committed(admin) < job.events()) {
        Thread.sleep(LOOK_MS);
      }
      System.out.println("end");
      System.out.println("{\"outputs\": " + outputs.get() + "}");
      System.out.flush();
      streams.close(CLOSE_TIMEOUT);
      streams.cleanUp();
    }
  }

  private void onInput() {
    if (inputs.getAndIncrement() == job.warmUp()) {
      System.out.println("start");
      System.out.flush();
    }
  }

  /** Records of the source whose transaction is committed, and with it what they changed. */
  private long committed(Admin admin) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets =
        admin.listConsumerGroupOffsets(job.text("group")).partitionsToOffsetAndMetadata().get();
    long sum = 0;
    for (Map.Entry<TopicPartition, OffsetAndMetadata> entry : offsets.entrySet()) {
      if (entry.getKey().topic().equals(job.text("source")) && entry.getValue() != null) {
        sum += entry.getValue().offset();
      }
    }
    return sum;
  }

  private static StreamThreadExceptionResponse die(Throwable error) {
    error.printStackTrace();
    Runtime.getRuntime().halt(3);
    throw new IllegalStateException(error);
  }
}
