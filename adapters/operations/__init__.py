"""Operations: what an administrator runs once and reads the answer of."""
