"""The log in Kafka: published by one relay, followed by groups of readers."""
