"""What the program knows of programming languages: bytes of a file → symbols, imports, names; pure."""
