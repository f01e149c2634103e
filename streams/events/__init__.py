"""What every generated type builds on: messages that know their Avro name, and event ids."""
