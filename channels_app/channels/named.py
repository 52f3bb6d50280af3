"""What differs by provider within one content field, such as the id of an approved template."""


def of_adapter(text: str, adapter: str) -> str:
    """The part for one adapter of ``aliyun_sms=SMS_1, tencent_sms=2``; the whole where it names none.

    Empty where other adapters are named and this one is not.
    """
    if "=" not in text:
        return text.strip()
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip(): value.strip() for name, _equals, value in pairs}.get(adapter, "")
