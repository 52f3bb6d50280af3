"""Which calls follow on which answer: what a made thing can be asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """An answer that tells a name, the parameter that takes it, and the calls that have this parameter."""

    by: Sequence[str]
    parameter: str
    field: str = "id"


OF_BATCH = ("read_batch", "pause_batch", "resume_batch", "cancel_batch")
#: By the call that is answered and the status of its answer.
LINKS: Mapping[tuple[str, str], Followed] = {
    ("send_message", "202"): Followed(
        by=["read_message", "trace_message", "explain_message", "cancel_message"], parameter="message_id"
    ),
    ("send_batch", "202"): Followed(by=OF_BATCH, parameter="batch_id"),
    ("broadcast", "202"): Followed(by=OF_BATCH, parameter="batch_id"),
    ("create_key", "201"): Followed(by=["rotate_key", "revoke_key"], parameter="key_id"),
    ("create_recipient", "201"): Followed(
        by=[
            "read_recipient",
            "replace_recipient",
            "change_recipient",
            "erase_recipient",
            "read_preferences",
            "replace_preferences",
            "list_inbox",
            "count_unread",
        ],
        parameter="external_id",
        field="external_id",
    ),
    ("create_group", "201"): Followed(
        by=["read_group", "rename_group", "delete_group", "list_members", "move_members"],
        parameter="code",
        field="code",
    ),
}
