"""What tests of Gatepass, and of stores written for it, are made from. Needs pytest.

`fakes` has a clock to set, keys in memory and a quick hasher. The `*_suite` modules are what every
store must pass: subclass each class and give a fixture `store` with an empty store.

    class TestTokens(TokenSuite):
        @pytest.fixture
        def store(self):
            return MyStore()
"""
