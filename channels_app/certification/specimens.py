"""Settings and a message from an adapter's sample of itself."""

from typing import Any

from channels_app.contract import Adapter, Address, Outgoing, Specimen

#: Where a specimen points while no provider is played.
NOWHERE = "https://provider.example.com"


def settings_of(kind: type[Adapter], specimen: Specimen, url: str = NOWHERE) -> dict[str, Any]:
    """The specimen's settings as the form of the console would clean them; raises ``ValueError``."""
    fields = kind.Config.base_fields
    data = {name: field.initial for name, field in fields.items() if field.initial is not None}
    data |= {name: _at(url, value) for name, value in specimen.config.items()}
    if "base_url" in fields:
        data["base_url"] = url
    form = kind.Config(data)
    if not form.is_valid():
        raise ValueError(
            f"the specimen of {kind.name} has settings that its form refuses: {form.errors.as_text()}"
        )
    return form.cleaned_data


def message(kind: type[Adapter], specimen: Specimen, url: str) -> Outgoing:
    """A message to the specimen's address."""
    channel = kind.channel
    value = _at(url, specimen.address)
    return Outgoing(
        id="0192f0c1-2345-7678-9abc-def012345678",
        address=Address(
            kind=channel.address_kind if channel else "",
            value=channel.normalise(value) if channel else value,
        ),
        content={name: _at(url, each) for name, each in specimen.content.items()},
        callback_url="https://push.example.com/callbacks/1/2",
    )


def _at(url: str, value: Any) -> Any:
    return value.replace("{base_url}", url) if isinstance(value, str) else value
