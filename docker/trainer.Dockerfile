# The training service and its workers. Targets: `cpu`; `cuda`, the ONNX engine on NVIDIA GPUs; `tfjs-gpu`, tfjs on them.
#   docker build -f docker/trainer.Dockerfile --target cpu -t atelier-trainer .

# Long-term support, Debian slim: onnxruntime and tfjs-node-gpu are built for glibc, and tfjs-node-gpu for Node 20 or 22.
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
COPY services/inference/package.json services/inference/
COPY packages packages
COPY services/trainer services/trainer
# Settings of npm that name a mirror or hold a key come as secrets, of which nothing stays.
RUN --mount=type=cache,id=atelier-npm,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=npm-ca \
    npm ci --omit=dev --workspace services/trainer --no-audit --no-fund
ARG MODEL=fashion-mlp
COPY docker/build docker/build
RUN node docker/build/main.ts trainer cpu /image/app
COPY docker/healthcheck.mjs /image/app/
COPY models/${MODEL} /image/models/${MODEL}
# The three folders that the service writes to are the user's; volumes that are new take that over.
RUN mkdir -p /image/runs /image/data \
    && chmod -R u=rwX,go=rX /image \
    && chown -R 10001:10001 /image/models /image/runs /image/data

FROM scratch AS cpu
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="atelier-trainer" \
    org.opencontainers.image.description="Fits recipes, exports and proves ONNX models, publishes versions" \
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
    TRAINER_HOST=0.0.0.0 \
    TRAINER_PORT=8081 \
    MODELS_DIR=/models \
    RUNS_DIR=/runs \
    TRAINER_DATASET_CACHE=/data/fashion-mnist
WORKDIR /app/services/trainer/compiled
USER 10001:10001
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/healthcheck.mjs", "TRAINER_PORT", "8081"]
# Node is process 1 and takes the signals itself; the programs that it starts end with it. A worker: worker.mjs.
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["main.mjs"]

FROM built AS built-cuda
# `true`, which fetches what there is for this system: onnxruntime-node 1.30 takes `cuda12` for no answer at all.
RUN ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js \
    && node docker/build/main.ts trainer cuda /image/app \
    && chmod -R u=rwX,go=rX /image/app

# NVIDIA publishes CUDA 12 with cuDNN 9 for no Debian.
FROM docker.io/nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04 AS cuda
# As in the image for the CPU: no program that runs as somebody else.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="atelier-trainer" \
    org.opencontainers.image.description="Fits recipes on NVIDIA GPUs by the ONNX engine, exports, proves and publishes" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.base.name="docker.io/nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=built-cuda /image/ /
ENV HOME=/tmp \
    NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    TRAINER_HOST=0.0.0.0 \
    TRAINER_PORT=8081 \
    MODELS_DIR=/models \
    RUNS_DIR=/runs \
    TRAINER_DATASET_CACHE=/data/fashion-mnist
WORKDIR /app/services/trainer/compiled
USER 10001:10001
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/healthcheck.mjs", "TRAINER_PORT", "8081"]
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["main.mjs"]

FROM built AS built-tfjs-gpu
# The version of tfjs-core, on which it registers its backend. Its script fetches TensorFlow's library from outside the registry.
RUN --mount=type=cache,id=atelier-npm,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=npm-ca \
    npm install --no-save --omit=dev --workspace services/trainer --no-audit --no-fund \
        --ignore-scripts=false @tensorflow/tfjs-node-gpu@4.22.0
RUN node docker/build/main.ts trainer tfjs-gpu /image/app \
    && chmod -R u=rwX,go=rX /image/app

# CUDA 11.2 with cuDNN 8.1, which TensorFlow's library in tfjs-node-gpu 4.22 is built for.
FROM docker.io/nvidia/cuda:11.2.2-cudnn8-runtime-ubuntu20.04 AS tfjs-gpu
# As in the image for the CPU: no program that runs as somebody else.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="atelier-trainer" \
    org.opencontainers.image.description="Fits recipes on NVIDIA GPUs by TensorFlow.js, exports, proves and publishes" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.base.name="docker.io/nvidia/cuda:11.2.2-cudnn8-runtime-ubuntu20.04"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=built-tfjs-gpu /image/ /
ENV HOME=/tmp \
    NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    TRAINER_HOST=0.0.0.0 \
    TRAINER_PORT=8081 \
    MODELS_DIR=/models \
    RUNS_DIR=/runs \
    TRAINER_DATASET_CACHE=/data/fashion-mnist
WORKDIR /app/services/trainer/compiled
USER 10001:10001
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/healthcheck.mjs", "TRAINER_PORT", "8081"]
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["main.mjs"]
