# The agent, and the command line client beside it. Both images must be of the same distribution release, for what is
# linked natively against the one's libc runs on the other's.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0

FROM ${SDK_IMAGE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends clang zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN dotnet publish src/BpfRemote.Agent --configuration Release --use-current-runtime --output /out \
    && dotnet publish src/BpfRemote.Cli --configuration Release --use-current-runtime --output /out

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libbpf1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --no-create-home --shell /usr/sbin/nologin bpfremote
COPY --from=build /out/bpfremote-agent /out/bpfremote /usr/bin/
ENTRYPOINT ["/usr/bin/bpfremote-agent"]
