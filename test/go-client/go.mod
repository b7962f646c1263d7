module viaduct.test/go-client

go 1.19
