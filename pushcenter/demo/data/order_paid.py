"""``order-paid``: the shop has the money. To the customer's inbox and mail, and to the customer's program."""

from pushcenter.demo.data.letter import button, leave, letter
from pushcenter.demo.data.shapes import Said, TemplateSeed

ROWS = """\
          <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:18px 0;">
            {% for item in items %}
            <tr>
              <td style="padding:8px 0;border-bottom:1px solid #e4e8ee;">{{ item.name }} × {{ item.quantity }}</td>
              <td align="right" style="padding:8px 0;border-bottom:1px solid #e4e8ee;">{{ item.price }}</td>
            </tr>
            {% endfor %}
            <tr>
              <td style="padding:10px 0;font-weight:600;">LABEL</td>
              <td align="right" style="padding:10px 0;font-weight:600;">{{ currency }} {{ amount }}</td>
            </tr>
          </table>
"""

ENGLISH_HTML = letter(
    lang="en",
    sender="Online shop",
    body=(
        '          <p style="margin:0;">Dear {{ recipient.name or "customer" }},</p>\n'
        "          <p>your payment has arrived. We are packing order <strong>{{ order_no }}</strong> now.</p>\n"
        + ROWS.replace("LABEL", "Total")
        + "          {% if order_url %}"
        + button(link="{{ order_url }}", text="See the order")
        + "{% endif %}"
    ),
    footer="You receive this mail because you ordered in our shop." + leave("No mails about orders"),
)

ENGLISH_TEXT = """\
Dear {{ recipient.name or "customer" }},

your payment has arrived. We are packing order {{ order_no }} now.

{% for item in items %}- {{ item.name }} x {{ item.quantity }}: {{ item.price }}
{% endfor %}
Total: {{ currency }} {{ amount }}
{% if order_url %}
See the order: {{ order_url }}
{% endif %}
No mails about orders: {{ unsubscribe_url }}
"""

CHINESE_HTML = letter(
    lang="zh-Hans",
    sender="网上商城",
    body=(
        '          <p style="margin:0;">{{ recipient.name or "顾客" }}，您好：</p>\n'
        "          <p>我们已收到您的付款，订单 <strong>{{ order_no }}</strong> 正在备货。</p>\n"
        + ROWS.replace("LABEL", "合计")
        + "          {% if order_url %}"
        + button(link="{{ order_url }}", text="查看订单")
        + "{% endif %}"
    ),
    footer="您收到这封邮件，是因为您在我们的商城下了单。" + leave("不再接收订单邮件"),
)

CHINESE_TEXT = """\
{{ recipient.name or "顾客" }}，您好：

我们已收到您的付款，订单 {{ order_no }} 正在备货。

{% for item in items %}- {{ item.name }} × {{ item.quantity }}：{{ item.price }}
{% endfor %}
合计：{{ currency }} {{ amount }}
{% if order_url %}
查看订单：{{ order_url }}
{% endif %}
不再接收订单邮件：{{ unsubscribe_url }}
"""

DATA = """\
{
  "order_no": {{ order_no|tojson }},
  "amount": {{ amount|tojson }},
  "currency": {{ currency|tojson }},
  "items": {{ items|tojson }},
  "customer": {{ recipient.id|tojson }}
}"""

ORDER_PAID = TemplateSeed(
    code="order-paid",
    name="Order paid",
    category="orders",
    variables={
        "order_no": {"type": "string", "minLength": 1, "maxLength": 40, "description": "The order's number."},
        "amount": {
            "type": "string",
            "pattern": r"^\d{1,9}(\.\d{2})?$",
            "description": "What was paid, such as 299.00.",
        },
        "currency": {
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "default": "CNY",
            "description": "ISO 4217 code of the currency.",
        },
        "items": {
            "type": "array",
            "default": [],
            "maxItems": 100,
            "description": "What was bought.",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "The article's name."},
                    "quantity": {"type": "integer", "minimum": 1, "description": "How many."},
                    "price": {"type": "string", "description": "The price of all of them."},
                },
                "required": ["name", "quantity", "price"],
                "additionalProperties": False,
            },
        },
        "order_url": {
            "type": "string",
            "format": "uri",
            "pattern": "^https?://",
            "description": "The page of the order, for a button.",
        },
    },
    required=["order_no", "amount"],
    sample={
        "order_no": "SO-20260318-0042",
        "amount": "328.00",
        "currency": "CNY",
        "items": [
            {"name": "Green tea 250 g", "quantity": 2, "price": "128.00"},
            {"name": "Porcelain cup", "quantity": 1, "price": "200.00"},
        ],
        "order_url": "https://shop.example.com/orders/SO-20260318-0042",
    },
    says={
        "inbox": Said(
            default={
                "title": "Order {{ order_no }} is paid",
                "body": "We received {{ currency }} {{ amount }} and are packing your order.",
                "link": "{{ order_url }}",
            },
            chinese={
                "title": "订单 {{ order_no }} 已付款",
                "body": "我们已收到 {{ currency }} {{ amount }}，正在为您备货。",
                "link": "{{ order_url }}",
            },
        ),
        "email": Said(
            default={
                "subject": "Your order {{ order_no }} is paid",
                "preheader": "{{ currency }} {{ amount }} received",
                "html": ENGLISH_HTML,
                "text": ENGLISH_TEXT,
            },
            chinese={
                "subject": "您的订单 {{ order_no }} 已付款",
                "preheader": "已收到 {{ currency }} {{ amount }}",
                "html": CHINESE_HTML,
                "text": CHINESE_TEXT,
            },
        ),
        "webhook": Said(default={"event": "order.paid", "data": DATA}),
    },
)
