# Synd's image. The classic builder and BuildKit both build it: nothing here needs BuildKit.
# In the last stage: Debian, Node, dist/ and the production dependencies. No compiler, no npm.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG DEBIAN_IMAGE=debian:bookworm-slim

# ── what compiles ────────────────────────────────────────────────────────────────────────────────
FROM ${NODE_IMAGE} AS compilers
# node-gyp takes Node's headers from here instead of downloading them.
ENV npm_config_nodedir=/usr/local \
    npm_config_update_notifier=false \
    npm_config_fund=false \
    npm_config_audit=false
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app

# ── production dependencies, with ssh2's native crypto (twice the speed of its JavaScript) ───────
FROM compilers AS modules
COPY package.json package-lock.json ./
COPY scripts/build-native-crypto.js scripts/
# The last line fails the build where the native crypto was not built or does not load.
RUN npm ci --omit=dev --ignore-scripts \
 && node scripts/build-native-crypto.js \
 && mv node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node /tmp/ \
 && rm -rf node_modules/ssh2/lib/protocol/crypto/build node_modules/.package-lock.json node_modules/.bin \
 && mkdir -p node_modules/ssh2/lib/protocol/crypto/build/Release \
 && mv /tmp/sshcrypto.node node_modules/ssh2/lib/protocol/crypto/build/Release/ \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && node -e "require('/app/node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node')"

# ── dist/ ────────────────────────────────────────────────────────────────────────────────────────
FROM compilers AS dist
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

# ── everything in its place, readable for any user, writable for none ────────────────────────────
FROM compilers AS assembled
WORKDIR /out/app
COPY package.json LICENSE ./
COPY bin bin
COPY proto proto
COPY --from=dist /app/dist dist
COPY --from=modules /app/node_modules node_modules
COPY deploy/image/entrypoint.sh /out/usr/local/bin/synd-entrypoint
RUN mkdir -p /out/usr/local/bin \
 && cp /usr/local/bin/node /out/usr/local/bin/node \
 && ln -s /app/bin/synd.js /out/usr/local/bin/synd \
 && chmod -R u=rwX,go=rX /out \
 && chmod 0755 /out/app/bin/synd.js /out/usr/local/bin/synd-entrypoint

# ── the image ────────────────────────────────────────────────────────────────────────────────────
FROM ${DEBIAN_IMAGE}
# A named volume takes owner and mode of /data from here when it is first used.
RUN groupadd --gid 1000 synd \
 && useradd --uid 1000 --gid 1000 --no-create-home --home-dir / --shell /usr/sbin/nologin synd \
 && mkdir -p /etc/synd/ssh /data \
 && chown 1000:1000 /data
COPY --from=assembled /out /
# Hashing must not wait behind slow stats: libuv's four threads are too few.
ENV NODE_ENV=production \
    UV_THREADPOOL_SIZE=16
USER 1000:1000
WORKDIR /
# change notifications (gRPC), the SCP source (SSH), metrics and health (HTTP)
EXPOSE 50051 2222 9464
STOPSIGNAL SIGTERM
# Each check is a process of its own, a quarter of a second of one core: twice a minute is enough.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=2 CMD ["synd", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/synd-entrypoint"]
CMD ["run"]

ARG DEBIAN_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="synd" \
      org.opencontainers.image.description="Keeps a directory equal on several hosts: a sidecar that notifies over gRPC and pulls over SCP." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${DEBIAN_IMAGE}"
