# syntax=docker/dockerfile:1
# Builds the server from source, and puts it, alone, on a base that has nothing but the libraries it needs:
#   docker build --build-arg GIT_COMMIT="$(git rev-parse HEAD)" -t meaningful-connections .
#   docker run --read-only --cap-drop ALL -p 8080:8080 -v mc-data:/data meaningful-connections

FROM rust:1.95.0-slim-bookworm AS build
# Versions are those of the release that the base image names; a pin to a patch would be gone from its mirror with the next one.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential libssl-dev perl pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY migrations migrations
COPY src src
ARG GIT_COMMIT=unknown
ENV GIT_COMMIT=${GIT_COMMIT}
# The caches live beside the image, so what they made is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --bin meaningful-connections \
    && install -D -m 0755 target/release/meaningful-connections /out/usr/local/bin/meaningful-connections \
    && install -d -m 0700 -o 65532 -g 65532 /out/data

# glibc, libgcc and OpenSSL 3, of the same Debian; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG GIT_COMMIT=unknown
LABEL org.opencontainers.image.title="meaningful-connections" \
      org.opencontainers.image.description="The Meaningful Connections Model as a JSON REST API" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.revision="${GIT_COMMIT}"
COPY --from=build /out /
ENV LISTEN=0.0.0.0:8080 \
    METRICS_LISTEN=0.0.0.0:9090 \
    DATA_DIR=/data \
    LOG_FORMAT=json
USER 65532:65532
VOLUME /data
WORKDIR /data
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/meaningful-connections", "health"]
ENTRYPOINT ["/usr/local/bin/meaningful-connections"]
