// parse hcl FILE or parse container FILE: reads a file as its ecosystem does, and says what is wrong with it.
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func main() {
	kind, path := os.Args[1], os.Args[2]
	var err error
	if kind == "hcl" {
		err = parseHcl(path)
	} else {
		err = parseContainer(path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Checks the syntax alone, and prints the types of the blocks with their labels.
func parseHcl(path string) error {
	file, diagnostics := hclparse.NewParser().ParseHCLFile(path)
	if diagnostics.HasErrors() {
		return diagnostics
	}
	printBlocks("", file.Body.(*hclsyntax.Body).Blocks)
	return nil
}

func printBlocks(indent string, blocks hclsyntax.Blocks) {
	for _, block := range blocks {
		fmt.Printf("%s%s %v\n", indent, block.Type, block.Labels)
		printBlocks(indent+"  ", block.Body.Blocks)
	}
}

// Prints the instructions, one a line.
func parseContainer(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(file)
	if err != nil {
		return err
	}
	stages, _, err := instructions.Parse(parsed.AST)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		fmt.Println("FROM", stage.BaseName)
		for _, command := range stage.Commands {
			fmt.Println(command)
		}
	}
	return nil
}
