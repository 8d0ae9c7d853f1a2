"""What the bytes mean: TLS records, messages, and their decryption from key-log lines."""
