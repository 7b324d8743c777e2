# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0

# The compiler runs on the machine that builds; only its output is for the target platform.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src

# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$VERSION" -o /out/rostra .

# Nothing but the program and the roots it trusts. The time zones are in the program.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/rostra /rostra
# By number, so that runAsNonRoot can check it.
USER 65532:65532
ENTRYPOINT ["/rostra"]
