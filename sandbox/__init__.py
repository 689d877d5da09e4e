"""Practice partners: simulators, test PKI, seeded faults and conformant variants. Never imports the harness."""
