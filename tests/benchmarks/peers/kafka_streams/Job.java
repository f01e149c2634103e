import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/** What the program is to do: its one argument. The fields are told in peers/__init__.py. */
final class Job {
  private static final Set<String> FIELDS =
      Set.of("bootstrap", "source", "into", "group", "job", "events", "schemas", "result_id",
          "state", "warm_up", "store", "member_cache", "cache_bytes", "threads", "commit_interval_ms");

  private final JsonNode given;

  private Job(JsonNode given) {
    this.given = given;
  }

  static Job of(String argument) throws Exception {
    Job job = new Job(new ObjectMapper().readTree(argument));
    for (Map.Entry<String, JsonNode> entry : job.given.properties()) {
      if (!FIELDS.contains(entry.getKey())) {
        throw new IllegalArgumentException("has no setting " + entry.getKey());
      }
    }
    if (!job.isMembers() && !job.text("job").equals("count")) {
      throw new IllegalArgumentException("cannot do the job " + job.text("job"));
    }
    if (!job.isInMemory() && !job.given.path("store").asText("rocksdb").equals("rocksdb")) {
      throw new IllegalArgumentException("has no store " + job.text("store"));
    }
    return job;
  }

  /** The text of a field that is always given. */
  String text(String field) {
    return given.required(field).asText();
  }

  long events() {
    return given.required("events").asLong();
  }

  /** How many records go through before the first that counts: the JVM compiles meanwhile. */
  long warmUp() {
    return given.path("warm_up").asLong(0);
  }

  int resultId() {
    return given.required("result_id").asInt();
  }

  boolean isMembers() {
    return text("job").equals("members");
  }

  boolean isInMemory() {
    return given.path("store").asText("rocksdb").equals("memory");
  }

  boolean isMemberStoreCached() {
    return given.path("member_cache").asBoolean(true);
  }

  /** Ids of the schemas whose names end so. */
  Set<Integer> schemaIds(String ending) {
    Set<Integer> ids = new HashSet<>();
    for (Map.Entry<String, JsonNode> schema : given.required("schemas").properties()) {
      if (schema.getValue().required("name").asText().endsWith(ending)) {
        ids.add(Integer.valueOf(schema.getKey()));
      }
    }
    return ids;
  }

  Properties config() {
    Properties config = new Properties();
    config.put("bootstrap.servers", text("bootstrap"));
    config.put("application.id", text("group"));
    config.put("state.dir", text("state"));
    config.put("processing.guarantee", "exactly_once_v2");
    config.put("num.stream.threads", given.path("threads").asText("1"));
    config.put("commit.interval.ms", given.path("commit_interval_ms").asText("100"));
    config.put("statestore.cache.max.bytes", given.path("cache_bytes").asText("10485760"));
    return config;
  }
}
