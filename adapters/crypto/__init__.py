"""Cryptography: master keys, data keys per subject, and key pairs."""
