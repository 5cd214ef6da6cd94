# docker build -t driftline .                                            the base, PostgreSQL, buckets and XGBoost
# docker build --build-arg EXTRAS=aws,postgres,onnx,sklearn -t driftline .
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY deploy/install.py deploy/install.py
COPY src src
ARG EXTRAS=aws,postgres,xgboost
RUN python -m venv /build && /build/bin/pip install --quiet --disable-pip-version-check "hatchling>=1.25" \
 && /build/bin/python -m hatchling build --target wheel --directory /wheel \
 && python -m venv /opt/driftline \
 && /opt/driftline/bin/python deploy/install.py /wheel/driftline-*.whl requirements.lock "$EXTRAS" \
 && /opt/driftline/bin/pip uninstall --quiet --yes pip setuptools

FROM python:${PYTHON}-slim
# A process of a server may leave children behind when it is killed. PID 1 must take those, which tini does; it hands
# SIGTERM on to driftline, which ends its processes within ten seconds.
RUN apt-get update && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 driftline && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data driftline \
 && mkdir /data && chown 10001:10001 /data
COPY --from=build /opt/driftline /opt/driftline
ENV PATH=/opt/driftline/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/data
USER 10001:10001
# The root may be read-only: driftline writes to /data and, while a run spills, to /tmp.
VOLUME /data
WORKDIR /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["tini", "--", "driftline"]
# Keys, passwords and tokens come with the environment at run time, never into a layer (docs/configuration.md).
CMD ["serve", "--data", "/data", "--host", "0.0.0.0", "--port", "8080", "--access", "on"]
