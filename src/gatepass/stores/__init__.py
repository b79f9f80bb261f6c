"""Where everything is kept. A store is one file or folder in here and one line in this table."""
