"""The use cases: one file each, holding one function of the same name.

Every entry point calls these, and no rule stands anywhere else. Each that changes something does so
in one transaction together with its audit record, and decides who may in that same transaction.
"""
