"""What the tests share: a real server as a process, and a client that hides nothing."""
