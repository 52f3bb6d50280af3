"""What an adapter makes of calls that its provider did, and did not, make."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from channels_app.certification.rules import Finding
from channels_app.certification.specimens import settings_of
from channels_app.contract import Adapter, Callback, ForgedCallback, HttpReply, Receipt, Specimen

PROVIDER_ID = "certified-1"
GARBAGE = (b"", b"hello", b"null", b"[]", b"{}", b"[" * 10_000, bytes(range(256)), b"<xml/>", b"a=%ff&b")


def findings(kind: type[Adapter], specimen: Specimen) -> list[Finding]:
    """Receipts: genuine, repeated, forged, garbage."""
    if not kind.capabilities.receipts or specimen.receipt is None:
        return [Finding(rule=name, said="", holds=None) for name in NAMES]
    config = settings_of(kind, specimen)
    trial = _Trial(adapter=kind(config), genuine=specimen.receipt(config, PROVIDER_ID))
    forged = trial.forged() if specimen.signed else None
    return [
        Finding(rule=GENUINE, said="read", holds=trial.is_read()),
        Finding(rule=REPEATED, said="one receipt", holds=trial.is_the_same_twice()),
        Finding(rule=FORGED, said="401" if specimen.signed else "secret path", holds=forged),
        Finding(rule=NO_RECEIPT, said="answered", holds=trial.takes_garbage()),
    ]


GENUINE, REPEATED = "Receipt", "Receipt, twice"
FORGED, NO_RECEIPT = "Forged receipt", "Garbage for a receipt"
NAMES = (GENUINE, REPEATED, FORGED, NO_RECEIPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    adapter: Adapter
    genuine: Callback

    def is_read(self) -> bool:
        return any(PROVIDER_ID in {each.provider_id, each.delivery_id} for each in self._read(self.genuine))

    def is_the_same_twice(self) -> bool:
        return self._read(self.genuine) == self._read(self.genuine)

    def forged(self) -> bool:
        """Without what signs it, and with every value that could sign it changed, nobody believes a call."""
        stripped = replace(self.genuine, headers={}, query={})
        headers, query = _changed(self.genuine.headers), _changed(self.genuine.query)
        changed = replace(self.genuine, headers=headers, query=query, body=self.genuine.body + b" ")
        return all(self._is_refused(each) for each in (stripped, changed))

    def takes_garbage(self) -> bool:
        """Whatever comes, the adapter has an answer for the provider, and nothing but an exception for us."""
        return all(self._answers(replace(self.genuine, body=body)) for body in GARBAGE)

    def _answers(self, callback: Callback) -> bool:
        with suppress(Exception):  # the endpoint takes any for "not understood"
            self._read(callback)
        try:
            return isinstance(self.adapter.reply(callback), HttpReply)
        except Exception:
            return False

    def _is_refused(self, callback: Callback) -> bool:
        try:
            self._read(callback)
        except ForgedCallback:
            return True
        except Exception:
            return False
        return False

    def _read(self, callback: Callback) -> list[Receipt]:
        return list(self.adapter.receipts(callback))


def _changed(values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"x{value[1:]}" if not value.startswith("x") else f"y{value[1:]}"
        for name, value in values.items()
    }
