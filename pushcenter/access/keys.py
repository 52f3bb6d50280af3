"""The form of an API key: ``pc_live_`` or ``pc_test_``, 32 random characters, 6 characters of checksum.

The fixed beginning and the checksum let secret scanners find a leaked key without asking us.
"""

import hashlib
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_letters
KINDS = {"pc_live_", "pc_test_"}
KIND_LENGTH = 8
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
#: Two digits of a number to the base 62 at a time: each request looks at a checksum.
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


def generate(*, test: bool) -> str:
    """A new key with about 190 bits of chance."""
    kind = "pc_test_" if test else "pc_live_"
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return kind + random + _checksum(random)


def is_well_formed(key: str) -> bool:
    """Whether this can be a key at all; a mistyped one is refused without a look into the database."""
    random, checksum = key[KIND_LENGTH:-CHECKSUM_LENGTH], key[-CHECKSUM_LENGTH:]
    return key[:KIND_LENGTH] in KINDS and len(random) == RANDOM_LENGTH and _checksum(random) == checksum


def digest(key: str) -> str:
    """What is stored. The key has enough chance in it that a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


def visible_prefix(key: str) -> str:
    """What people may see of a key to tell it from others."""
    return key[:14]


def _checksum(random: str) -> str:
    first, rest = divmod(zlib.crc32(random.encode()), len(PAIRS) ** 2)
    second, third = divmod(rest, len(PAIRS))
    return PAIRS[first] + PAIRS[second] + PAIRS[third]
