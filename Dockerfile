# Build:  docker build -t green-inbox .
# Run behind a TLS proxy on the host (an unmodified deploy/nginx.conf):
#   docker run -d --name green-inbox -p 127.0.0.1:8080:8080 -v green-inbox:/data \
#     -e GREEN_INBOX__INGEST__TOKENS='Bearer <webhookUrlToken>' \
#     -e GREEN_INBOX__INGEST__TRUSTED_PROXIES=172.17.0.1/32 green-inbox
# On Docker's default network, peers on the host have the address 172.17.0.1. While it is trusted, publish the port on
# 127.0.0.1 only: Docker may show other peers under that address too, and they could then claim any client address.

# ---- dependencies: a layer that changes only with the manifest and the lock file ----
# The slim image has gcc and the C headers, which is all that SQLite's C source needs.
FROM rust:1.95.0-slim-bookworm AS dependencies
# RUST_VERSION comes from the base image. Without this line rust-toolchain.toml makes rustup fetch rustfmt and clippy,
# which the build never runs.
ENV RUSTUP_TOOLCHAIN=$RUST_VERSION
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
# Compile-time options of the bundled SQLite.
COPY .cargo .cargo
# Builds every dependency with an empty program. Its own artefacts are then removed, because cargo detects changes by
# file times and a checkout may be older than this layer.
RUN mkdir src && touch src/lib.rs && echo 'fn main() {}' > src/main.rs \
 && cargo build --release --locked \
 && cargo clean --release --locked --package green-inbox \
 && rm -r src

# ---- build ----
FROM dependencies AS build
COPY . .
RUN cargo build --release --locked
# The final image has no shell that could create a folder.
RUN mkdir /data

# ---- final: no shell, no package manager; glibc of the same Debian release as the build stage ----
FROM gcr.io/distroless/cc-debian12:nonroot

# Owned by root, so that the program cannot overwrite its own binary.
COPY --from=build /build/target/release/green-inbox /usr/local/bin/green-inbox
# A new named volume inherits this owner. A bind-mounted folder does not: chown it to 65532 on the host.
COPY --from=build --chown=65532:65532 /data /data

# Numeric, so that an orchestrator can verify that the user is not root.
USER 65532:65532
# The base image uses the home folder. From / the program finds a mounted /config/green-inbox.toml without an argument.
WORKDIR /

# Only the settings that differ between a container and a host. The private listener stays on the container's loopback:
# another private.listen is refused without private.tokens.
ENV GREEN_INBOX__STORAGE__PATH=/data/green-inbox.db \
    GREEN_INBOX__INGEST__LISTEN=0.0.0.0:8080
# SQLite's temporary files go to the volume: with a read-only root there is no /tmp, and the volume has room for a
# large one.
ENV SQLITE_TMPDIR=/data
# glibc keeps memory for each thread. Two arenas are enough, and take several megabytes less (docs/performance.md).
ENV MALLOC_ARENA_MAX=2

VOLUME /data
# 8081 works only with GREEN_INBOX__PRIVATE__LISTEN=0.0.0.0:8081 and a private token (README.md).
EXPOSE 8080 8081

# The start period covers a migration of a large database.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/green-inbox", "healthcheck"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/green-inbox"]
CMD ["serve"]

# Last, so that a new revision does not invalidate the layers above.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="green-inbox" \
      org.opencontainers.image.description="A durable webhook receiver for GREEN-API: what was answered 200 is on disk" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
