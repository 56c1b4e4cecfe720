"""What each word of the command line does, one module per word that needs more than a line."""
