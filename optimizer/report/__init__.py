"""What a front prints: wire objects for programs, sentences for people, money. Reasons come in as data."""
