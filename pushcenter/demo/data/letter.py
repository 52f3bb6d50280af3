"""The frame of the demo's mails: one column that fits a phone, styles in place as mail programs want them."""

FONTS = "-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',Arial,sans-serif"

FRAME = """\
<!doctype html>
<html lang="{lang}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light">
</head>
<body style="margin:0;padding:0;background:#eef1f5;">
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eef1f5;">
    <tr><td align="center" style="padding:24px 12px;">
      <table role="presentation" width="100%" cellpadding="0" cellspacing="0"
             style="max-width:560px;background:#ffffff;border-radius:10px;">
        <tr><td style="padding:20px 28px;border-bottom:1px solid #e4e8ee;font:600 15px {fonts};color:#1f4fd8;">
          {sender}
        </td></tr>
        <tr><td style="padding:28px;font:16px/1.6 {fonts};color:#1c2330;">
{body}
        </td></tr>
        <tr><td style="padding:18px 28px;border-top:1px solid #e4e8ee;font:13px/1.5 {fonts};color:#667085;">
          {footer}
        </td></tr>
      </table>
    </td></tr>
  </table>
</body>
</html>
"""

BUTTON = (
    '<p style="margin:24px 0 0;"><a href="{link}" style="display:inline-block;padding:11px 22px;'
    'background:#1f4fd8;color:#ffffff;text-decoration:none;border-radius:6px;">{text}</a></p>'
)


def letter(*, lang: str, sender: str, body: str, footer: str) -> str:
    """The source of a mail's HTML part; ``body`` and ``footer`` are template source themselves."""
    return FRAME.format(lang=lang, sender=sender, body=body, footer=footer, fonts=FONTS)


def leave(text: str) -> str:
    """A link out of the category, for the end of a footer."""
    return f' <a href="{{{{ unsubscribe_url }}}}" style="color:#667085;">{text}</a>'


def button(*, link: str, text: str) -> str:
    return BUTTON.format(link=link, text=text)
