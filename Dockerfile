# One image for web and worker; compose.yaml shows both.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin pushcenter \
    && install -d -o pushcenter -g pushcenter -m 700 /data
WORKDIR /app

# The packages change more rarely than the code, so they are a layer of their own.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY . .
RUN python -m compileall -q .

ENV PUSHCENTER_DATA=/data
USER pushcenter
EXPOSE 8000
CMD ["gunicorn", "--config", "python:pushcenter.gunicorn_conf", "--bind", "0.0.0.0:8000", "pushcenter.wsgi"]
