"""A site whose people sign in by SAML, and the browser of one of them."""

from pathlib import Path

from lxml import etree

from gatepass.identity import build_provider
from gatepass.identity.saml import Options
from gatepass.model.identity import Finished, Refusal, Refused
from gatepass.testing.fakes import FakeClock
from gatepass.testing.provider_suite import CALLBACK
from support.saml_idp import Answer, Pair, encoded, make_pair, metadata

PAIR = make_pair("idp")


class Site:
    """A provider, and the browser of somebody who signs in."""

    def __init__(self, folder: Path, clock: FakeClock, *pairs: Pair, **options: object) -> None:
        path = folder / "idp.xml"
        path.write_text(metadata(*(pairs or (make_pair("old"), PAIR))))
        self.clock = clock
        self.provider = build_provider(
            "saml", Options(**{"metadata": str(path), **options}), provider_id="corp", clock=clock
        )
        self.kept = self.provider.begin(CALLBACK).kept
        self.answer = Answer(self.kept["request"], clock.now())

    def finish(self, text: str, kept: dict[str, str] | None = None) -> Finished | Refused:
        return self.provider.finish({"SAMLResponse": text}, self.kept if kept is None else kept, CALLBACK)

    def takes(self, root: etree._Element | str) -> Finished:
        finished = self.finish(root if isinstance(root, str) else encoded(root))
        assert isinstance(finished, Finished), finished
        return finished

    def refuses(self, root: etree._Element | str) -> str:
        refused = self.finish(root if isinstance(root, str) else encoded(root))
        assert isinstance(refused, Refused), refused
        assert refused.reason is Refusal.INVALID
        return refused.detail or ""
