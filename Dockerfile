# Two stages: the first installs what the lock file names (hashes checked), the second holds nothing but the result.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
# setuptools comes from the developers' lock file: pip's own build environment would fetch an unlocked one.
COPY requirements-dev.lock pyproject.toml README.md LICENSE ./
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.lock > build.lock \
    && python -m venv /build \
    && /build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r build.lock
COPY bot ./bot
COPY cogs ./cogs
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /venv/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.11-slim
# Numbers of its own, the same in every build: what lies in the volume belongs to them.
RUN groupadd --gid 10001 muster \
    && useradd --uid 10001 --gid muster --no-create-home --home-dir /data --shell /usr/sbin/nologin muster \
    && install -d -o muster -g muster /data
COPY --from=build /venv /venv
# WEB_HOST stays on loopback: the health check below runs inside, and nothing outside needs the server unless services
# are to call the bot (docs/webhooks.md).
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite+aiosqlite:////data/muster.db \
    LOG_FORMAT=json
USER muster
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"WEB_PORT\") or 8080}/healthz', timeout=4)"]
# exec form: SIGTERM reaches the bot itself, which then lets edits in flight finish.
ENTRYPOINT ["muster"]
CMD ["run"]
