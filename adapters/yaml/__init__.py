"""YAML as Quarterdeck reads and writes it: one strict dialect, for requests and for sections."""
