"""The doors for registered verifiers on other hosts: following changes, looking tokens up, telling what was used."""
