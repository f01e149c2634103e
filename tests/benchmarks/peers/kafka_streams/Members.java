import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Keeps the pairs of photo and user in a store, and forwards what a pair changes: 1 or -1. */
final class Members implements FixedKeyProcessor<String, PhotoEvent, Long> {
  static final String STORE = "members";
  private static final byte[] PRESENT = {1};

  private FixedKeyProcessorContext<String, Long> context;
  private KeyValueStore<Bytes, byte[]> members;

  static StoreBuilder<KeyValueStore<Bytes, byte[]>> store(Job job) {
    KeyValueBytesStoreSupplier supplier =
        job.isInMemory()
            ? Stores.inMemoryKeyValueStore(STORE)
            : Stores.persistentKeyValueStore(STORE);
    StoreBuilder<KeyValueStore<Bytes, byte[]>> builder =
        Stores.keyValueStoreBuilder(supplier, Serdes.Bytes(), Serdes.ByteArray());
    return job.isMemberStoreCached()
        ? builder.withCachingEnabled()
        : builder.withCachingDisabled();
  }

  @Override
  public void init(FixedKeyProcessorContext<String, Long> given) {
    context = given;
    members = given.getStateStore(STORE);
  }

  @Override
  public void process(FixedKeyRecord<String, PhotoEvent> record) {
    PhotoEvent event = record.value();
    ByteBuffer pair = ByteBuffer.allocate(2 * Long.BYTES);
    Bytes key = Bytes.wrap(pair.putLong(event.photoId()).putLong(event.userId()).array());
    if (event.isLike()) {
      if (members.putIfAbsent(key, PRESENT) == null) {
        context.forward(record.withValue(1L));
      }
    } else if (members.delete(key) != null) {
      context.forward(record.withValue(-1L));
    }
  }
}
