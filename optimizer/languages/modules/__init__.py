"""How languages import: the text of a statement → modules it names → files they lead to; a file for each family."""
