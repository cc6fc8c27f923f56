#!/usr/bin/env bash
set -euxo pipefail
curl -sSfL https://raw.githubusercontent.com/golangci/golangci-lint/master/install.sh | sh -s -- -b "$(go env GOPATH)/bin" v1.61.0
go vet ./...
golangci-lint run
go test -race -coverprofile=coverage.txt ./...
bash <(curl -s https://codecov.io/bash)
