"""Every setting, read from the environment or from ``.env``. docs/configuration.md describes each one."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from pushcenter import embedded
from pushcenter.console import UNFOLD  # noqa: F401  (a setting)
from pushcenter.environment import Environment
from pushcenter.trial import trial_secrets

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
Environment.read_env(BASE_DIR / ".env", overwrite=False)

# --- Where it lives ---------------------------------------------------------------------------------------

PUSHCENTER_DATA = Path(env.str("PUSHCENTER_DATA", default=str(BASE_DIR / "var"))).resolve()
PORT = env.number("PORT", default=8000)
BASE_URL = env.str("BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")

# Without a DATABASE_URL this is a trial on one machine: bundled database, generated keys, local demo targets.
DATABASE_URL = env.str("DATABASE_URL", default="")
TRIAL = not DATABASE_URL
EMBEDDED_FSYNC = env.switch("EMBEDDED_FSYNC", default=True)

# --- Keys --------------------------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
FIELD_KEYS = env.list("FIELD_KEYS", default=[])
if TRIAL and not (SECRET_KEY and FIELD_KEYS):
    generated = trial_secrets(PUSHCENTER_DATA)
    SECRET_KEY = SECRET_KEY or generated.secret_key
    FIELD_KEYS = FIELD_KEYS or [generated.field_key]
if not SECRET_KEY or not FIELD_KEYS:
    raise ImproperlyConfigured("set SECRET_KEY and FIELD_KEYS; with a DATABASE_URL no key is generated")

# --- Web ---------------------------------------------------------------------------------------------------

DEBUG = env.switch("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if TRIAL else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
WEB_WORKERS = env.number("WEB_WORKERS", default=2)
WEB_THREADS = env.number("WEB_THREADS", default=16)
INBOX_STREAMS = env.number("INBOX_STREAMS", default=500)
INBOX_STREAM_SECONDS = env.number("INBOX_STREAM_SECONDS", default=300)
MAX_BODY_BYTES = env.number("MAX_BODY_BYTES", default=1_000_000)
MAX_BATCH_BYTES = env.number("MAX_BATCH_BYTES", default=20_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
# The page of a version has a dozen fields for each channel and language.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
THROTTLE_WHEN_AWAY = env.one_of("THROTTLE_WHEN_AWAY", ["admit", "refuse"], default="admit")

HTTPS = env.switch("HTTPS", default=not TRIAL)
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.switch("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"

ROOT_URLCONF = "pushcenter.urls"
WSGI_APPLICATION = "pushcenter.wsgi.application"
APPEND_SLASH = True

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "pushcenter.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pushcenter.apps.PushCenterConfig",  # before django_q, whose qcluster it wraps
    "django_q",
    "pushcenter.access",
    "pushcenter.recipients",
    "templates_app",
    "channels_app",
    "pushcenter.messaging",
    "analytics_app",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "pushcenter.csp.ContentSecurityPolicy",
    "pushcenter.access.door.Door",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pushcenter.console_middleware.Sessions",
    "pushcenter.console_middleware.Languages",
    "django.middleware.common.CommonMiddleware",
    "pushcenter.console_middleware.Forms",
    "pushcenter.console_middleware.Users",
    "pushcenter.console_middleware.Notices",
    "pushcenter.console_middleware.Frames",
]

# Both middlewares are there, restricted to what people use: the check knows them only by their old names.
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W003"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# --- Database ----------------------------------------------------------------------------------------------

if TRIAL:
    DATABASES = {"default": embedded.database_settings(PUSHCENTER_DATA, fsync=EMBEDDED_FSYNC)}
else:
    DATABASES = {"default": env.postgresql("DATABASE_URL")}
# A connection is dear to open and cheap to keep; the check at the start of a request costs one round trip.
DATABASES["default"].setdefault("CONN_MAX_AGE", 300)
DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Accounts of people ------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"

# --- Languages and time ------------------------------------------------------------------------------------

# All words are marked for translation; a language is offered when all of them are translated. The first one is that
# of the source, of the API and of what is stored.
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LANGUAGE_CODE = "en"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"  # as written in pushcenter/language.py, too
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.zone("TIME_ZONE", default="UTC")
USE_TZ = True
FORMAT_MODULE_PATH = ["pushcenter.formats"]
USE_I18N = True

# --- API ---------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["pushcenter.access.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["pushcenter.access.permissions.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["pushcenter.access.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "pushcenter.access.negotiation.AlwaysJSON",
    "EXCEPTION_HANDLER": "pushcenter.access.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Push Center",
    "DESCRIPTION": "One call sends a notification over every channel that its recipient can be reached on.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": ["pushcenter.access.openapi.document.complete"],
    "TAGS": [
        {"name": "messages", "description": "Send notifications, and see what became of each."},
        {"name": "batches", "description": "Many messages at once: their progress, and how to stop them."},
        {"name": "recipients", "description": "The people of the directory, their addresses and wishes."},
        {"name": "groups", "description": "Groups of recipients, and who belongs to them."},
        {"name": "inbox", "description": "What a site or an app shows its user."},
        {"name": "templates", "description": "What can be sent, and how it looks."},
        {"name": "figures", "description": "What people did after a message, and the sums of it all."},
        {"name": "keys", "description": "Who calls, what is permitted, and the keys of its own system."},
    ],
}

# --- Queue and dispatch ------------------------------------------------------------------------------------

WORKERS = env.number("WORKERS", default=4)
# Models cannot be imported while settings are read; a test holds these names against pushcenter.lanes.
LANES = env.some_of("LANES", ["critical", "high", "normal", "low"])
LANE_WINDOWS = env.numbers("LANE_WINDOWS", {"critical": 500, "high": 500, "normal": 1500, "low": 300})
DISPATCH_SECONDS = env.number("DISPATCH_SECONDS", default=10)
DISPATCH_LINGER_MS = env.number("DISPATCH_LINGER_MS", default=300)
LEASE_SECONDS = env.number("LEASE_SECONDS", default=90)
DEFAULT_TIME_TO_LIVE = env.number("DEFAULT_TIME_TO_LIVE", default=3 * 24 * 3600)

# A large batch or broadcast sends a first slice, and the rest waits for what becomes of it.
BRAKE_ABOVE = env.number("BRAKE_ABOVE", default=10_000)
BRAKE_SLICE = env.number("BRAKE_SLICE", default=500)
BRAKE_WAIT = env.number("BRAKE_WAIT", default=60)
BRAKE_FAILURES = env.share("BRAKE_FAILURES", default=0.2)
BRAKE_COMPLAINTS = env.share("BRAKE_COMPLAINTS", default=0.01)

Q_CLUSTER = {
    "name": "pushcenter",
    "orm": "default",
    "broker_class": "pushcenter.messaging.queue.LaneBroker",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 1,
    "poll": 0.1,
    # A task is acknowledged once, whatever its end: what it left undone, the sweep finds in the rows themselves.
    "ack_failures": True,
    "max_attempts": 1,
    "timeout": 8 * DISPATCH_SECONDS + 2 * LEASE_SECONDS,
    "retry": 8 * DISPATCH_SECONDS + 3 * LEASE_SECONDS,
    "save_limit": -1,
    "recycle": 10_000,
    "catch_up": False,
    "label": "Queue",
    "log_level": "WARNING",
}

# --- Watching over it --------------------------------------------------------------------------------------

AUDIT_SECONDS = env.number("AUDIT_SECONDS", default=300)
# For how long a due delivery may wait, by lane, before operators are alerted.
LATE_SECONDS = {
    "critical": env.number("LATE_CRITICAL_SECONDS", default=60),
    "high": env.number("LATE_HIGH_SECONDS", default=120),
    "normal": env.number("LATE_NORMAL_SECONDS", default=600),
    "low": env.number("LATE_LOW_SECONDS", default=3600),
}
WORKER_SILENT_SECONDS = env.number("WORKER_SILENT_SECONDS", default=180)
IN_DOUBT_LIMIT = env.number("IN_DOUBT_LIMIT", default=100)

# Who may read /metrics: whoever knows the token, and these networks.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS = env.list("METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"])

# --- Outbound calls ----------------------------------------------------------------------------------------

# Networks that webhooks may reach although they are private; the trial's receiver listens on loopback.
OUTBOUND_ALLOWED_NETWORKS = env.list(
    "OUTBOUND_ALLOWED_NETWORKS", default=["127.0.0.0/8", "::1/128"] if TRIAL else []
)

# --- The trial's own mail sink and webhook receiver --------------------------------------------------------

DEMO_SMTP_PORT = env.number("DEMO_SMTP_PORT", default=PORT + 25)
DEMO_HTTP_PORT = env.number("DEMO_HTTP_PORT", default=PORT + 80)

# --- Logging -----------------------------------------------------------------------------------------------

LOG_LEVEL = env.one_of("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "pushcenter": {"level": LOG_LEVEL},
        "channels_app": {"level": LOG_LEVEL},
        # A refused request is its caller's business and has its answer.
        "django.request": {"level": "ERROR"},
        "django-q": {"level": "WARNING", "handlers": ["console"], "propagate": False},
    },
}
