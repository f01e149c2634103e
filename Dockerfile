# One image for every service: `docker build -t millrace:local .`, then `docker run millrace:local run counters`.
FROM python:3.11.14-slim-bookworm

WORKDIR /opt/millrace
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY streams ./streams
COPY schemas ./schemas
COPY services ./services
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --uid 10001 --home-dir /var/lib/streams --create-home streams

USER streams
WORKDIR /var/lib/streams
ENV STREAMS_HOME=/var/lib/streams PYTHONUNBUFFERED=1
VOLUME /var/lib/streams
ENTRYPOINT ["streams"]
CMD ["--help"]
