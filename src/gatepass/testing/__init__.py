"""What tests of Gatepass, and of stores and providers for it, are made from."""
