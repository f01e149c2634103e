import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The jobs in the DSL. Photo ids are the keys already, so nothing is repartitioned. */
final class LikesTopology {
  private static final int LONGEST_RESULT = 32; // bytes: a prefix of 5 and two integers

  private final Job job;
  private final Runnable onInput;
  private final Runnable onOutput;

  LikesTopology(Job job, Runnable onInput, Runnable onOutput) {
    this.job = job;
    this.onInput = onInput;
    this.onOutput = onOutput;
  }

  Topology build() {
    StreamsBuilder builder = new StreamsBuilder();
    Serde<PhotoEvent> serde =
        Serdes.serdeFrom(LikesTopology::refuse, PhotoEvent.deserializer(job, onInput));
    KStream<String, PhotoEvent> events =
        builder.stream(job.text("source"), Consumed.with(Serdes.String(), serde));
    KTable<String, Long> counts = job.isMembers() ? members(builder, events) : count(events, serde);
    counts
        .toStream()
        .mapValues(this::encode)
        .to(job.text("into"), Produced.with(Serdes.String(), Serdes.ByteArray()));
    return builder.build(job.config());
  }

  private KTable<String, Long> members(
      StreamsBuilder builder, KStream<String, PhotoEvent> events) {
    builder.addStateStore(Members.store(job));
    return events
        .processValues(Members::new, Members.STORE)
        .groupByKey(Grouped.with(Serdes.String(), Serdes.Long()))
        .aggregate(() -> 0L, (photoId, change, likes) -> likes + change, countStore());
  }

  private KTable<String, Long> count(KStream<String, PhotoEvent> events, Serde<PhotoEvent> serde) {
    return events.groupByKey(Grouped.with(Serdes.String(), serde)).count(countStore());
  }

  private Materialized<String, Long, KeyValueStore<Bytes, byte[]>> countStore() {
    return Materialized.<String, Long>as(
            job.isInMemory()
                ? Stores.inMemoryKeyValueStore("counts")
                : Stores.persistentKeyValueStore("counts"))
        .withKeySerde(Serdes.String())
        .withValueSerde(Serdes.Long());
  }

  private byte[] encode(String photoId, Long likes) {
    onOutput.run();
    ByteBuffer out = ByteBuffer.allocate(LONGEST_RESULT);
    out.put((byte) 0).putInt(job.resultId());
    Varints.write(out, Long.parseLong(photoId));
    Varints.write(out, likes);
    return Arrays.copyOf(out.array(), out.position());
  }

  private static byte[] refuse(String topic, PhotoEvent event) {
    throw new UnsupportedOperationException("events are only read here");
  }
}
