"""An embedded verifier as a process of its own, which asks about the tokens it is told of, without end.

The first line of standard input is the credential, if it is over a server. Each further one is `{"id", "value"}` for a token to ask about now and then, with `"stalk"`
for one that is about to end: that is asked about in each round for the next seconds. `{"final": PATH}`
asks about every token once more, makes the file PATH and ends.
"""

import json
import random
import sys
import threading
import time
from pathlib import Path

from faults.recorder import Recorder
from gatepass.connect import open_verifier
from gatepass.errors import Unavailable
from gatepass.model.presented import parse_token
from gatepass.model.secret import generate_secret
from gatepass.model.token import TokenKind, write_token
from gatepass.model.verdict import Accepted
from gatepass.verifier.opened import OpenVerifier

FORGETFUL = "forgetful"
"""A door of this name remembers two tokens: it says what is stored, for the others to be held against."""
THREADS = 2
ASKED = 3
"""How many tokens a thread asks about in a round, apart from the stalked ones."""
ROUND_SECONDS = 0.02
STALK_SECONDS = 2.0
_KEPT = 300


class Asker:
    """What all threads of the process share."""

    def __init__(self, verifier: OpenVerifier, name: str, folder: Path, *, pause: float, stalk: float) -> None:
        self.verifier, self.name, self.folder = verifier, name, folder
        self.pause, self.stalk = pause, stalk
        if name.startswith(FORGETFUL):
            verifier._cache._half = 1
        self.tokens: dict[str, str] = {}
        self.stalked: dict[str, float] = {}
        self.stop = threading.Event()

    def listen(self) -> Path | None:
        """Take note of what is told, until the end."""
        for text in sys.stdin:
            line = json.loads(text)
            if "final" in line:
                return Path(line["final"])
            if line.get("stalk"):
                self.stalked[line["id"]] = time.monotonic() + self.stalk
            self.tokens[line["id"]] = line["value"]
        return None

    def work(self, number: int) -> None:
        """Ask, until told to stop."""
        chance, recorder = random.Random(), self.recorder(number)
        while not self.stop.wait(self.pause):
            known = list(self.tokens)[-_KEPT:]
            chosen = chance.sample(known, min(ASKED, len(known)))
            if chosen and chance.random() < 0.1:
                self.ask_forged(recorder, chosen[0])
            for token in dict.fromkeys([*list(self.stalked), *chosen]):
                self.ask(recorder, token, self.tokens[token])
                if self.stalked.get(token, 0) < time.monotonic():
                    self.stalked.pop(token, None)

    def recorder(self, number: int) -> Recorder:
        return Recorder(self.folder / f"{self.name}-{number}.jsonl")

    def ask(self, recorder: Recorder, token: str, value: str) -> None:
        call = recorder.begin("verify", token, door=self.name)
        try:
            verdict = self.verifier.verify(value)
        except Unavailable:
            recorder.end(call, "unknown")
            return
        if isinstance(verdict, Accepted):
            told, owner = str(verdict.token_id), str(verdict.owner_id)
            recorder.end(call, "allow", owner=owner, name=verdict.owner_name, told=told)
        else:
            recorder.end(call, "deny", reason=verdict.reason.value)

    def ask_forged(self, recorder: Recorder, token: str) -> None:
        """Ask about a token with the id of a good one and a secret of our own."""
        presented = parse_token(self.tokens[token])
        if presented:
            forged = write_token(TokenKind.PERSONAL, presented.id, generate_secret())
            self.ask(recorder, f"forged {token}", forged.reveal())


def run(
    place: str, name: str, folder: str, pause: float | str = ROUND_SECONDS, stalk: float | str = STALK_SECONDS
) -> int:
    """Be the process: a round each `pause` seconds, and what is stalked for `stalk` seconds."""
    credential = sys.stdin.readline().strip() or None
    with open_verifier(place, credential=credential) as verifier:
        asker = Asker(verifier, name, Path(folder), pause=float(pause), stalk=float(stalk))
        threads = [threading.Thread(target=asker.work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        print("asking", flush=True)
        done = asker.listen()
        asker.stop.set()
        for thread in threads:
            thread.join()
        recorder = asker.recorder(THREADS)
        for token, value in asker.tokens.items():
            asker.ask(recorder, token, value)
        if done:
            done.touch()
    return 0
