"""One module per family of commands; each function takes the parsed arguments and returns an exit code."""
