// job FILE [NAME=VALUE]…: reads a job as Nomad does, and prints it as JSON, or says what is wrong with it.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/nomad/jobspec2"
)

func main() {
	if err := parse(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(path string, variables []string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	job, err := jobspec2.ParseWithConfig(&jobspec2.ParseConfig{Path: path, Body: body, ArgVars: variables, Strict: true})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(job)
}
