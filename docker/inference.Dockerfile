# The inference service. Targets: `cpu`, and `cuda` for NVIDIA GPUs. docker/README.md has the commands.
#   docker build -f docker/inference.Dockerfile --target cpu -t atelier-inference .

# Long-term support, Debian slim: onnxruntime and tfjs-node-gpu are built for glibc.
FROM docker.io/library/node:22.23.3-bookworm-slim AS node

# Debian and Node alone, without programs that run as somebody else than who starts them. In a layer of its own, because
# what is removed from the image below would still be in it.
FROM node AS system
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/share /opt/yarn* /root/.npm \
    && find /usr/local/bin -mindepth 1 ! -name node -delete \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +

FROM node AS built
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
COPY scripts/package.json scripts/
COPY services/trainer/package.json services/trainer/
COPY packages packages
COPY services/inference services/inference
# Settings of npm that name a mirror or hold a key come as secrets, of which nothing stays.
RUN --mount=type=cache,id=atelier-npm,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=npm-ca \
    npm ci --omit=dev --workspace services/inference --no-audit --no-fund
ARG MODEL=fashion-mlp
COPY docker/build docker/build
RUN node docker/build/main.ts inference cpu /image/app
COPY docker/healthcheck.mjs /image/app/
COPY models/${MODEL} /image/models/${MODEL}
RUN chmod -R u=rwX,go=rX /image

FROM scratch AS cpu
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="atelier-inference" \
    org.opencontainers.image.description="Serves a published version: images in, class probabilities out" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.base.name="docker.io/library/node:22.23.3-bookworm-slim"
COPY --from=system / /
COPY --from=built /image/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    DEVICE=cpu \
    INFERENCE_HOST=0.0.0.0 \
    INFERENCE_PORT=8080 \
    MODELS_DIR=/models
WORKDIR /app/services/inference/compiled
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/healthcheck.mjs", "INFERENCE_PORT", "8080"]
# Node is process 1 and takes the signals itself; the programs that it starts end with it.
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["main.mjs"]

FROM built AS built-cuda
# `true`, which fetches what there is for this system: onnxruntime-node 1.30 takes `cuda12` for no answer at all.
RUN ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js \
    && node docker/build/main.ts inference cuda /image/app \
    && chmod -R u=rwX,go=rX /image/app

# NVIDIA publishes CUDA 12 with cuDNN 9 for no Debian.
FROM docker.io/nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04 AS cuda
# As in the image for the CPU: no program that runs as somebody else.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="atelier-inference" \
    org.opencontainers.image.description="Serves a published version on NVIDIA GPUs: images in, class probabilities out" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.base.name="docker.io/nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=built-cuda /image/ /
# A container that shall use a GPU and cannot must say so and not be slow: cuda, not auto.
ENV HOME=/tmp \
    NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    DEVICE=cuda \
    INFERENCE_HOST=0.0.0.0 \
    INFERENCE_PORT=8080 \
    MODELS_DIR=/models
WORKDIR /app/services/inference/compiled
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=120s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/healthcheck.mjs", "INFERENCE_PORT", "8080"]
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["main.mjs"]
