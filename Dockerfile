# The images of the operator and of the sidecar, for the platforms linux/amd64 and
# linux/arm64:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=v0.1.0 --target sidecar .
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=v0.1.0 .
#
# BINARY=prebuilt takes dist/COMMAND-OS-ARCH as they are, for builders without network,
# and for releases that sign what is in the image.

ARG GO=docker.io/library/golang:1.26
# Root certificates, a passwd file with the user nonroot, and nothing else.
ARG BASE=gcr.io/distroless/static:nonroot
# The stage that the binaries come from: build or prebuilt.
ARG BINARY=build

# Go compiles for any platform on the builder's own, so nothing is emulated.
FROM --platform=$BUILDPLATFORM ${GO} AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=v0.0.0
WORKDIR /src
# Modules change less often than code does.
COPY go.mod go.sum ./
RUN go mod download
COPY api/ api/
COPY cmd/ cmd/
COPY controllers/ controllers/
COPY internal/ internal/
# The same bytes from the same sources, wherever they are built.
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} GOFLAGS=-mod=readonly \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" \
    -o /out/ ./cmd/tokensync-operator ./cmd/tokensync-sidecar

FROM scratch AS prebuilt
ARG TARGETOS
ARG TARGETARCH
COPY dist/tokensync-operator-${TARGETOS}-${TARGETARCH} /out/tokensync-operator
COPY dist/tokensync-sidecar-${TARGETOS}-${TARGETARCH} /out/tokensync-sidecar

FROM ${BINARY} AS binary

FROM ${BASE} AS image
ARG VERSION=v0.0.0
LABEL org.opencontainers.image.source="https://github.com/tokensync/tokensync" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# By number: the kubelet cannot tell from a name that it is not root.
USER 65532:65532

FROM image AS sidecar
LABEL org.opencontainers.image.title="tokensync-sidecar" \
      org.opencontainers.image.description="Brings declared OAuth tokens into the files of a pod."
COPY --from=binary --chmod=0755 /out/tokensync-sidecar /tokensync-sidecar
ENTRYPOINT ["/tokensync-sidecar"]

# The last one is what a build without a target makes.
FROM image AS operator
LABEL org.opencontainers.image.title="tokensync-operator" \
      org.opencontainers.image.description="Keeps declared OAuth tokens fresh in Secrets."
COPY --from=binary --chmod=0755 /out/tokensync-operator /tokensync-operator
ENTRYPOINT ["/tokensync-operator"]
