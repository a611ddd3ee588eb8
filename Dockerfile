# The server with what it runs: git, and certificate authorities. Templates are built in.
#
#   docker build --tag landfall .
#   docker run --init --publish 8080:8080 --volume landfall:/data --env-file landfall.env landfall
#
# `--init` collects what git leaves behind; a host with an init process of its own needs no such flag.

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
# Dependencies and what was built stay in a cache of the builder, so that a changed line does not build everything again.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package landfall \
    && cp target/release/landfall /usr/local/bin/landfall

# Debian 13 has git 2.47; Landfall needs 2.43 or later.
FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --uid 10001 --no-create-home --home-dir /data landfall \
    && install --directory --owner landfall --group landfall /data
COPY --from=build /usr/local/bin/landfall /usr/local/bin/landfall
USER landfall
WORKDIR /data
VOLUME /data
ENV LANDFALL_LISTEN=0.0.0.0:8080 LANDFALL_DATA_DIR=/data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["landfall"]
CMD ["serve"]
