"""Which language a person gets when a template does not have the exact one."""

from functools import lru_cache

# A country tells the script of Chinese, where the tag does not.
CHINESE_SCRIPTS = {
    "zh-cn": "zh-hans",
    "zh-sg": "zh-hans",
    "zh-tw": "zh-hant",
    "zh-hk": "zh-hant",
    "zh-mo": "zh-hant",
}


def normalise(locale: str) -> str:
    """``zh_Hans_CN`` and ``zh-hans-cn`` are one locale."""
    return locale.strip().replace("_", "-").lower()


@lru_cache(maxsize=1024)
def fallbacks(locale: str) -> tuple[str, ...]:
    """The locales to try, most exact first; the last one, the empty one, is the default variant."""
    tag = normalise(locale)
    chain: list[str] = []
    while tag:
        chain.append(tag)
        if tag in CHINESE_SCRIPTS:
            chain.append(CHINESE_SCRIPTS[tag])
        tag = tag.rpartition("-")[0]
    return (*dict.fromkeys(chain), "")
