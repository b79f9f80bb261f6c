"""The embeddable half: judges presented tokens in microseconds. It needs the standard library only."""
