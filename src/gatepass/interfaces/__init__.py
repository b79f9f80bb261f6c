"""Every protocol between the use cases and the outside world. Each docstring is the contract.

All of it is synchronous. Anything may raise `Unavailable` when what lies behind is out of reach;
nothing here ever answers wrongly instead.
"""

from gatepass.interfaces.follower import FollowerRepository
from gatepass.interfaces.identity import (
    ConfiguredProvider,
    DescribedProvider,
    DirectoryProvider,
    ExaminedProvider,
    IdentityProvider,
    LogoutProvider,
    PasswordProvider,
    ProxyProvider,
    RedirectProvider,
    SignOutProvider,
    Step,
    TranslatingProvider,
)
from gatepass.interfaces.journal import JournalRepository
from gatepass.interfaces.outside import Clock, Keyring, NewToken, PasswordHasher, Policy
from gatepass.interfaces.sign_ins import DeviceRepository, FailureRepository, SpentRepository
from gatepass.interfaces.store import Store
from gatepass.interfaces.stored import (
    ChangeRepository,
    EventRepository,
    Page,
    SessionRepository,
    SettingsRepository,
    TokenRepository,
    Transaction,
    UserCounts,
    UseRepository,
    UserFilter,
    UserRepository,
    VerifierRepository,
)
from gatepass.interfaces.verification import (
    ChangeFeed,
    ChangeSource,
    Fetched,
    Followed,
    Head,
    VerdictSource,
    Verification,
    Verifications,
)

__all__ = [
    "ChangeFeed",
    "ChangeRepository",
    "ChangeSource",
    "Clock",
    "ConfiguredProvider",
    "DescribedProvider",
    "DeviceRepository",
    "DirectoryProvider",
    "EventRepository",
    "ExaminedProvider",
    "FailureRepository",
    "Fetched",
    "Followed",
    "FollowerRepository",
    "Head",
    "IdentityProvider",
    "JournalRepository",
    "Keyring",
    "LogoutProvider",
    "NewToken",
    "Page",
    "PasswordHasher",
    "PasswordProvider",
    "Policy",
    "ProxyProvider",
    "RedirectProvider",
    "SessionRepository",
    "SettingsRepository",
    "SignOutProvider",
    "SpentRepository",
    "Step",
    "Store",
    "TokenRepository",
    "Transaction",
    "TranslatingProvider",
    "UseRepository",
    "UserCounts",
    "UserFilter",
    "UserRepository",
    "VerdictSource",
    "Verification",
    "Verifications",
    "VerifierRepository",
]
