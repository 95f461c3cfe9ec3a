# Build:  docker build -t green-inbox .
# Run, behind a proxy with TLS on the host (deploy/nginx.conf as it is):
#   docker run -d --name green-inbox -p 127.0.0.1:8080:8080 -v green-inbox:/data \
#     -e GREEN_INBOX__INGEST__TOKENS='Bearer <webhookUrlToken>' \
#     -e GREEN_INBOX__INGEST__TRUSTED_PROXIES=172.17.0.1/32 green-inbox
# 172.17.0.1 is how Docker's default network shows a peer on the host. While it is trusted, publish the port on 127.0.0.1
# only: Docker may show others by that address too, and they could then name any source.

# ---- dependencies: a layer that changes only with the manifest and the lock file ----
# The slim image has gcc and the C headers, which is all that SQLite's C source asks for.
FROM rust:1.95.0-slim-bookworm AS dependencies
# RUST_VERSION comes from the base image. Without this, rust-toolchain.toml makes rustup fetch rustfmt and clippy,
# which a build never runs.
ENV RUSTUP_TOOLCHAIN=$RUST_VERSION
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
# How SQLite is built in.
COPY .cargo .cargo
# An empty program in place of ours builds every dependency. Its own artefacts are then removed, because cargo tells a
# change by file times, and a checkout may be older than this layer.
RUN mkdir src && touch src/lib.rs && echo 'fn main() {}' > src/main.rs \
 && cargo build --release --locked \
 && cargo clean --release --locked --package green-inbox \
 && rm -r src

# ---- build ----
FROM dependencies AS build
COPY . .
RUN cargo build --release --locked
# The final image has no shell to make a folder with.
RUN mkdir /data

# ---- final: no shell, no package manager; glibc of the same Debian release as the build stage ----
FROM gcr.io/distroless/cc-debian12:nonroot

# Owned by root, so that the program cannot overwrite itself.
COPY --from=build /build/target/release/green-inbox /usr/local/bin/green-inbox
# A new named volume takes its owner from here. A bind-mounted folder does not: chown it to 65532 on the host.
COPY --from=build --chown=65532:65532 /data /data

# Numeric, so that an orchestrator can see that it is not root.
USER 65532:65532
# The base image's is the home folder. From here a mounted /config/green-inbox.toml is found without an argument.
WORKDIR /

# Only what a container needs otherwise than a host does. The private listener stays on the container's own loopback:
# private.listen beyond it is refused without private.tokens.
ENV GREEN_INBOX__STORAGE__PATH=/data/green-inbox.db \
    GREEN_INBOX__INGEST__LISTEN=0.0.0.0:8080
# SQLite's temporary files: with a read-only root there is no /tmp, and the volume has the room for a large one.
ENV SQLITE_TMPDIR=/data

VOLUME /data
# 8081 only where GREEN_INBOX__PRIVATE__LISTEN=0.0.0.0:8081 and a private token are set (README.md).
EXPOSE 8080 8081

# The start period covers a migration of a large database.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/green-inbox", "healthcheck"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/green-inbox"]
CMD ["serve"]

# Last, so that a new revision does not throw away a layer above.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="green-inbox" \
      org.opencontainers.image.description="A durable webhook receiver for GREEN-API: what was answered 200 is on disk" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
