# One target a service: capture, inference, inference-tensorflow, gateway, jobs. Builds for amd64 and arm64.
FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/emotii/bin:$PATH
WORKDIR /srv

# Build tools and their caches (pip, uv, hatchling) exist only in these stages.
FROM base AS build
RUN python -m venv /opt/build
COPY requirements.lock .
RUN awk '/^[a-z]/ { ours = /^(uv|hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } ours' requirements.lock > build.txt \
    && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r build.txt
COPY pyproject.toml README.md LICENSE LICENSE-MODELS.md ./
RUN python -m venv --without-pip /opt/emotii
# uv uses the certificates of the image, so a network with its own certificate authority needs only another base image.
ENV VIRTUAL_ENV=/opt/emotii UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_SYSTEM_CERTS=1

# One stage per service installs its dependencies, so that these layers change only with requirements.lock.
FROM build AS capture-build
RUN /opt/build/bin/uv pip install --require-hashes -c requirements.lock -r pyproject.toml --extra capture
FROM build AS inference-build
RUN /opt/build/bin/uv pip install --require-hashes -c requirements.lock -r pyproject.toml --extra inference
FROM build AS inference-tensorflow-build
RUN /opt/build/bin/uv pip install --require-hashes -c requirements.lock -r pyproject.toml --extra inference --extra tensorflow
FROM build AS gateway-build
RUN /opt/build/bin/uv pip install --require-hashes -c requirements.lock -r pyproject.toml --extra gateway
FROM build AS jobs-build
RUN /opt/build/bin/uv pip install --require-hashes -c requirements.lock -r pyproject.toml --extra capture --extra cli

# The code and the models, as a wheel.
FROM build AS wheel
COPY contract contract
COPY capture_service capture_service
COPY inference_service inference_service
COPY api_gateway api_gateway
COPY training training
COPY postprocessing postprocessing
COPY rendering rendering
COPY jobs_service jobs_service
COPY emotii emotii
COPY models models
RUN /opt/build/bin/python -m hatchling build -t wheel -d /wheel

FROM base AS service
RUN pip uninstall --yes --quiet pip setuptools wheel
# The folders of saved faces, history and jobs; a volume that is mounted on one gets its owner.
RUN useradd --system --uid 10001 --no-create-home emotii \
    && install -d -o emotii /srv/saved_faces /srv/history /srv/jobs
USER emotii
ENV EMOTII_METRICS_PORT=9100
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "contract.service.health", "http://127.0.0.1:9100/healthz"]

FROM capture-build AS capture-env
RUN --mount=from=wheel,source=/wheel,target=/wheel /opt/build/bin/uv pip install --no-deps /wheel/*.whl
FROM service AS capture
COPY --from=capture-env /opt/emotii /opt/emotii
CMD ["python", "-m", "capture_service"]

FROM inference-build AS inference-env
RUN --mount=from=wheel,source=/wheel,target=/wheel /opt/build/bin/uv pip install --no-deps /wheel/*.whl
FROM service AS inference
COPY --from=inference-env /opt/emotii /opt/emotii
CMD ["python", "-m", "inference_service"]

FROM inference-tensorflow-build AS inference-tensorflow-env
RUN --mount=from=wheel,source=/wheel,target=/wheel /opt/build/bin/uv pip install --no-deps /wheel/*.whl
FROM service AS inference-tensorflow
ENV EMOTII_ENGINE=tensorflow
COPY --from=inference-tensorflow-env /opt/emotii /opt/emotii
CMD ["python", "-m", "inference_service"]

FROM jobs-build AS jobs-env
RUN --mount=from=wheel,source=/wheel,target=/wheel /opt/build/bin/uv pip install --no-deps /wheel/*.whl
FROM service AS jobs
ENV EMOTII_JOBS=/srv/jobs MPLCONFIGDIR=/tmp
COPY --from=jobs-env /opt/emotii /opt/emotii
CMD ["python", "-m", "jobs_service"]

FROM gateway-build AS gateway-env
RUN --mount=from=wheel,source=/wheel,target=/wheel /opt/build/bin/uv pip install --no-deps /wheel/*.whl
FROM service AS gateway
COPY --from=gateway-env /opt/emotii /opt/emotii
ENV EMOTII_PORT=5000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "contract.service.health", "http://127.0.0.1:5000/healthz"]
EXPOSE 5000
CMD ["python", "-m", "api_gateway"]
