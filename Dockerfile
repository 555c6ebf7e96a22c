# The image: the program and the authorities that the system trusts, nothing else, and for anybody but root. `make image`
# builds it. It has to run on every node, so it asks little of the processor: --build-arg GOAMD64=v3 makes handshakes 5 to 9 %
# cheaper on what servers have had since about 2015.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG GOAMD64=v1
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH make build GOAMD64=$GOAMD64 VERSION=$VERSION BINARY=/image/trackgate
RUN mkdir -m 0700 /image/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /image/trackgate /usr/local/bin/trackgate
COPY --from=build --chown=65532:65532 /image/state /var/lib/trackgate
USER 65532:65532
VOLUME /var/lib/trackgate
EXPOSE 80 443 9180
ENTRYPOINT ["/usr/local/bin/trackgate"]
CMD ["run", "-c", "/etc/trackgate/trackgate.yaml"]
