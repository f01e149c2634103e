import java.util.Arrays;
import java.util.Set;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * A like or an unlike, with all its fields.
 *
 * <p>Decoded by hand, which is kinder to Kafka Streams than Avro's own library would be.
 */
record PhotoEvent(
    boolean isLike, byte[] eventId, long occurredAt, long userId, long photoId, long ownerId) {

  private static final int PREFIX_BYTES = 5;
  private static final int EVENT_ID_BYTES = 16;

  /** Reads Confluent's frame and Avro's binary form; `onEach` is called with every record. */
  static Deserializer<PhotoEvent> deserializer(Job job, Runnable onEach) {
    int like = only(job.schemaIds("PhotoLiked"));
    int unlike = only(job.schemaIds("PhotoUnliked"));
    return (topic, value) -> {
      onEach.run();
      Varints in = new Varints(value, 1);
      int id = in.readInt();
      if (value[0] != 0 || (id != like && id != unlike)) {
        throw new IllegalArgumentException("found a record of an unknown schema: " + id);
      }
      byte[] eventId = Arrays.copyOfRange(value, PREFIX_BYTES, PREFIX_BYTES + EVENT_ID_BYTES);
      in.skip(EVENT_ID_BYTES);
      return new PhotoEvent(
          id == like, eventId, in.readLong(), in.readLong(), in.readLong(), in.readLong());
    };
  }

  private static int only(Set<Integer> ids) {
    if (ids.size() != 1) {
      throw new IllegalArgumentException("wanted one schema of each kind, found " + ids.size());
    }
    return ids.iterator().next();
  }
}
