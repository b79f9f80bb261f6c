"""`python -m gatepass` is the command line."""

from gatepass.cli import main

if __name__ == "__main__":
    main()
