"""The values Gatepass is about. Standard library only: no I/O and no clock in here."""
