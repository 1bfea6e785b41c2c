# amae in a container, with every command; serves by default.
#
#   docker build -t amae .
#   docker run --rm -p 127.0.0.1:8080:8080 -v "$PWD/checkpoints:/checkpoints:ro" amae serve --host 0.0.0.0 NAME
#
# NAME is a bundle in checkpoints/; without words behind the image it is `model`. docs/serve.md says the rest.

FROM debian:trixie-slim AS build
WORKDIR /amae
COPY tools/install_deps tools/
RUN tools/install_deps && rm -rf /var/lib/apt/lists/*
COPY . .
# All that is installed, without the tests; a newer compiler's warnings are no reason to have no image.
RUN AMAE_WERROR=OFF tools/build release amae amae_plugins \
 && cpack --config build/CPackConfig.cmake -G DEB -B /package

FROM debian:trixie-slim
# The package names its libraries; the BLAS is the one that shares LibTorch's threads, curl is for the health check.
RUN --mount=type=bind,from=build,source=/package,target=/package \
    apt-get update \
 && apt-get install -y --no-install-recommends /package/amae_*.deb libopenblas0-openmp curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/amae --shell /usr/sbin/nologin amae \
 && install -d -o amae -g amae /checkpoints

USER 10001
ENV HOME=/var/lib/amae AMAE_CHECKPOINTS=/checkpoints
WORKDIR /var/lib/amae
VOLUME /checkpoints
EXPOSE 8080
# What has begun is answered for up to 10 s after SIGTERM: docker stop -t 30.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
  CMD curl -fsS -o /dev/null http://127.0.0.1:8080/readyz || exit 1
ENTRYPOINT ["amae"]
CMD ["serve", "--host", "0.0.0.0", "model"]
