"""How many parts a text message takes; the figures of 3GPP TS 23.038 and 23.040."""

import random

import pytest

from channels_app.segments import Segments, segments
from tests.judges import ask

#: Our encodings, in the words of Twilio's calculator.
NAMES = {"gsm7": "GSM-7", "ucs2": "UCS-2"}

GSM7 = [
    ("", 0, 0),
    ("a", 1, 1),
    ("a" * 160, 160, 1),
    ("a" * 161, 161, 2),
    ("a" * 306, 306, 2),
    ("a" * 307, 307, 3),
    ("€", 2, 1),
    ("€" * 80, 160, 1),
    ("€" * 81, 162, 2),
    # The escape and its character stay together: the last septet of the first part stays empty.
    ("a" * 152 + "€" + "a" * 152, 306, 3),
    ("a" * 151 + "€" + "a" * 153, 306, 2),
    ("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\n\r", 44, 1),
    ("\f^{}\\[~]|", 18, 1),
]
UCS2 = [
    ("’", 1, 1),
    ("字" * 70, 70, 1),
    ("字" * 71, 71, 2),
    ("字" * 134, 134, 2),
    ("字" * 135, 135, 3),
    ("a" * 70 + "字", 71, 2),
    ("€" * 69 + "字", 70, 1),
    ("😀" * 35, 70, 1),
    ("😀" * 36, 72, 2),
    # A pair of surrogates stays together.
    ("字" * 66 + "😀" + "字" * 66, 134, 3),
    ("字" * 65 + "😀" + "字" * 67, 134, 2),
    ("`", 1, 1),
    ("\t", 1, 1),
]


@pytest.mark.parametrize(("text", "units", "count"), GSM7)
def test_text_of_the_gsm_alphabet(text: str, units: int, count: int) -> None:
    assert segments(text) == Segments(encoding="gsm7", units=units, count=count)


@pytest.mark.parametrize(("text", "units", "count"), UCS2)
def test_any_other_text(text: str, units: int, count: int) -> None:
    assert segments(text) == Segments(encoding="ucs2", units=units, count=count)


#: Where a part ends, escapes and surrogates included, and random mixtures.
ALPHABETS = ["abc @£_", "abc€[]~", "字词a", "a😀字", "’abc€"]


def boundaries() -> list[str]:
    lengths = [*range(1, 4), *range(66, 72), *range(132, 137), *range(151, 163), *range(304, 309), 459, 460]
    return [each * length for each in ("a", "€", "字", "😀", "’") for length in lengths]


def mixtures() -> list[str]:
    chance = random.Random(7)
    return [
        "".join(chance.choices(alphabet, k=chance.randint(1, 500)))
        for alphabet in ALPHABETS
        for _ in range(80)
    ]


@pytest.mark.node
def test_twilios_calculator_counts_the_same() -> None:
    texts = [text for text, _units, count in [*GSM7, *UCS2] if count] + boundaries() + mixtures()
    counted = [[NAMES[each.encoding], each.count] for each in map(segments, texts)]
    assert counted == ask("sms_segments", texts)
