"""``weekly-digest``: may wait until nothing else does, and may be muted."""

from pushcenter.demo.data.letter import leave, letter
from pushcenter.demo.data.shapes import Said, TemplateSeed
from pushcenter.lanes import Lane

ARTICLES = """\
          {% for article in articles %}
          <p style="margin:20px 0 0;">
            <a href="{{ article.link }}" style="color:#1f4fd8;font-weight:600;">{{ article.title }}</a><br>
            {{ article.summary }}
          </p>
          {% endfor %}"""

TEXT = """\
{{ headline }}
{% for article in articles %}
* {{ article.title }}
  {{ article.summary }}
  {{ article.link }}
{% endfor %}
"""

WEEKLY_DIGEST = TemplateSeed(
    code="weekly-digest",
    name="Weekly digest",
    category="newsletter",
    priority=Lane.LOW,
    time_to_live=2 * 24 * 3600,
    variables={
        "headline": {
            "type": "string",
            "minLength": 1,
            "maxLength": 120,
            "description": "The week in a line.",
        },
        "articles": {
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "description": "The articles, the most important one first.",
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "description": "The headline of the article."},
                    "summary": {"type": "string", "description": "One or two sentences."},
                    "link": {"type": "string", "pattern": "^https?://", "description": "Where to read on."},
                },
                "required": ["title", "summary", "link"],
                "additionalProperties": False,
            },
        },
    },
    required=["headline", "articles"],
    sample={
        "headline": "Spring teas have arrived",
        "articles": [
            {
                "title": "First harvest of the year",
                "summary": "Picked before the rains, and here within a week.",
                "link": "https://shop.example.com/news/first-harvest",
            },
            {
                "title": "How to brew white tea",
                "summary": "Cooler water, more patience.",
                "link": "https://shop.example.com/news/white-tea",
            },
        ],
    },
    says={
        "email": Said(
            default={
                "subject": "{{ headline }}",
                "preheader": "{{ articles[0].title }}",
                "html": letter(
                    lang="en",
                    sender="Online shop",
                    body='          <p style="margin:0;font-size:20px;font-weight:600;">{{ headline }}</p>\n'
                    + ARTICLES,
                    footer="The weekly digest of our shop." + leave("No more of it"),
                ),
                "text": TEXT + "No more of it: {{ unsubscribe_url }}\n",
            },
            chinese={
                "subject": "一周精选：{{ headline }}",
                "preheader": "{{ articles[0].title }}",
                "html": letter(
                    lang="zh-Hans",
                    sender="网上商城",
                    body='          <p style="margin:0;font-size:20px;font-weight:600;">{{ headline }}</p>\n'
                    + ARTICLES,
                    footer="本商城的每周精选。" + leave("不再接收"),
                ),
                "text": TEXT + "不再接收：{{ unsubscribe_url }}\n",
            },
        ),
    },
)
