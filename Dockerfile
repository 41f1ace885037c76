# Forecourt in a container: not root, its own files read-only, everything it keeps under /data.
#
#   docker build --tag forecourt .
#   docker run --rm --read-only --tmpfs /tmp --volume forecourt:/data --publish 8000:8000 \
#     forecourt demo --host 0.0.0.0

FROM python:3.11-slim-bookworm AS build

# The packages first: they change less often than the program does.
COPY requirements.lock /build/
RUN python -m venv /opt/forecourt \
 && /opt/forecourt/bin/pip install --no-cache-dir --require-hashes \
      --requirement /build/requirements.lock

COPY pyproject.toml README.md LICENSE /build/
COPY api /build/api
COPY domain /build/domain
COPY migrations /build/migrations
COPY ml /build/ml
# The lock holds the build tools as well, so nothing that is not in it is fetched; nor is anything
# needed once the container runs.
RUN /opt/forecourt/bin/pip install --no-cache-dir --no-deps --no-build-isolation /build \
 && /opt/forecourt/bin/python -m pip uninstall --yes setuptools pip


FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin forecourt \
 && install --directory --owner=forecourt --group=forecourt --mode=0700 /data
COPY --from=build /opt/forecourt /opt/forecourt

ENV PATH=/opt/forecourt/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FORECOURT_DATA_DIR=/data \
    FORECOURT_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# SIGTERM ends it gracefully; this is the default, and nobody should change it.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=3)"]
ENTRYPOINT ["forecourt"]
CMD ["serve", "--host", "0.0.0.0"]
