import java.nio.ByteBuffer;

/** Avro's integers: zigzag, seven bits a byte, lowest first. */
final class Varints {
  private final byte[] bytes;
  private int at;

  Varints(byte[] bytes, int at) {
    this.bytes = bytes;
    this.at = at;
  }

  void skip(int count) {
    at += count;
  }

  /** Four bytes as they stand, highest first: a schema id. */
  int readInt() {
    int value = ByteBuffer.wrap(bytes).getInt(at);
    at += Integer.BYTES;
    return value;
  }

  long readLong() {
    long bits = 0;
    int shift = 0;
    byte next;
    do {
      next = bytes[at++];
      bits |= (long) (next & 0x7f) << shift;
      shift += 7;
    } while (next < 0);
    return (bits >>> 1) ^ -(bits & 1);
  }

  static void write(ByteBuffer out, long value) {
    long bits = (value << 1) ^ (value >> 63);
    while ((bits & ~0x7fL) != 0) {
      out.put((byte) (bits | 0x80));
      bits >>>= 7;
    }
    out.put((byte) bits);
  }
}
