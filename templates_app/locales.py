"""Which language a person gets when a template does not have the exact one."""

from collections.abc import Collection
from functools import lru_cache

# A country tells the script of Chinese, where the tag does not.
CHINESE_SCRIPTS = {
    "zh-cn": "zh-hans",
    "zh-sg": "zh-hans",
    "zh-tw": "zh-hant",
    "zh-hk": "zh-hant",
    "zh-mo": "zh-hant",
    "zh": "zh-hans",
}
#: What a locale is cut to where it is stored; the longest real one has 35 characters (RFC 5646, section 4.4.1).
MAX_LENGTH = 35


@lru_cache(maxsize=1024)
def normalise(locale: str) -> str:
    """``zh_Hans_CN`` and ``zh-hans-cn`` are one locale."""
    return locale.strip().replace("_", "-").lower()[:MAX_LENGTH]


@lru_cache(maxsize=1024)
def fallbacks(locale: str) -> tuple[str, ...]:
    """The locales to try, most exact first; the last one, the empty one, is the default variant."""
    tag = normalise(locale)
    chain: list[str] = []
    while tag:
        chain.append(tag)
        if tag in CHINESE_SCRIPTS and not (tag == "zh" and "zh-hant" in chain):
            chain.append(CHINESE_SCRIPTS[tag])
        tag = tag.rpartition("-")[0]
    return (*dict.fromkeys(chain), "")


def nearest(locale: str, written: Collection[str]) -> str:
    """Of the locales in which something is written, at least one, the one to give: better another one than none."""
    return next((each for each in fallbacks(locale) if each in written), min(written))
