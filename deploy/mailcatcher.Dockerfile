# The mail catcher of trial platforms: docker build -f deploy/mailcatcher.Dockerfile -t nexi-web-mailcatcher .
FROM python:3.11-slim AS build
WORKDIR /build
COPY deploy/requirements/mailcatcher.txt ./
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --only-binary :all: --require-hashes -r mailcatcher.txt
COPY deploy/local/mailcatcher /app/deploy/local/mailcatcher
RUN python -m compileall -q /opt/venv /app

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
RUN install -d -m 700 -o 10001 -g 10001 /state
USER 10001:10001
WORKDIR /state
EXPOSE 2525 8025
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8025/', timeout=2)"]
ENTRYPOINT ["python", "-m", "deploy.local.mailcatcher"]
CMD ["--host", "0.0.0.0", "--smtp-port", "2525", "--web-port", "8025", "--directory", "/state"]
