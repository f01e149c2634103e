# One image for every service: `docker build -t millrace:local .`, then `docker run millrace:local run counters`.
FROM python:3.11.14-slim-bookworm AS wheel

WORKDIR /opt/millrace
COPY requirements.build.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.build.lock
COPY pyproject.toml README.md LICENSE ./
COPY streams ./streams
COPY schemas ./schemas
COPY services ./services
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheels .

FROM python:3.11.14-slim-bookworm

COPY requirements.service.lock /opt/
RUN pip install --no-cache-dir --require-hashes -r /opt/requirements.service.lock
COPY --from=wheel /opt/wheels /opt/wheels
RUN pip install --no-cache-dir --no-deps --no-index /opt/wheels/*.whl \
    && useradd --system --uid 10001 --home-dir /var/lib/streams --create-home streams

USER streams
WORKDIR /var/lib/streams
ENV STREAMS_HOME=/var/lib/streams PYTHONUNBUFFERED=1
VOLUME /var/lib/streams
ENTRYPOINT ["streams"]
CMD ["--help"]
